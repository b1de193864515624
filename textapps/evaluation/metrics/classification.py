"""Metrics of a classifier from its scores on labelled examples.

`labels` is int[n], the true classes, and `scores` is float[n, classes], probabilities whose rows
sum to one. The predicted class is the one with the highest score, the first of equal ones, or
what `threshold` says, as in thresholds.py. docs/evaluation.md defines every metric.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from textapps.core.errors import DataError
from textapps.evaluation.metrics.bootstrap import (
    Floats,
    limits,
    resampled,
    weighted_mean,
    wilson_interval,
)
from textapps.evaluation.metrics.lengths import length_groups
from textapps.evaluation.metrics.thresholds import predicted

Integers = npt.NDArray[np.integer[Any]]
Counts = npt.NDArray[np.int64]

CALIBRATION_BINS = 15  # as in Guo et al. 2017, so that values can be compared
# Limits the log-loss of an example to 15.9: float32 scores sometimes underflow to 0, which must
# not make the mean infinite.
SMALLEST_PROBABILITY = float(np.finfo(np.float32).eps)


class ClassRow(NamedTuple):
    """A class of a per-class table: shares in [0, 1]; support is its number of examples."""

    label: str
    precision: float
    recall: float
    f1: float
    support: int


class LengthRow(NamedTuple):
    """Examples of length [shortest, longest]; low and high are the accuracy's 95 % interval."""

    shortest: int
    longest: int
    examples: int
    accuracy: float
    low: float
    high: float


class CalibrationRow(NamedTuple):
    """A bin of equal width: the mean score of the predicted class and the share of correct ones."""

    confidence: float
    accuracy: float
    examples: int


class Mistake(NamedTuple):
    """A wrong prediction with its probability; row is its index in the data."""

    row: int
    text: str
    label: int
    predicted: int
    probability: float


def classification_metrics(
    labels: npt.ArrayLike,
    scores: npt.ArrayLike,
    *,
    threshold: float | None = None,
    resamples: int = 1000,
    seed: int = 0,
) -> dict[str, float]:
    """accuracy, macro_f1, log_loss, calibration_error and auc, with `<name>_low` and `_high`.

    The 95 % intervals come from `resamples` bootstrap samples of the examples; 0 omits them. A
    figure that is the same in every sample, such as a macro F1 of 1, has none; that of an accuracy
    of 0 or 1 is Wilson's instead. auc is
    the area under the ROC curve of the second class of two, or the mean of each class against the
    rest. It ignores classes that have no examples or all of them; if no class is left, there is no
    auc. No metric is ever NaN.

    Raises:
        DataError: there are no examples, shapes or labels do not match, or scores are not
            probabilities.

    >>> metrics = classification_metrics([0, 1, 1], [[0.9, 0.1], [0.2, 0.8], [0.6, 0.4]])
    >>> round(metrics["accuracy"], 3), round(metrics["macro_f1"], 3), metrics["auc"]
    (0.667, 0.667, 1.0)
    """
    figures = ClassifierFigures(labels, scores, threshold)
    estimate = figures.of(np.ones(figures.examples))
    draws: dict[str, list[float]] = {name: [] for name in estimate}
    for counts in resampled(figures.examples, resamples, seed):
        for name, value in figures.of(counts).items():
            draws[name].append(value)
    metrics = {}
    for name, value in estimate.items():
        metrics[name] = value
        if resamples:
            metrics |= limits(name, value, draws[name])
    if resamples and metrics["accuracy"] in (0.0, 1.0):
        low, high = wilson_interval(metrics["accuracy"] * figures.examples, figures.examples)
        metrics["accuracy_low"], metrics["accuracy_high"] = float(low), float(high)
    return metrics


def confusion_matrix(
    labels: npt.ArrayLike, scores: npt.ArrayLike, threshold: float | None = None
) -> Counts:
    """int64[classes, classes]: the numbers of examples by true class (row) and prediction."""
    truth, values = _checked(labels, scores)
    classes = values.shape[1]
    cells = truth * classes + predicted(values, threshold)
    return np.bincount(cells, minlength=classes**2).reshape(classes, classes)


