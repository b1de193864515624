"""How many sounds that are no command are taken for one, against how many commands are recognised.

`labels` is int[n] and `scores` float[n, classes], probabilities, as in speech.py.
"""

from collections.abc import Collection, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from textapps.core.errors import DataError

UNKNOWN = "unknown"
Floats = npt.NDArray[np.float64]


class RejectionCurve(NamedTuple):
    """float64[points] each, by rising threshold.

    thresholds     on the margin of the best command above `unknown`, in nats; the first is -inf
    false_accepts  share of the clips of unknown words with a margin above it
    recall         share of the clips of commands that have it, and whose best command is right
    """

    thresholds: Floats
    false_accepts: Floats
    recall: Floats


def margins(logits: npt.ArrayLike, label_names: Sequence[str], commands: Collection[str]) -> Floats:
    """float64[n]: the log-odds of the most likely command against `unknown`.

    It is -inf where a class that is neither, such as silence, is more likely than the command:
    that is no command whatever the threshold.

    Args:
        logits: float[n, classes], or the logarithms of their probabilities.

    >>> margins(np.log([[0.5, 0.25, 0.25]]), ["go", "no", "unknown"], ["go", "no"]).round(3)
    array([0.693])
    """
    values, names = np.asarray(logits, np.float64), np.array(label_names)
    of_commands = np.isin(names, list(commands))
    best = values[:, of_commands].max(axis=1)
    others = values[:, ~of_commands & (names != UNKNOWN)].max(axis=1, initial=-np.inf)
    found: Floats = best - values[:, list(label_names).index(UNKNOWN)]
    return np.where(others > best, -np.inf, found)


def threshold_for(values: npt.ArrayLike, share: float) -> float:
    """The least threshold that no more than this share of the values is above.

    It lies half-way to the next value, so that rounding changes nothing.

    Raises:
        DataError: there are no values.

    >>> threshold_for([0.1, 0.2, 0.3, 0.5], 0.25)
    0.4
    >>> threshold_for([0.1, 0.2], 0.25)
    0.2
    """
    ordered = np.sort(np.asarray(values, np.float64))
    if not len(ordered):
        raise DataError("there is no clip of other words to choose a threshold on")
    last = len(ordered) - 1 - int(share * len(ordered))  # the largest that is rejected
    above = ordered[last + 1] if last + 1 < len(ordered) else ordered[last]
    return float((ordered[last] + above) / 2)


def rejection_curve(
    labels: npt.ArrayLike,
    scores: npt.ArrayLike,
    label_names: Sequence[str],
    *,
    commands: Collection[str],
) -> RejectionCurve | None:
    """The curve over all thresholds; None without clips of unknown words or of commands."""
    truth, values = np.asarray(labels), np.asarray(scores, np.float64)
    names = list(label_names)
    if UNKNOWN not in names:
        return None
    margin = margins(np.log(np.maximum(values, np.finfo(np.float32).tiny)), names, commands)
    columns = [place for place, name in enumerate(names) if name in commands]
    best = np.array(columns)[np.argmax(values[:, columns], axis=1)]
    other = np.sort(margin[truth == names.index(UNKNOWN)])
    is_command = np.isin(truth, columns)
    right = np.sort(margin[is_command & (best == truth)])
    if not len(other) or not is_command.any():
        return None
    thresholds = np.unique([-np.inf, *margin])
    above = (len(each) - np.searchsorted(each, thresholds, side="right") for each in (other, right))
    accepted, recognised = above
    return RejectionCurve(thresholds, accepted / len(other), recognised / int(is_command.sum()))
