"""What a task says of a run for a comparison with others on the same examples."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from textapps.evaluation.metrics.differences import Pair, Scored

Ask = Callable[[int], object]
"""Answers so many inputs, of those that all runs get."""
KnownTests = Mapping[tuple[str, Pair], float]
"""p-values by metric and pair of runs."""
ASKED = 64  # inputs, of which the first alone is answered too


@dataclass(frozen=True, kw_only=True)
class Answered:
    """The answers of a run to the examples of a split.

    identity: the same for all runs that answer the same examples.
    metrics: with `<name>_low` and `<name>_high`.
    scored: the metrics of resampled examples.
    merit: float64[items], how good each answer is, more is better; 1 and 0 for right and wrong if
        `exact`. Items are examples, or passages of a text.
    exact: whether an answer is right or wrong, and not only better or worse.
    noun: what an item is called.
    item: the lines of an item that are the same for all runs, by name; "" is what heads them.
    told: the answer of this run to an item, in a line.
    asked: what these are.
    note: what a reader should know, "" for nothing.
    """

    identity: str
    metrics: Mapping[str, float]
    scored: Scored
    merit: NDArray[np.float64]
    exact: bool
    noun: str
    item: Callable[[int], Mapping[str, str]]
    told: Callable[[int], str]
    ask: Ask
    asked: str
    note: str = ""


def spread(examples: int, count: int = ASKED) -> NDArray[np.int64]:
    """`count` rows over all examples, the same ones for every run; some twice if there are few.

    >>> spread(3, 5).tolist(), spread(9, 3).tolist()
    ([0, 0, 1, 1, 2], [0, 3, 6])
    """
    return np.arange(count) * examples // count


def in_order_of(
    scores: NDArray[np.float32], own: tuple[str, ...], wanted: tuple[str, ...]
) -> NDArray[np.float32]:
    """float32[examples, labels], with the columns of the labels `own` in the order of `wanted`.

    >>> in_order_of(np.array([[0.1, 0.9]]), ("a", "b"), ("b", "a"))
    array([[0.9, 0.1]])
    """
    return scores[:, [own.index(label) for label in wanted]]
