"""Figures of docs/results.md, drawn from results."""

import io
from collections.abc import Mapping

import matplotlib as mpl
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, PercentFormatter

from benchmarks.results import Figures
from textapps.evaluation.reports.plots import HEIGHT, INK, MUTED, WIDTH, dress

# Okabe and Ito's palette, which works for any colour vision.
COLOURS = ("#59636e", "#0072b2", "#009e73", "#d55e00", "#cc79a7")
MARKERS = "sov^D"


def accuracy_by_size(sizes: Mapping[str, Figures], labels: Mapping[str, str]) -> str:
    """SVG: the mean accuracy of each way by the number of labelled texts, with its deviation.

    Args:
        sizes: by number of texts and name of the way, `accuracy` and `deviation`.
        labels: what the ways are called; those without a figure are left out.
    """
    figure = Figure(figsize=(WIDTH, HEIGHT), layout="constrained")
    axes = figure.subplots()
    dress(axes)
    measured = [name for name in labels if all(name in ways for ways in sizes.values())]
    x = [int(size) for size in sizes]
    for name, colour, marker in zip(measured, COLOURS, MARKERS, strict=False):
        means = [ways[name]["accuracy"] for ways in sizes.values()]
        spread = [ways[name]["deviation"] for ways in sizes.values()]
        drawn = axes.errorbar(x, means, spread, fmt=f"-{marker}", color=colour, capsize=2)
        drawn.set_label(labels[name])
    axes.set_xscale("log")
    axes.set_xticks(x)
    axes.set_xticks([], minor=True)
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
    axes.yaxis.set_major_formatter(PercentFormatter(1, decimals=0))
    axes.set_xlabel("labelled texts", color=MUTED)
    axes.set_ylabel("accuracy", color=MUTED)
    axes.legend(frameon=False, fontsize=8, labelcolor=INK, loc="lower right")
    text = io.StringIO()
    options = {"svg.hashsalt": "textapps", "svg.fonttype": "none"}  # always the same file
    with mpl.rc_context(options):
        figure.savefig(text, format="svg", metadata={"Date": None})
    return text.getvalue()
