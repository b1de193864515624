"""Two classes told apart by a threshold on the score of the second, in place of the larger score.

`labels` is int[n], `scores` float[n, classes], as in classification.py.
"""

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from textapps.core.errors import DataError

Floats = npt.NDArray[np.float64]
UNDECIDED = 0.5  # where two scores are equal


class Choice(NamedTuple):
    """A threshold, and the macro F1 with it and with the larger score on the same examples."""

    threshold: float
    macro_f1: float
    without: float


class PrecisionRecall(NamedTuple):
    """float64[points] each, by rising threshold: precision and recall of the second class."""

    thresholds: Floats
    precision: Floats
    recall: Floats


def predicted(scores: npt.ArrayLike, threshold: float | None = None) -> npt.NDArray[np.int64]:
    """int64[n]: the class with the highest score, the first of equal ones.

    With a threshold it is the second of two classes where its score is not below it.

    >>> scores = [[0.6, 0.4], [0.7, 0.3]]
    >>> predicted(scores).tolist(), predicted(scores, 0.4).tolist()
    ([0, 0], [1, 0])
    """
    values = np.asarray(scores)
    if threshold is None:
        largest: npt.NDArray[np.int64] = np.argmax(values, axis=1)
        return largest
    # As float32, like the scores of a model and the constant in its graph.
    second: npt.NDArray[Any] = values[:, 1].astype(np.float32) >= np.float32(threshold)
    return second.astype(np.int64)


def best_threshold(labels: npt.ArrayLike, scores: npt.ArrayLike) -> Choice:
    """The threshold with the highest macro F1, of equal ones the nearest to 0.5.

    Thresholds lie half-way between neighbouring scores, or beyond the outermost ones.

    Raises:
        DataError: the examples are all of one class.

    >>> best_threshold([0, 0, 1, 1], [[0.9, 0.1], [0.8, 0.2], [0.7, 0.3], [0.4, 0.6]])
    Choice(threshold=0.25, macro_f1=1.0, without=0.7333333333333334)
    """
    truth, second = np.asarray(labels), np.asarray(scores, np.float32)[:, 1]
    if len(set(truth.tolist())) < 2:
        raise DataError("a threshold needs examples of both classes to be chosen on")
    distinct = np.unique(
        np.append(second, np.array([0, 1], np.float32))
    )  # so that one class may be all
    low, high = distinct[:-1], distinct[1:]
    between = np.float32(0.5) * (low + high)
    # Between neighbouring float32 numbers there is none: the threshold is then the upper one.
    candidates = np.append(np.where(between > low, between, high), np.float32(UNDECIDED))
    candidates = np.unique(candidates)
    quality = _macro_f1(truth, second, candidates)
    best = np.flatnonzero(quality >= quality.max() - 1e-12)
    nearest = best[np.argmin(np.abs(candidates[best] - UNDECIDED))]
    plain = predicted(scores)
    without = _macro_f1(truth, plain.astype(np.float32), np.array([UNDECIDED]))
    return Choice(float(candidates[nearest]), float(quality[nearest]), float(without[0]))


def precision_recall(labels: npt.ArrayLike, scores: npt.ArrayLike) -> PrecisionRecall:
    """Of each distinct score of the second class as the threshold."""
    truth, second = np.asarray(labels), np.asarray(scores, np.float32)[:, 1]
    thresholds = np.unique(second)
    hits, alarms = _at_least(truth, second, thresholds)
    return PrecisionRecall(
        thresholds.astype(np.float64),
        hits / (hits + alarms),
        hits / max(1, int(np.sum(truth == 1))),
    )


def _macro_f1(truth: npt.NDArray[Any], second: npt.NDArray[Any], at: npt.NDArray[Any]) -> Floats:
    """float64[thresholds]."""
    hits, alarms = _at_least(truth, second, at)
    positives = int(np.sum(truth == 1))
    misses, rejected = positives - hits, len(truth) - positives - alarms
    errors = misses + alarms
    return (2 * hits / (2 * hits + errors) + 2 * rejected / (2 * rejected + errors)) / 2


def _at_least(
    truth: npt.NDArray[Any], second: npt.NDArray[Any], at: npt.NDArray[Any]
) -> tuple[Floats, Floats]:
    """float64[thresholds] each: the examples of the second class, of the first, not below it."""
    counts = []
    for label in (1, 0):
        own = np.sort(second[truth == label])
        counts.append((len(own) - np.searchsorted(own, at, side="left")).astype(np.float64))
    return counts[0], counts[1]
