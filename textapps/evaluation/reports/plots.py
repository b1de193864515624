"""The plots of a report, as matplotlib Figures, without pyplot and its global state.

Colours are from Okabe and Ito's palette, which works for any colour vision; report.py replaces
them with the page's own, so that a plot follows its light and dark theme.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Any
from unicodedata import east_asian_width

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.colors import to_rgba
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator, PercentFormatter

from textapps.evaluation.metrics.bootstrap import wilson_interval
from textapps.evaluation.metrics.classification import (
    CALIBRATION_BINS,
    LengthRow,
    calibration_table,
)
from textapps.evaluation.metrics.lengths import span
from textapps.evaluation.metrics.translation import LengthScores

INK, MUTED, GRID, PAPER = "#1b1f24", "#59636e", "#d8dde3", "#fefefe"
FIRST, SECOND, THIRD = "#0072b2", "#d55e00", "#009e73"
WIDTH, HEIGHT = 4.8, 3.6  # inches; narrow, so that 9 points stay readable on a phone
NUMBERS_UP_TO = 12  # classes for which a confusion matrix has room for numbers
NAMES_UP_TO = 24
NAME_LENGTH = 14
TOKENS_UP_TO = 32  # of a sentence in an attention map
ABBREVIATIONS = {"bleu": "BLEU", "chrf": "chrF", "macro_f1": "macro F1"}


def learning_curves(rows: Sequence[Mapping[str, Any]], leave_out: Collection[str] = ()) -> Figure:
    """Training and validation over the steps, with one panel for each validation metric.

    Args:
        rows: of history.csv, with columns `step`, `val_<name>`, and `<name>` if training has the
            metric too; values are numbers or their text, and may be empty.
        leave_out: names of metrics to omit.
    """
    columns = rows[0] if rows else {}
    evaluated = [name.removeprefix("val_") for name in columns if name.startswith("val_")]
    names = [name for name in columns if name in evaluated]
    names += [name for name in evaluated if name not in columns]
    names = [name for name in names if name not in leave_out]
    figure = Figure(figsize=(WIDTH, HEIGHT), layout="constrained")
    if not names:
        return empty(figure, "no training history")
    panels = figure.subplots(len(names), 1, sharex=True, squeeze=False)[:, 0]
    for axes, name in zip(panels, names, strict=True):
        dress(axes)
        lines = ((name, SECOND, "training", "--"), (f"val_{name}", FIRST, "validation", "-"))
        for column, colour, label, style in lines:
            if column not in columns:
                continue
            points = [(float(r["step"]), float(r[column])) for r in rows if r.get(column)]
            x, y = zip(*points, strict=True) if points else ((), ())
            axes.plot(x, y, style, color=colour, label=label, linewidth=1.6, marker="o", ms=3)
        axes.set_ylabel(ABBREVIATIONS.get(name, name.replace("_", " ")), color=MUTED)
        axes.yaxis.set_major_locator(MaxNLocator(5))
    panels[0].legend(frameon=False, fontsize=9, labelcolor=INK, ncols=2)
    panels[-1].set_xlabel("steps", color=MUTED)
    panels[-1].xaxis.set_major_locator(MaxNLocator(6, integer=True))
    panels[-1].xaxis.set_major_formatter(FuncFormatter(lambda x, _: f"{x:,.0f}"))
    return figure


def confusion(matrix: npt.ArrayLike, names: Sequence[str]) -> Figure:
    """The confusion matrix int[classes, classes]; rows are the true classes.

    The darker a cell, the larger its share of the row. For up to 12 classes the cells show numbers.
    """
    counts = np.asarray(matrix)
    classes = len(counts)
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    figure = Figure(figsize=(WIDTH, HEIGHT if classes <= 4 else WIDTH), layout="constrained")
    axes = figure.add_subplot()
    _cells(axes, shares)
    if classes <= NUMBERS_UP_TO:
        size = 11 if classes <= 4 else 7
        for (row, column), count in np.ndenumerate(counts):
            colour = PAPER if shares[row, column] > 0.5 else INK
            text = axes.text(column, row, f"{count:,}", color=colour, fontsize=size)
            text.set(ha="center", va="center")
    shown = range(0, classes, -(-classes // NAMES_UP_TO))
    labels = [_short(names[i]) for i in shown]
    # parse_math: a dollar sign in a name is not a formula.
    axes.set_xticks(shown, labels, parse_math=False, rotation=90 if classes > 4 else 0)
    axes.set_yticks(shown, labels, parse_math=False)
    axes.set_xlabel("predicted", color=MUTED)
    axes.set_ylabel("true", color=MUTED)
    return figure


def reliability(
    labels: npt.ArrayLike, scores: npt.ArrayLike, threshold: float | None = None
) -> Figure:
    """The reliability diagram (Guo et al. 2017, figure 1), with 95 % intervals and bin sizes.

    On the diagonal the accuracy equals the score. Arguments as in metrics/classification.py.
    """
    rows = calibration_table(labels, scores, threshold)
    confidence, accuracy, sizes = (np.array(column) for column in zip(*rows, strict=True))
    low, high = wilson_interval(accuracy * sizes, sizes)
    figure = Figure(figsize=(WIDTH, HEIGHT), layout="constrained")
    axes, below = figure.subplots(2, 1, sharex=True, height_ratios=[3, 1])
    # The score of a predicted class is at least 1 / classes, unless a threshold says otherwise.
    least = (CALIBRATION_BINS // np.shape(scores)[1]) / CALIBRATION_BINS
    least = min(least, float(confidence.min()))
    axes.plot([least, 1], [least, 1], ":", color=MUTED, label="perfect calibration")
    error = [accuracy - low, high - accuracy]
    axes.errorbar(confidence, accuracy, np.clip(error, 0, 1), fmt="-o", color=FIRST, ms=4)
    axes.set_ylabel("share correct", color=MUTED)
    axes.legend(frameon=False, fontsize=9, labelcolor=INK, loc="upper left")
    axes.set_ylim(min(least, float(low.min())) - 0.02, 1.02)
    below.bar(confidence, sizes / sizes.sum(), 0.6 / CALIBRATION_BINS, color=FIRST)
    below.set_ylabel("examples", color=MUTED)
    below.set_xlabel("score of the predicted class", color=MUTED)
    for each in (axes, below):
        dress(each)
        each.yaxis.set_major_formatter(PercentFormatter(1, 0, symbol=" %"))
        each.xaxis.set_major_formatter(PercentFormatter(1, 0, symbol=" %"))
    return figure


def accuracy_by_length(rows: Sequence[LengthRow], unit: str = "tokens") -> Figure:
    """The groups of `length_accuracy` with 95 % intervals; the dotted line is the overall one."""
    figure = Figure(figsize=(WIDTH, HEIGHT), layout="constrained")
    if not rows:
        return empty(figure, "no examples")
    axes = figure.add_subplot()
    accuracy = np.array([row.accuracy for row in rows])
    error = [accuracy - [row.low for row in rows], [row.high for row in rows] - accuracy]
    overall = np.average(accuracy, weights=[row.examples for row in rows])
    axes.axhline(float(overall), linestyle=":", color=MUTED, label="all lengths")
    axes.errorbar(range(len(rows)), accuracy, np.clip(error, 0, 1), fmt="o", color=FIRST, ms=5)
    _length_axis(axes, rows, unit)
    axes.set_ylabel("accuracy", color=MUTED)
    axes.yaxis.set_major_formatter(PercentFormatter(1, symbol=" %"))
    axes.legend(frameon=False, fontsize=9, labelcolor=INK)
    dress(axes)
    return figure


def ngram_orders(orders: Sequence[float], model: float) -> Figure:
    """Nats per character of n-gram models, from order 1; the dotted line is the model."""
    figure = Figure(figsize=(WIDTH, HEIGHT), layout="constrained")
    axes = figure.add_subplot()
    axes.axhline(model, linestyle=":", color=FIRST, label="this model")
    axes.plot(range(1, len(orders) + 1), orders, "-o", color=SECOND, ms=5, label="n-grams")
    axes.set_xlabel("longest n-gram, characters", color=MUTED)
    axes.set_ylabel("nats per character", color=MUTED)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.legend(frameon=False, fontsize=9, labelcolor=INK)
    dress(axes)
    return figure


def translation_by_length(rows: Sequence[LengthScores], unit: str = "words") -> Figure:
    """The groups of `translation_by_length`: BLEU with 95 % intervals, and chrF."""
    figure = Figure(figsize=(WIDTH, HEIGHT), layout="constrained")
    if not rows:
        return empty(figure, "no examples")
    axes = figure.add_subplot()
    bleu = np.array([row.bleu for row in rows])
    error = [bleu - [row.low for row in rows], [row.high for row in rows] - bleu]
    axes.plot([row.chrf for row in rows], "s", color=SECOND, ms=5, label="chrF")
    places = range(len(rows))
    axes.errorbar(places, bleu, np.clip(error, 0, 100), fmt="o", color=FIRST, ms=5, label="BLEU")
    _length_axis(axes, rows, unit)
    axes.set_ylim(bottom=0)
    axes.set_ylabel("score", color=MUTED)
    # Above the plot, because high scores leave no room inside.
    above = {"loc": "lower right", "bbox_to_anchor": (1, 1)}
    axes.legend(frameon=False, fontsize=9, labelcolor=INK, ncols=2, **above)
    dress(axes)
    return figure


def attention(weights: npt.ArrayLike, source: Sequence[str], target: Sequence[str]) -> Figure:
    """The attention of each target token over the source tokens; darker means more.

    Args:
        weights: float[target, source], non-negative; the largest has the full colour.
        source, target: the tokens; the first 32 are shown.
    """
    columns, rows = list(source[:TOKENS_UP_TO]), list(target[:TOKENS_UP_TO])
    shares = np.asarray(weights, np.float64)[: len(rows), : len(columns)]
    figure = Figure(figsize=(WIDTH, 1.3 + 0.16 * max(8, len(rows))), layout="constrained")
    if not shares.size:
        return empty(figure, "no tokens")
    axes = figure.add_subplot()
    _cells(axes, shares / max(float(shares.max()), 1e-9))
    axes.set_xticks(
        range(len(columns)), [_short(each) for each in columns], parse_math=False, rotation=90
    )
    axes.set_yticks(range(len(rows)), [_short(each) for each in rows], parse_math=False)
    axes.tick_params(labelsize=8 if max(len(rows), len(columns)) > 24 else 9)
    axes.set_xlabel("source", color=MUTED)
    axes.set_ylabel("translation", color=MUTED)
    return figure


def metric_name(metric: str) -> str:
    """A validation metric as axes and tables call it.

    >>> metric_name("macro_f1"), metric_name("nats_per_character")
    ('validation macro F1', 'validation nats per character')
    """
    return f"validation {ABBREVIATIONS.get(metric, metric.replace('_', ' '))}"


def _cells(axes: Axes, shares: npt.NDArray[np.float64]) -> None:
    """A table of coloured cells, float[rows, columns] in [0, 1], from top to bottom."""
    colours = np.tile(to_rgba(FIRST), (*shares.shape, 1))
    colours[..., 3] = shares  # transparent instead of white, for any page colour
    rows, columns = (np.arange(size + 1) - 0.5 for size in shares.shape)
    axes.pcolormesh(columns, rows, colours, edgecolors="face", linewidth=0)
    dress(axes, grid=False)
    axes.tick_params(length=0)
    axes.invert_yaxis()
    for spine in axes.spines.values():
        spine.set_visible(True)


def _length_axis(axes: Axes, rows: Sequence[LengthRow | LengthScores], unit: str) -> None:
    """One position on the x axis for each group of lengths."""
    spans = [span(row.shortest, row.longest, "–") for row in rows]
    axes.set_xticks(range(len(rows)), spans, rotation=40, ha="right", rotation_mode="anchor")
    axes.set_xlim(-0.5, len(rows) - 0.5)
    axes.set_xlabel(unit, color=MUTED)


def dress(axes: Axes, *, grid: bool = True) -> None:
    """The common style: no box, faint grid lines, grey ticks."""
    for side, spine in axes.spines.items():
        spine.set_visible(side in ("left", "bottom"))
        spine.set_color(GRID)
    axes.tick_params(color=GRID, labelcolor=MUTED, labelsize=9)
    if grid:
        axes.grid(axis="y", color=GRID, linewidth=0.6)
        axes.set_axisbelow(True)


def empty(figure: Figure, message: str) -> Figure:
    """An empty plot with a message."""
    axes = figure.add_subplot()
    axes.set_axis_off()
    axes.text(0.5, 0.5, message, color=MUTED, ha="center", va="center")
    return figure


def _short(name: str) -> str:
    """The beginning of a name; wide characters (such as Chinese ones) count twice."""
    widths = np.cumsum([2 if east_asian_width(c) in "WF" else 1 for c in name])
    fits = int(np.searchsorted(widths, NAME_LENGTH, side="right"))
    return name if fits == len(name) else name[: fits - 1] + "…"
