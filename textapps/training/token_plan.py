"""Batches of sentences of similar length with about the same number of tokens."""

from typing import Any

import numpy as np

from textapps.training.plan import Indices


class TokenPlan:
    """Batches of as many examples as fit into `batch_tokens`; every example once in each pass.

    A batch of n examples, the longest of which has m tokens, has n · m tokens, padding included,
    which is at most `batch_tokens` unless the batch is a single example. Batch boundaries depend
    only on the sorted lengths, so every pass has the same number of steps. The order of examples of
    the same length, and the order of the batches, are drawn anew in each pass, by raw PCG64 draws
    as in `LengthGroupedPlan`.

    Args:
        lengths: int[examples].
        batch_tokens: at least 1.
        seed: None for a fixed order, shortest first, as for validation.

    >>> plan = TokenPlan([3, 1, 2, 2, 9], batch_tokens=6, seed=None)
    >>> [plan.indices(0, step).tolist() for step in range(plan.steps_per_pass)]
    [[1, 2, 3], [0], [4]]
    """

    def __init__(self, lengths: Any, batch_tokens: int, seed: int | None) -> None:
        self.lengths = np.asarray(lengths, np.int64)
        self.seed = seed
        self._starts = _starts(np.sort(self.lengths).tolist(), batch_tokens)
        self.steps_per_pass = len(self._starts) - 1
        self._order_of_pass: tuple[int, Indices, Indices] | None = None

    def indices(self, pass_index: int, step: int) -> Indices:
        """int64[examples of the batch]: the rows of step `step` of pass `pass_index`."""
        if self._order_of_pass is None or self._order_of_pass[0] != pass_index:
            self._order_of_pass = (pass_index, *self._order(pass_index))
        _, examples, batches = self._order_of_pass
        return examples[self._starts[batches[step]] : self._starts[batches[step] + 1]]

    def _order(self, pass_index: int) -> tuple[Indices, Indices]:
        if self.seed is None:
            return np.argsort(self.lengths, kind="stable"), np.arange(self.steps_per_pass)
        draws = np.random.PCG64(np.random.SeedSequence((self.seed, pass_index)))
        shuffled = np.argsort(draws.random_raw(len(self.lengths)), kind="stable")
        # Stable too, so examples of the same length stay in random order.
        examples = shuffled[np.argsort(self.lengths[shuffled], kind="stable")]
        return examples, np.argsort(draws.random_raw(self.steps_per_pass), kind="stable")


def _starts(rising: list[int], batch_tokens: int) -> list[int]:
    """The starts of the batches among examples sorted by length, and the end of the last one."""
    starts = [0]
    for place, longest in enumerate(rising):
        if place > starts[-1] and (place + 1 - starts[-1]) * longest > batch_tokens:
            starts.append(place)
    return [*starts, len(rising)] if rising else starts
