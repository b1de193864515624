"""Which parts of a grid of features a score comes from: one patch after the other is replaced."""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray


class Grid(NamedTuple):
    """The edges of patches, in frames and in features; both begin with 0."""

    columns: NDArray[np.int64]
    rows: NDArray[np.int64]

    @classmethod
    def over(cls, time: int, features: int, columns: int, rows: int) -> "Grid":
        """Patches of equal size, at most so many; those at the end may be smaller.

        >>> Grid.over(time=7, features=4, columns=3, rows=2)
        Grid(columns=array([0, 3, 6, 7]), rows=array([0, 2, 4]))
        """
        return cls(_edges(time, columns), _edges(features, rows))


def patch_occlusion(score: Callable[[Any], Any], features: Any, fill: Any, grid: Grid) -> Any:
    """By how much a score falls where a patch of the features is replaced.

    That is the occlusion of Zeiler and Fergus 2014 (section 4.2), of a spectrogram instead of a
    photograph. It runs in a graph, and `score` once for all patches.

    Args:
        score: float32[any, time, features] → float32[any]. No row may depend on another one.
        features: float32[batch, time, features].
        fill: what takes their place, of the same shape or broadcast to it.

    Returns:
        float32[batch, columns, rows] of the grid.
    """
    time, width = int(grid.columns[-1]), int(grid.rows[-1])
    covers = np.array(
        [
            _cover(time, first, last)[:, None] & _cover(width, low, high)
            for first, last in zip(grid.columns, grid.columns[1:], strict=False)
            for low, high in zip(grid.rows, grid.rows[1:], strict=False)
        ]
    )
    hidden = tf.where(tf.constant(covers)[None], fill[:, None], features[:, None])
    scores = score(tf.reshape(hidden, [-1, time, width]))
    shape = [-1, len(grid.columns) - 1, len(grid.rows) - 1]
    return score(features)[:, None, None] - tf.reshape(scores, shape)


def _edges(size: int, parts: int) -> NDArray[np.int64]:
    step = -(-size // parts)
    return np.append(np.arange(0, size, step), size)


def _cover(size: int, first: int, last: int) -> NDArray[np.bool_]:
    places = np.arange(size)
    return (first <= places) & (places < last)
