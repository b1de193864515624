"""Learning curves of several runs in one plot, over the seconds of their training."""

from collections.abc import Mapping, Sequence
from itertools import product
from typing import Any

from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator

from textapps.evaluation.reports import plots

# Runs are told apart by colour and dashes, so that no colour needs to be seen.
_LOOKS = [
    (colour, dash)
    for dash, colour in product(("-", "--", ":"), (plots.FIRST, plots.SECOND, plots.THIRD))
]
_MARKS = "os^Dv"


def curves_over_seconds(
    histories: Sequence[tuple[str, Sequence[Mapping[str, Any]]]], metric: str
) -> Figure:
    """A validation metric over the seconds of training, a line for each run.

    Args:
        histories: the name of each run, and the rows of its history.csv, which may be none.
        metric: without `val_`.
    """
    figure = Figure(figsize=(plots.WIDTH, plots.HEIGHT), layout="constrained")
    column = f"val_{metric}"
    lines = [
        (name, [(float(r["seconds"]), float(r[column])) for r in rows if r.get(column)])
        for name, rows in histories
    ]
    if not any(points for _, points in lines):
        return plots.empty(figure, "no training history")
    axes = figure.add_subplot()
    for number, (name, points) in enumerate(lines):
        if not points:
            continue
        colour, dash = _LOOKS[number % len(_LOOKS)]
        x, y = zip(*points, strict=True)
        mark = _MARKS[number % len(_MARKS)]
        axes.plot(x, y, dash, color=colour, label=name, linewidth=1.6, marker=mark, ms=3.5)
    axes.set_xlabel("seconds of training", color=plots.MUTED)
    axes.set_ylabel(plots.metric_name(metric), color=plots.MUTED)
    axes.set_xlim(left=0)
    axes.xaxis.set_major_locator(MaxNLocator(6))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda x, _: f"{x:,.4g}"))
    axes.legend(frameon=False, fontsize=9, labelcolor=plots.INK)
    plots.dress(axes)
    return figure