def per_class_table(
    labels: npt.ArrayLike,
    scores: npt.ArrayLike,
    label_names: Sequence[str],
    threshold: float | None = None,
) -> list[ClassRow]:
    """Precision, recall and F1 of every class; a share of zero examples is 0.

    >>> per_class_table([0, 1, 1], [[0.9, 0.1], [0.2, 0.8], [0.6, 0.4]], ["bad", "good"])[1]
    ClassRow(label='good', precision=1.0, recall=0.5, f1=0.6666666666666666, support=2)
    """
    matrix = confusion_matrix(labels, scores, threshold)
    hits, given, support = np.diag(matrix), matrix.sum(axis=0), matrix.sum(axis=1)
    columns = (hits / np.maximum(given, 1), hits / np.maximum(support, 1), _f1(matrix), support)
    return [
        ClassRow(name, float(precision), float(recall), float(f1), int(n))
        for name, precision, recall, f1, n in zip(label_names, *columns, strict=True)
    ]


def calibration_table(
    labels: npt.ArrayLike, scores: npt.ArrayLike, threshold: float | None = None
) -> list[CalibrationRow]:
    """The non-empty ones of 15 bins of equal width: Guo et al. 2017, section 2."""
    truth, values = _checked(labels, scores)
    confidence, correct = _confidence(truth, values, threshold)
    bins = _bins(confidence)
    sizes = np.bincount(bins)
    sums = np.bincount(bins, confidence), np.bincount(bins, correct)
    return [
        CalibrationRow(float(sums[0][b] / n), float(sums[1][b] / n), int(n))
        for b, n in enumerate(sizes)
        if n
    ]


def length_accuracy(
    lengths: npt.ArrayLike, correct: npt.ArrayLike, *, groups: int = 8
) -> list[LengthRow]:
    """Accuracy by length, in at most `groups` groups of about equally many examples.

    Examples of the same length stay together.

    Args:
        lengths: int[n], in any unit.
        correct: bool[n].

    >>> [tuple(row)[:4] for row in length_accuracy([5, 1, 9, 3], [True, True, False, True],
    ...                                            groups=2)]
    [(1, 3, 2, 1.0), (5, 9, 2, 0.5)]
    """
    right = np.asarray(correct, bool)
    rows = []
    for shortest, longest, members in length_groups(lengths, groups):
        n, hits = int(members.sum()), int(right[members].sum())
        low, high = wilson_interval(hits, n)
        rows.append(LengthRow(shortest, longest, n, hits / n, float(low), float(high)))
    return rows


def most_confident_mistakes(
    texts: Sequence[str],
    labels: npt.ArrayLike,
    scores: npt.ArrayLike,
    n: int = 10,
    threshold: float | None = None,
) -> list[Mistake]:
    """The wrong predictions with the highest scores, at most `n`, highest first."""
    truth, values = _checked(labels, scores)
    given = predicted(values, threshold)
    wrong = np.flatnonzero(given != truth)
    confidence = values[wrong, given[wrong]]
    worst = wrong[np.argsort(-confidence, kind="stable")][:n]
    return [
        Mistake(int(i), texts[i], int(truth[i]), int(given[i]), float(values[i, given[i]]))
        for i in worst
    ]


