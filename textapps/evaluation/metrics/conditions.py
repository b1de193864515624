"""The accuracy on the same clips as poor devices and rooms give them."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy.typing as npt

from textapps.evaluation.metrics.speech import compared_with_clean


class ConditionRow(NamedTuple):
    """The accuracy in a condition, and the loss against the clips as they are.

    low and high are the 95 % interval of the accuracy, loss_low and loss_high of the loss.
    """

    name: str
    accuracy: float
    low: float
    high: float
    loss: float
    loss_low: float
    loss_high: float


def accuracy_in_conditions(
    labels: npt.ArrayLike,
    scores: npt.ArrayLike,
    changed: Mapping[str, npt.ArrayLike],
    *,
    seed: int = 0,
) -> list[ConditionRow]:
    """The accuracy in each condition.

    Args:
        labels: int[n], the true classes.
        scores: float[n, classes], of the clips as they are.
        changed: by the name of a condition, the scores of the same clips in it.

    Raises:
        DataError: the numbers of clips differ.
    """
    return [
        ConditionRow(name, *compared_with_clean(labels, scores, values, f"{name}:", seed))
        for name, values in changed.items()
    ]


def condition_metrics(rows: Sequence[ConditionRow]) -> dict[str, float]:
    """accuracy_<name> of each row, with `_low` and `_high`.

    >>> condition_metrics([ConditionRow("8_khz", 0.9, 0.8, 0.95, 0.02, 0.0, 0.04)])
    {'accuracy_8_khz': 0.9, 'accuracy_8_khz_low': 0.8, 'accuracy_8_khz_high': 0.95}
    """
    metrics = {}
    for row in rows:
        name = f"accuracy_{row.name}"
        metrics[name] = row.accuracy
        metrics[f"{name}_low"], metrics[f"{name}_high"] = row.low, row.high
    return metrics
