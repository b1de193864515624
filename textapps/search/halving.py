"""Asynchronous successive halving (Li et al. 2020, "A System for Massively Parallel Hyperparameter
Tuning", section 3.2): of the trials that have come to a rung, the best third goes on to the next,
and of fewer than three the best.
"""

from collections.abc import Collection, Mapping, Sequence

REDUCTION = 3
LOWER_RUNGS = 2  # before the end of a training: after a ninth and after a third of it


def rungs(total_steps: int, interval: int) -> tuple[int, ...]:
    """The steps at which a training is compared with others, the last of which is its end.

    They are ends of intervals, because that is where a validation is, and never the same twice: a
    training of few intervals has fewer rungs of its own.

    >>> rungs(900, 10), rungs(48, 16), rungs(16, 16), rungs(50, 20)
    ((100, 300, 900), (16, 48), (16,), (20, 50))
    """
    intervals = -(-total_steps // interval)
    found = []
    for power in range(LOWER_RUNGS, -1, -1):
        ends = -(-intervals // REDUCTION**power)
        found.append(min(ends * interval, total_steps))
    return tuple(dict.fromkeys(found))


def shares(steps: Sequence[int]) -> tuple[int, ...]:
    """The number of each rung, counted from the first to the last: `LOWER_RUNGS` is the end.

    A training of few intervals leaves out the lowest rungs, which would be the same as a later one.

    >>> shares((100, 300, 900)), shares((16, 48)), shares((16,))
    ((0, 1, 2), (1, 2), (2,))
    """
    return tuple(range(LOWER_RUNGS + 1 - len(steps), LOWER_RUNGS + 1))


def promotable(scores: Mapping[int, float], promoted: Collection[int]) -> list[int]:
    """The trials that may go on from a rung, the best first.

    Args:
        scores: by trial, of all that have come to the rung; more is better.
        promoted: those that have gone on already.

    >>> promotable({0: 0.5, 1: 0.9, 2: 0.7}, {}), promotable({0: 0.5, 1: 0.4}, {0})
    ([1], [])
    >>> promotable({0: 0.5, 1: 0.9, 2: 0.7, 3: 0.8, 4: 0.1, 5: 0.2}, {1})
    [3]
    """
    order = sorted(scores, key=lambda trial: (-scores[trial], trial))
    best = order[: max(1, len(order) // REDUCTION)]
    return [trial for trial in best if trial not in promoted]