class ClassifierFigures:
    """The metrics of any weighting of the same examples, each in linear time.

    Raises DataError as `classification_metrics`.
    """

    def __init__(
        self, given: npt.ArrayLike, probabilities: npt.ArrayLike, threshold: float | None = None
    ) -> None:
        labels, scores = _checked(given, probabilities)
        self.examples, self.classes = scores.shape
        confidence, correct = _confidence(labels, scores, threshold)
        self._cells = labels * self.classes + predicted(scores, threshold)
        self._losses = -np.log(
            np.maximum(scores[np.arange(self.examples), labels], SMALLEST_PROBABILITY)
        )
        self._bins, self._gaps = _bins(confidence), correct - confidence
        columns = [1] if self.classes == 2 else range(self.classes)  # two classes: one ROC curve
        self._curves = [_Curve(scores[:, k], labels == k) for k in columns]

    def behind(self, metric: str) -> int:
        """On how many examples a metric rests."""
        return int(self.examples)

    def of(self, counts: Floats) -> dict[str, float]:
        """The metrics of the data in which example i occurs counts[i] times, float64[examples]."""
        matrix = np.bincount(self._cells, counts, self.classes**2)
        matrix = matrix.reshape(self.classes, self.classes)
        seen = matrix.sum(axis=0) + matrix.sum(axis=1) > 0
        figures = {
            "accuracy": float(np.trace(matrix) / matrix.sum()),
            "macro_f1": float(_f1(matrix)[seen].mean()),
            "log_loss": weighted_mean(self._losses, counts),
            "calibration_error": float(
                np.abs(np.bincount(self._bins, counts * self._gaps)).sum() / matrix.sum()
            ),
        }
        areas = [area for curve in self._curves if (area := curve.area(counts)) is not None]
        if areas:
            figures["auc"] = float(np.mean(areas))
        return figures


class _Curve:
    """One class against the rest; sorts once, as resampling keeps the order of the scores."""

    def __init__(self, scores: Floats, positive: npt.NDArray[np.bool_]) -> None:
        order = np.argsort(scores, kind="stable")
        self.positives, self.negatives = order[positive[order]], order[~positive[order]]
        low, high = scores[self.negatives], scores[self.positives]
        self._below = np.searchsorted(low, high, side="left")
        self._not_above = np.searchsorted(low, high, side="right")

    def area(self, counts: Floats) -> float | None:
        """The share of (positive, negative) pairs in the correct order, ties counting half."""
        negative = np.concatenate([[0.0], np.cumsum(counts[self.negatives])])
        positive = counts[self.positives]
        pairs = positive.sum() * negative[-1]
        if not pairs:
            return None
        won = (negative[self._below] + negative[self._not_above]) / 2
        return float((positive * won).sum() / pairs)


def _f1(matrix: npt.NDArray[Any]) -> Floats:
    """float64[classes]: 2 hits / (given + support), 0 for a class with neither."""
    both = matrix.sum(axis=0) + matrix.sum(axis=1)
    return np.asarray(2 * np.diag(matrix) / np.maximum(both, 1))


def _confidence(labels: Counts, scores: Floats, threshold: float | None) -> tuple[Floats, Floats]:
    """The score of the predicted class and whether it is correct (0 or 1): float64[n] each."""
    given = predicted(scores, threshold)
    return scores[np.arange(len(given)), given], (given == labels).astype(np.float64)


def _bins(confidence: Floats) -> Counts:
    return np.minimum((confidence * CALIBRATION_BINS).astype(np.int64), CALIBRATION_BINS - 1)


def _checked(labels: npt.ArrayLike, scores: npt.ArrayLike) -> tuple[Counts, Floats]:
    truth, values = np.asarray(labels), np.asarray(scores, np.float64)
    if values.ndim != 2 or values.shape[1] < 2 or truth.shape != values.shape[:1]:
        raise DataError(
            "evaluation needs labels[n] and scores[n, classes] of two classes or more, not "
            f"shapes {truth.shape} and {values.shape}"
        )
    if not len(truth):
        raise DataError("there are no examples to evaluate on")
    truth = truth.astype(np.int64)
    if truth.min() < 0 or truth.max() >= values.shape[1]:
        span = f"labels range from {truth.min()} to {truth.max()}"
        raise DataError(f"{span}, but the model has {values.shape[1]} classes")
    # The tolerance is for bfloat16, in which a softmax sums to one within half a percent.
    if not (np.abs(values.sum(axis=1) - 1.0) < 0.02).all() or values.min() < 0:
        raise DataError("scores must be probabilities: finite, not negative, each row summing to 1")
    return truth, values
