"""Occlusion of tokens, and which of two attributions to believe."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Ids = NDArray[np.int32]
Floats = NDArray[np.float64]
Score = Callable[[Ids], Floats]

POINTS = 11  # of a deletion curve


def occlusion(score: Score, ids: Ids, unknown: int) -> Floats:
    """By how much a score falls where one token is not known (Zeiler and Fergus 2014, section 4.2).

    Args:
        score: int32[rows, time] → float[rows].
        ids: int32[time].
        unknown: the id that takes the place of a token.

    Returns:
        float64[time].

    >>> weights = np.array([0.0, 0.0, 3.0, -1.0])  # by id
    >>> occlusion(lambda rows: weights[rows].sum(axis=1), np.array([2, 3, 2]), unknown=1).tolist()
    [3.0, -1.0, 3.0]
    """
    rows = np.tile(ids, (len(ids) + 1, 1))
    rows[np.arange(len(ids)), np.arange(len(ids))] = unknown
    scores = np.asarray(score(rows), np.float64)
    falls: Floats = scores[-1] - scores[:-1]
    return falls


def deletion_curve(score: Score, ids: Ids, order: NDArray[np.int64], unknown: int) -> Floats:
    """The score of a text from which more and more tokens are deleted.

    Deletion as in Petsiuk, Das and Saenko 2018 (section 3.2): what a score rests on is to be gone
    first. An order that makes it fall sooner knows better which tokens these are.

    Args:
        score, ids, unknown: as in `occlusion`.
        order: int64[time], the tokens, the one that is deleted first at the beginning.

    Returns:
        float64[POINTS], with from none to all of the tokens deleted, evenly spaced.
    """
    counts = np.linspace(0, len(ids), POINTS).round().astype(int)
    rows = np.tile(ids, (POINTS, 1))
    for row, count in zip(rows, counts, strict=True):
        row[order[:count]] = unknown
    return np.asarray(score(rows), np.float64)


def area_under(curve: Floats) -> float:
    """The mean of a curve between its points: the lower, the sooner the score has fallen.

    >>> area_under(np.array([4.0, 2.0, 0.0]))
    2.0
    """
    return float(np.mean((curve[1:] + curve[:-1]) / 2))
