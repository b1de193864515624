"""The examples of each batch, as pure functions of (seed, pass, step) instead of iterators."""

from collections.abc import Callable
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

Indices = NDArray[np.int64]


class Plan(Protocol):
    """An order of batches."""

    steps_per_pass: int

    def indices(self, pass_index: int, step: int) -> Indices:
        """int64[examples of the batch]: the rows of step `step` of pass `pass_index`."""


class LengthGroupedPlan:
    """Shuffled batches of examples of similar length; by default every example once in each pass.

    In each pass a random order is divided into pools of `pool` batches. Each pool is sorted by
    length and divided into batches, and the batches are shuffled. A larger pool needs less padding,
    a smaller one mixes more. Random numbers are raw PCG64 draws, whose stream NumPy never changes
    (NEP 19), so a run resumed on another machine or version sees the same batches.

    Args:
        lengths: int[examples].
        of_pass: the examples of a pass, int64[as many in every pass], some of them repeated; None:
            all examples.

    >>> plan = LengthGroupedPlan([5, 1, 9, 2, 7], batch_size=2, seed=0)
    >>> sorted(i for step in range(3) for i in plan.indices(0, step).tolist())
    [0, 1, 2, 3, 4]
    """

    def __init__(
        self,
        lengths: Any,
        batch_size: int,
        seed: int,
        pool: int = 100,
        of_pass: Callable[[int], Indices] | None = None,
    ) -> None:
        self.lengths = np.asarray(lengths, np.int64)
        self._of_pass = of_pass or (lambda _: np.arange(len(self.lengths)))
        self.batch_size = batch_size
        self.seed = seed
        self.pool = pool
        self.steps_per_pass = -(-len(self._of_pass(0)) // batch_size)
        self._order_of_pass: tuple[int, Indices, Indices] | None = None

    def indices(self, pass_index: int, step: int) -> Indices:
        """int64[<= batch_size]: the rows of step `step` of pass `pass_index`."""
        if self._order_of_pass is None or self._order_of_pass[0] != pass_index:
            self._order_of_pass = (pass_index, *self._order(pass_index))
        _, examples, batches = self._order_of_pass
        start = batches[step] * self.batch_size
        return examples[start : start + self.batch_size]

    def _order(self, pass_index: int) -> tuple[Indices, Indices]:
        draws = np.random.PCG64(np.random.SeedSequence((self.seed, pass_index)))
        members = self._of_pass(pass_index)
        shuffled = members[np.argsort(draws.random_raw(len(members)), kind="stable")]
        pools = np.arange(len(members)) // (self.pool * self.batch_size)
        # lexsort is stable, so examples of the same length stay in random order.
        examples = shuffled[np.lexsort((self.lengths[shuffled], pools))]
        return examples, np.argsort(draws.random_raw(self.steps_per_pass), kind="stable")


class SequentialPlan:
    """Every example once, shortest first, the same in every pass: for evaluation.

    `order` is int64[examples]; `inverse[i]` is the position of example i in it, so
    `results_in_batch_order[plan.inverse]` gives the results in the order of the examples.
    """

    def __init__(self, lengths: Any, batch_size: int) -> None:
        self.batch_size = batch_size
        self.order: Indices = np.argsort(np.asarray(lengths, np.int64), kind="stable")
        self.inverse: Indices = np.argsort(self.order, kind="stable")
        self.steps_per_pass = -(-len(self.order) // batch_size)

    def indices(self, pass_index: int, step: int) -> Indices:
        """int64[<= batch_size]: the rows of step `step`; the pass does not matter."""
        return self.order[step * self.batch_size : (step + 1) * self.batch_size]


def shard(indices: Indices, worker: int, workers: int) -> tuple[Indices, NDArray[np.float32]]:
    """Rows worker::workers of a global batch, and their float32 weights.

    Every worker gets the same number of rows: a batch that does not divide is padded with its first
    example, at weight 0.

    >>> shard(np.array([7, 8, 9]), worker=1, workers=2)
    (array([8, 7]), array([1., 0.], dtype=float32))
    """
    own = indices[worker::workers]
    missing = -(-len(indices) // workers) - len(own)
    weights = np.repeat(np.array([1, 0], np.float32), [len(own), missing])
    return np.concatenate([own, np.repeat(indices[:1], missing)]), weights
