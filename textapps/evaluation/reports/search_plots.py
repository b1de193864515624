"""The plots of the report on a search: history, importances, and what quality costs."""

from collections.abc import Callable, Mapping, Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator, PercentFormatter

from textapps.evaluation.reports.plots import (
    ABBREVIATIONS,
    FIRST,
    HEIGHT,
    INK,
    MUTED,
    SECOND,
    THIRD,
    WIDTH,
    dress,
    empty,
)
from textapps.evaluation.searched import Searched, Tried

KEYS_UP_TO = 12  # in the plot of importances


def metric_name(metric: str) -> str:
    """A validation metric as axes and tables call it.

    >>> metric_name("macro_f1"), metric_name("nats_per_character")
    ('validation macro F1', 'validation nats per character')
    """
    return f"validation {ABBREVIATIONS.get(metric, metric.replace('_', ' '))}"


def history(found: Searched) -> Figure:
    """The best validation of each trial over the minutes of the search, and the best so far."""
    figure = Figure(figsize=(WIDTH, HEIGHT), layout="constrained")
    rows = sorted(
        (row for row in found.tried if row.best is not None), key=lambda row: row.after_seconds
    )
    if not rows:
        return empty(figure, "no trial has been validated")
    axes = figure.add_subplot()
    for ended, mark, label in ((True, "o", "trained to its end"), (False, "x", "stopped before")):
        chosen = [row for row in rows if row.ended == ended]
        if chosen:
            minutes = [row.after_seconds / 60 for row in chosen]
            axes.plot(minutes, _bests(chosen), mark, color=FIRST, ms=5, label=label)
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
        axes.step(x, y, where="post", color=SECOND, linewidth=1.6, label="best so far")
    preset = rows[0] if rows[0].number == 0 else next((r for r in rows if r.number == 0), None)
    if preset is not None and preset.best is not None:
        axes.axhline(preset.best, linestyle=":", color=MUTED, label="preset")
    if found.baseline is not None:
        axes.axhline(found.baseline, linestyle="--", color=THIRD, label="classical baseline")
    axes.set_xlabel("minutes", color=MUTED)
    axes.set_ylabel(metric_name(found.metric), color=MUTED)
    axes.legend(frameon=False, fontsize=8, labelcolor=INK)
    dress(axes)
    return figure


def importance_bars(importances: Mapping[str, float]) -> Figure:
    """The shares of the keys, the largest at the top."""
    shown = sorted(importances.items(), key=lambda item: item[1])[-KEYS_UP_TO:]
    figure = Figure(figsize=(WIDTH, 1.0 + 0.26 * max(5, len(shown))), layout="constrained")
    if not shown:
        return empty(figure, "too few trials to tell")
    axes = figure.add_subplot()
    axes.barh([key for key, _ in shown], [share for _, share in shown], 0.6, color=FIRST)
    axes.xaxis.set_major_formatter(PercentFormatter(1, 0, symbol=" %"))
    axes.xaxis.set_major_locator(MaxNLocator(5))
    dress(axes, grid=False)
    axes.grid(axis="x", linewidth=0.6, alpha=0.3)
    return figure


def quality_and_costs(found: Searched) -> Figure:
    """Quality over size and over time of the trials that were trained to their ends.

    The line joins those of the front, the numbers name them.
    """
    figure = Figure(figsize=(WIDTH, 2 * HEIGHT), layout="constrained")
    rows = [row for row in found.tried if row.ended and row.best is not None and row.parameters]
    if not rows:
        return empty(figure, "no trial has been trained to its end")
    above, below = figure.subplots(2, 1)
    _costs(above, rows, lambda row: row.megabytes, found)
    above.set_xlabel("megabytes of weights", color=MUTED)
    timed = [row for row in rows if row.milliseconds is not None]
    _costs(below, timed, lambda row: row.milliseconds or 0.0, found)
    below.set_xlabel("milliseconds for one input", color=MUTED)
    return figure


def _costs(
    axes: Axes, rows: Sequence[Tried], cost: Callable[[Tried], float], found: Searched
) -> None:
    others = [row for row in rows if not row.front]
    front = sorted((row for row in rows if row.front), key=cost)
    axes.plot([cost(row) for row in others], _bests(others), "o", color=MUTED, ms=4, label="others")
    axes.plot([cost(row) for row in front], _bests(front), "o", color=SECOND, ms=6, label="front")
    for row in front:
        place = (cost(row), row.best or 0.0)
        axes.annotate(
            str(row.number), place, (4, 4), textcoords="offset points", fontsize=8, color=INK
        )
    axes.set_xscale("log")
    axes.xaxis.set_major_formatter(FuncFormatter(lambda x, _: f"{x:g}"))
    axes.xaxis.set_minor_formatter(FuncFormatter(lambda x, _: f"{x:g}"))
    axes.tick_params(axis="x", which="minor", labelsize=7, labelcolor=MUTED)
    axes.set_ylabel(metric_name(found.metric), color=MUTED)
    axes.legend(frameon=False, fontsize=8, labelcolor=INK)
    dress(axes)


def _bests(rows: Sequence[Tried]) -> list[float]:
    return [row.best for row in rows if row.best is not None]
