"""Batches as pure functions of (pass, step), padded on the right, from flat arrays."""

import copy
from collections.abc import Mapping
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from textapps.cache.mapped import MappedArray
from textapps.training.plan import Plan, shard

Batch = tuple[dict[str, NDArray[Any]], NDArray[Any], NDArray[np.float32]]


class BatchSource(Protocol):
    """The batches that `fit` trains and validates on.

    Attributes:
        worker, workers: the index of this share of each batch, and the number of shares. A batch
            that does not divide is padded with rows of weight 0, so all shares have the same size.
    """

    worker: int
    workers: int

    @property
    def steps_per_pass(self) -> int:
        """Steps in one pass over the examples."""

    def batch(self, pass_index: int, step: int) -> Batch:
        """(inputs by name, targets, float32 weights), the same for the same arguments.

        The weights have one value per target of the loss: [batch], or [batch, time] for streams.
        """

    @property
    def signature(self) -> Any:
        """The nested `tf.TensorSpec`s of a batch."""


def shard_of(source: BatchSource, worker: int, workers: int) -> BatchSource:
    """The same batches, with the share of `worker` out of `workers`."""
    share = copy.copy(source)
    share.worker, share.workers = worker, workers
    return share


class TextBatchSource:
    """Batches of labelled sequences of ids.

    Args:
        sequences: by input name, (int32[all], int64[texts + 1]): the concatenated ids of all texts,
            in memory or in a file, and the row splits; 0 is PAD.
        labels: int32[texts]; or float32[texts, classes], the probabilities of the classes.
        plan: the order of the batches.
        counts: how many texts of each class have each feature of a task, if that is known.
        worker, workers: index of this process and number of processes, for data parallelism.
    """

    def __init__(
        self,
        sequences: Mapping[str, tuple[NDArray[np.int32] | MappedArray, NDArray[np.int64]]],
        labels: NDArray[Any],
        plan: Plan,
        counts: NDArray[np.float64] | None = None,
        worker: int = 0,
        workers: int = 1,
    ) -> None:
        self.sequences: dict[str, tuple[Any, NDArray[np.int64]]] = dict(sequences)
        self.labels = labels
        self.plan = plan
        self.counts = counts
        self.worker = worker
        self.workers = workers

    @property
    def steps_per_pass(self) -> int:
        """Steps in one pass over the texts."""
        return self.plan.steps_per_pass

    def batch(self, pass_index: int, step: int) -> Batch:
        """({name: int32[batch, time]}, the labels of the batch, weights float32[batch]).

        `time` is the length of the longest sequence of the batch, and at least 1.
        """
        rows, weights = shard(self.plan.indices(pass_index, step), self.worker, self.workers)
        inputs = {name: padded(*ragged, rows) for name, ragged in self.sequences.items()}
        return inputs, self.labels[rows], weights

    @property
    def labels_of_pass(self) -> NDArray[np.int32]:
        """int32[texts of a pass], the likeliest; every pass has as many of each class."""
        steps = range(self.steps_per_pass)
        of_pass = np.concatenate([self.plan.indices(0, step) for step in steps])
        found = self.labels if self.labels.ndim == 1 else self.labels.argmax(axis=1)
        return np.asarray(found[of_pass], np.int32)

    @property
    def signature(self) -> Any:
        """The `tf.TensorSpec`s of a batch; imports TensorFlow."""
        import tensorflow as tf

        return (
            {name: tf.TensorSpec((None, None), tf.int32) for name in self.sequences},
            tf.TensorSpec((None, *self.labels.shape[1:]), self.labels.dtype),
            tf.TensorSpec((None,), tf.float32),
        )


def padded(
    values: NDArray[np.int32] | MappedArray,
    row_splits: NDArray[np.int64],
    rows: NDArray[np.int64],
    multiple: int = 1,
) -> NDArray[np.int32]:
    """Sequences `rows` as int32[rows, time], padded with 0 on the right.

    `time` is the longest length, at least 1, rounded up to a multiple of `multiple`.

    >>> padded(np.int32([5, 6, 7]), np.array([0, 1, 1, 3]), np.array([2, 0]), multiple=3)
    array([[6, 7, 0],
           [5, 0, 0]], dtype=int32)
    """
    starts = row_splits[rows]
    lengths = row_splits[rows + 1] - starts
    # A recurrent layer needs at least one position, even for a batch of empty texts.
    positions = np.arange(-(-max(1, lengths.max(initial=0)) // multiple) * multiple)
    valid = positions < lengths[:, None]
    result = np.zeros(valid.shape, np.int32)
    result[valid] = values[(starts[:, None] + positions)[valid]]
    return result
