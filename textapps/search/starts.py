"""Which pretrained models are worth a trial: those that know the training texts."""

from collections.abc import Iterable
from typing import Any

import numpy as np
import numpy.typing as npt

from textapps.core.errors import RunError
from textapps.core.notices import muted, notice
from textapps.core.tokens import FIRST, UNK
from textapps.tasks.lender import tokens_by
from textapps.tasks.task import Task
from textapps.training.data_record import Examples

KNOWN_SHARE = 0.8  # of the tokens of the texts, which a start must have in its vocabulary
FREQUENT = 20  # tokens of a start, the most frequent ones of its own training texts,
USED_SHARE = 0.5  # of which the texts must have at least so many


def worth_trying(
    task: Task[Any, Any, Any, Any, Any, Any, Any], origins: Iterable[str], train: Examples
) -> list[str]:
    """Those of the models that know the training texts; a notice names each of the others.

    One that cannot be read stays, so that its trial says what is wrong with it.
    """
    found = []
    for origin in origins:
        try:
            with muted():  # long texts are told of where the data are encoded for training
                ids = tokens_by(task, origin, train)
        except RunError:
            ids = None
        if ids is None or not (why := foreign(ids)):
            found.append(origin)
        else:
            notice("%s is not tried as a start: %s", origin, why)
    return found


def foreign(ids: npt.NDArray[np.int32]) -> str:
    """Why texts are not in the language of a vocabulary, "" if they may be.

    The vocabulary of a Chinese model has Latin letters too, but its frequent tokens are others.

    Args:
        ids: of the tokens of the texts; the frequent tokens have the lowest ids.

    >>> foreign(np.arange(2, 50)), foreign(np.array([2, 1, 1, 1]))
    ('', 'it knows 25 % of the tokens of the training texts')
    """
    known = np.unique(ids[ids > UNK])
    share = float(np.mean(ids > UNK)) if len(ids) else 1.0
    if share < KNOWN_SHARE:
        return f"it knows {100 * share:.0f} % of the tokens of the training texts"
    frequent = min(FREQUENT, len(known))
    used = int(np.sum(known < FIRST + FREQUENT))
    if used < USED_SHARE * frequent:
        return (
            f"of another language, {used} of its {FREQUENT} most frequent tokens occur in the "
            "training texts"
        )
    return ""
