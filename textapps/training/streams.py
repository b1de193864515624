"""Parallel streams over one long sequence, in chunks, for training with carried state."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from textapps.cache.mapped import MappedArray
from textapps.training.batches import Batch
from textapps.training.plan import shard


class StreamBatchSource:
    """Endless streams for truncated back-propagation through time (Williams and Peng 1990).

    Row i of a batch continues row i of the previous batch, so that state can be carried over. The
    sequence is a ring: the streams start at evenly spread positions and go round. In one pass each
    stream covers about the distance to the start of the next one. `start` is true only in the first
    batch of the run. A pass is a whole number of chunks, so the boundaries between chunks move from
    pass to pass.

    Args:
        ids: int[n], the sequence, in memory or in a file; n is at least 2.
        streams: rows of a batch.
        chunk: positions of a row.
        worker, workers: index and number of processes; this one takes streams worker::workers.
    """

    def __init__(
        self,
        ids: NDArray[np.int32] | MappedArray,
        streams: int,
        chunk: int,
        worker: int = 0,
        workers: int = 1,
    ) -> None:
        self.ids = ids
        self.chunk = chunk
        self.worker = worker
        self.workers = workers
        stride = len(ids) / streams
        self.steps_per_pass = max(1, int(stride / chunk))
        self._starts = (np.arange(streams) * stride).astype(np.int64)

    def batch(self, pass_index: int, step: int) -> Batch:
        """({"ids": int32[streams, chunk], "start": bool[streams]}, next ids, weights of 1)."""
        done = pass_index * self.steps_per_pass + step
        starts, weights = shard(self._starts, self.worker, self.workers)
        positions = (starts + done * self.chunk)[:, None] + np.arange(self.chunk + 1)
        window = self.ids[positions % len(self.ids)].astype(np.int32, copy=False)
        inputs = {"ids": window[:, :-1], "start": np.full(len(window), done == 0)}
        return inputs, window[:, 1:], np.repeat(weights[:, None], self.chunk, axis=1)

    @property
    def signature(self) -> Any:
        """The `tf.TensorSpec`s of a batch; imports TensorFlow."""
        return _signature(-(-len(self._starts) // self.workers), self.chunk)


class ScoringBatchSource:
    """Every position of a sequence once, given the preceding ones: for evaluation.

    The sequence is cut into `streams` equal pieces that are read side by side. Each piece but the
    first starts `lead` positions early, with weight 0, so that its first positions have a context
    too. Positions beyond the end have weight 0. The other weights are equal, and the mean of all
    weights is 1, so that a weighted mean over all positions is a mean over the evaluated ones.

    Args:
        ids: int[n + 1], in memory or in a file; the first is the context of the n others, which
            are evaluated.
        streams, chunk: as in `StreamBatchSource`.
        lead: positions.
        worker, workers: as in `StreamBatchSource`.
    """

    def __init__(
        self,
        ids: NDArray[np.int32] | MappedArray,
        streams: int,
        chunk: int,
        lead: int,
        worker: int = 0,
        workers: int = 1,
    ) -> None:
        self.ids = ids
        self.chunk = chunk
        self.worker = worker
        self.workers = workers
        evaluated = len(ids) - 1
        piece = -(-evaluated // streams)
        self._from = np.minimum(np.arange(streams) * piece, evaluated)
        self._to = np.minimum(self._from + piece, evaluated)
        self._starts = np.maximum(self._from - lead, 0)
        self.steps_per_pass = -(-int((self._to - self._starts).max()) // chunk)
        self._weight = self.steps_per_pass * chunk * streams / evaluated

    def batch(self, pass_index: int, step: int) -> Batch:
        """As `StreamBatchSource.batch`; `start` is true in the first batch of the pass."""
        rows, weights = shard(np.arange(len(self._starts)), self.worker, self.workers)
        positions = (self._starts[rows] + step * self.chunk)[:, None] + np.arange(self.chunk)
        evaluated = (positions >= self._from[rows, None]) & (positions < self._to[rows, None])
        here = np.minimum(positions, len(self.ids) - 2)
        given, following = (self.ids[at].astype(np.int32, copy=False) for at in (here, here + 1))
        inputs = {"ids": given, "start": np.full(len(here), step == 0)}
        return inputs, following, np.float32(self._weight) * evaluated * weights[:, None]

    def in_order(self, values: NDArray[np.float32]) -> NDArray[np.float32]:
        """Reorders values of all batches, [streams, steps · chunk], to float32[n]."""
        rows = zip(values, self._starts, self._from, self._to, strict=True)
        return np.concatenate([row[a - s : b - s] for row, s, a, b in rows])

    @property
    def signature(self) -> Any:
        """The `tf.TensorSpec`s of a batch; imports TensorFlow."""
        return _signature(-(-len(self._starts) // self.workers), self.chunk)


def _signature(streams: int, chunk: int) -> Any:
    """Has fixed sizes, because all batches are equal; shapes are then known in the graph."""
    import tensorflow as tf

    return (
        {
            "ids": tf.TensorSpec((streams, chunk), tf.int32),
            "start": tf.TensorSpec((streams,), tf.bool),
        },
        tf.TensorSpec((streams, chunk), tf.int32),
        tf.TensorSpec((streams, chunk), tf.float32),
    )
