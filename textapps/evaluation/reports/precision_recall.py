"""The precision-recall curve of the second of two classes."""

import numpy as np
import numpy.typing as npt
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from textapps.evaluation.metrics.thresholds import UNDECIDED, precision_recall, predicted
from textapps.evaluation.reports.plots import FIRST, HEIGHT, INK, MUTED, SECOND, WIDTH, dress


def tradeoff(labels: npt.ArrayLike, scores: npt.ArrayLike, threshold: float | None) -> Figure:
    """Precision over recall for all thresholds, with a point at the one in use and a ring at 0.5.

    Args:
        labels, scores: as in metrics/thresholds.py, with an example of the second class.
        threshold: the one in use, None for 0.5.
    """
    curve = precision_recall(labels, scores)
    figure = Figure(figsize=(WIDTH, HEIGHT), layout="constrained")
    axes = figure.add_subplot()
    axes.plot(curve.recall, curve.precision, color=FIRST, linewidth=1.6)
    share = float(np.mean(np.asarray(labels) == 1))
    axes.axhline(share, linestyle=":", color=MUTED, label="by chance")
    marks = (
        [(UNDECIDED, "none")] if threshold is None else [(UNDECIDED, "none"), (threshold, SECOND)]
    )
    for value, fill in marks:
        given, truth = predicted(scores, value) == 1, np.asarray(labels) == 1
        if not given.any():
            continue
        point = float(np.mean(given[truth])), float(np.mean(truth[given]))
        name = f"threshold {value:.4g}"
        axes.plot(*point, "o", ms=8, label=name, mfc=fill, mec=SECOND)
    axes.set_xlabel("recall", color=MUTED)
    axes.set_ylabel("precision", color=MUTED)
    axes.set_ylim(top=1.02)
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_formatter(PercentFormatter(1, 0, symbol=" %"))
    axes.legend(frameon=False, fontsize=9, labelcolor=INK)
    dress(axes)
    return figure
