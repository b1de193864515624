"""The plots of the report on a search: history, importances, and what quality costs."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator, PercentFormatter

from textapps.evaluation.reports import plots
from textapps.evaluation.searched import Searched, Tried

KEYS_UP_TO = 12  # in the plot of importances
WIDE = 30  # costs that differ by more times have a logarithmic scale


def history(found: Searched) -> Figure:
    """The best validation of each trial over the minutes of the search, and the best so far."""
    figure = Figure(figsize=(plots.WIDTH, plots.HEIGHT), layout="constrained")
    rows = sorted(
        (row for row in found.tried if row.best is not None), key=lambda row: row.after_seconds
    )
    if not rows:
        return plots.empty(figure, "no trial has been validated")
    axes = figure.add_subplot()
    for ended, mark, label in ((True, "o", "trained to its end"), (False, "x", "stopped before")):
        chosen = [row for row in rows if row.ended == ended]
        if chosen:
            minutes = [row.after_seconds / 60 for row in chosen]
            axes.plot(minutes, _bests(chosen), mark, color=plots.FIRST, ms=5, label=label)
    best, line = None, []
    for row in rows:
        if row.fits and row.best is not None:
            better = best is None or (row.best < best if found.less else row.best > best)
            best = row.best if better else best
        line.append(best)
    places = [row.after_seconds / 60 for row in rows]
    pairs = [(x, y) for x, y in zip(places, line, strict=True) if y is not None]
    if pairs:
        x, y = zip(*pairs, strict=True)
        end = max(found.seconds_used / 60, x[-1])  # the best one stays so
        axes.step(
            (*x, end),
            (*y, y[-1]),
            where="post",
            color=plots.SECOND,
            linewidth=1.6,
            label="best so far",
        )
    preset = rows[0] if rows[0].number == 0 else next((r for r in rows if r.number == 0), None)
    if preset is not None and preset.best is not None:
        axes.axhline(preset.best, linestyle=":", color=plots.MUTED, label="preset")
    if found.baseline is not None:
        axes.axhline(found.baseline, linestyle="--", color=plots.THIRD, label="classical baseline")
    axes.xaxis.set_major_locator(MaxNLocator(5))
    axes.set_xlim(0, max(found.seconds_named, *(row.after_seconds for row in rows)) / 60)
    axes.set_xlabel("minutes", color=plots.MUTED)
    axes.set_ylabel(plots.metric_name(found.metric), color=plots.MUTED)
    _legend(axes)
    plots.dress(axes)
    return figure


def importance_bars(importances: Mapping[str, float]) -> Figure:
    """The shares of the keys, of which there is at least one, the largest at the top."""
    shown = sorted(importances.items(), key=lambda item: item[1])[-KEYS_UP_TO:]
    figure = Figure(figsize=(plots.WIDTH, 1.0 + 0.26 * max(5, len(shown))), layout="constrained")
    axes = figure.add_subplot()
    axes.barh([key for key, _ in shown], [share for _, share in shown], 0.6, color=plots.FIRST)
    axes.xaxis.set_major_formatter(PercentFormatter(1, 0, symbol=" %"))
    axes.xaxis.set_major_locator(MaxNLocator(5))
    plots.dress(axes, grid=False)
    axes.grid(axis="x", linewidth=0.6, alpha=0.3)
    return figure


def quality_and_size(found: Searched) -> Figure:
    """Quality over the megabytes of the trials that were trained to their ends."""
    return _quality_over(found, lambda row: row.megabytes or None, "megabytes of weights")


def quality_and_time(found: Searched) -> Figure:
    """Quality over the time to answer one input of the trials that were trained to their ends."""
    return _quality_over(found, lambda row: row.milliseconds, "milliseconds for one input")


def _quality_over(found: Searched, cost_of: Callable[[Tried], float | None], label: str) -> Figure:
    """The front stands out, and its trials have their numbers."""
    figure = Figure(figsize=(plots.WIDTH, plots.HEIGHT), layout="constrained")
    known = [
        (cost, row.best, row)
        for row in found.tried
        if row.ended and row.best is not None and (cost := cost_of(row)) is not None
    ]
    if not known:
        return plots.empty(figure, "no trial has been trained to its end")
    axes = figure.add_subplot()
    for on_front, colour, size, name in (
        (False, plots.MUTED, 4, "others"),
        (True, plots.SECOND, 6, "front"),
    ):
        points = [(cost, best) for cost, best, row in known if row.front == on_front]
        if points:
            axes.plot(*zip(*points, strict=True), "o", color=colour, ms=size, label=name)
    for cost, best, row in known:
        if row.front:
            beside: dict[str, Any] = {
                "textcoords": "offset points",
                "fontsize": 8,
                "color": plots.INK,
            }
            axes.annotate(str(row.number), (cost, best), (4, 4), **beside)
    costs = [cost for cost, _, _ in known]
    if max(costs) > WIDE * min(costs) > 0:
        axes.set_xscale("log")
        axes.xaxis.set_major_formatter(FuncFormatter(lambda x, _: f"{x:g}"))
    axes.set_xlabel(label, color=plots.MUTED)
    axes.set_ylabel(plots.metric_name(found.metric), color=plots.MUTED)
    _legend(axes)
    plots.dress(axes)
    return figure


def _legend(axes: Axes) -> None:
    """Above the plot, because it would hide points inside."""
    above = {"loc": "lower right", "bbox_to_anchor": (1, 1), "ncols": 3}
    axes.legend(frameon=False, fontsize=8, labelcolor=plots.INK, **above)


def _bests(rows: Sequence[Tried]) -> list[float]:
    return [row.best for row in rows if row.best is not None]
