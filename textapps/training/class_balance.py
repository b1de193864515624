"""Unequal classes: how much an example counts in the loss, and how often a pass uses it."""

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from textapps.training.plan import Indices


def balanced_weights(labels: NDArray[np.int32], classes: int) -> NDArray[np.float32]:
    """float32[classes]: n / (k · n_c) for class c, where k of the classes have examples.

    The mean over the examples is 1, so a learning rate keeps its meaning. A class without examples
    has the weight 0.

    Args:
        labels: int32[n], of the examples of a pass.

    >>> [round(float(each), 3) for each in balanced_weights(np.int32([0, 0, 0, 2]), classes=3)]
    [0.667, 0.0, 2.0]
    """
    counts = np.bincount(labels, minlength=classes)
    weights = len(labels) / (np.count_nonzero(counts) * np.maximum(counts, 1))
    return np.where(counts, weights, 0).astype(np.float32)


def oversampled(
    labels: NDArray[np.int32], classes: Iterable[int], most: int, pass_index: int
) -> Indices:
    """int64[more]: the examples that a pass uses in addition to using each one once.

    A class gets as many as the largest has, or `most` times its own number. Each pass takes the
    next ones, so that in the long run all examples of a class are used equally often.

    Args:
        labels: int32[examples].
        classes: those that may be repeated, and among which the largest is sought.

    >>> [oversampled(np.int32([0, 0, 0, 1, 1]), (0, 1), 9, number).tolist() for number in (0, 1)]
    [[3], [4]]
    """
    members = [np.flatnonzero(labels == label) for label in classes]
    largest = max(map(len, members))
    more = [min(largest, most * len(own)) - len(own) for own in members]
    return np.concatenate(
        [
            own[(pass_index * count + np.arange(count)) % max(len(own), 1)]
            for own, count in zip(members, more, strict=True)
        ]
    )
