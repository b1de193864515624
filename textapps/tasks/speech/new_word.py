"""The row of the last layer that recognises a new word, from a few recordings of it."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import expit, logsumexp

from textapps.core.errors import DataError
from textapps.tasks.speech.negatives import KINDS, Embedded, Floats, Negatives

RIGIDITY = 0.001  # weight of a row's squared length beside the mean losses; 0.0003 to 0.003 alike
SURE = 0.01  # the share of clips of commands, and of silence, that a new word may take at most
# On Speech Commands, a recording that is this far from the rest, in nats, is one of ten of its own
# word and nine of ten of other words.
FAR = -3.0
# A cosine to the rest below this, of a recording in which a command is heard surely, has one of
# 1,700 recordings of the word and three of four of commands.
APART, SURELY = 0.15, 0.8
_ROUNDING = 1e-4  # of logits in another order of sums
OTHER_WORDS = KINDS[0]
LOGGER = logging.getLogger("textapps")


class WordRow(NamedTuple):
    """kernel float32[pooled], bias: the logit of a word is kernel · embedding + bias."""

    kernel: Floats
    bias: float

    def margins(self, of: Embedded) -> Floats:
        """float32[n]: how far the logit of the word is above the largest other one."""
        found: Floats = of.embeddings @ self.kernel + self.bias - of.logits.max(axis=1)
        return found


@dataclass(frozen=True)
class Learned:
    """A row; `recognised` and `false_accepts` as in `AddedWord`."""

    row: WordRow
    recognised: int
    false_accepts: Mapping[str, tuple[int, int]]


def learn_word(
    word: str,
    places: Sequence[str],
    positives: Embedded,
    negatives: Negatives,
    false_accepts: float,
    heard: Sequence[str] = (),
) -> Learned:
    """Learns the row of a word.

    1) Fit the row by the cross-entropy of "this word or not" on the varied recordings and the
    negatives of the training split, beside the other logits, which stay as they are. 2) Shift its
    bias so that no more than the wanted shares of the negatives are taken for the word. 3) Do both
    without each recording in turn, and see whether that one is recognised.

    Args:
        places: the names of the recordings in messages.
        positives: of each recording as many versions, the first of which is the recording itself.
        negatives: of the training and of the validation split.
        false_accepts: the share of clips of other words that may be taken for the word.
        heard: the command that the run surely hears in each recording, '' for none.

    Raises:
        DataError: a recording is of a command, and the rest are not.
    """
    versions = len(positives) // len(places)
    of = np.repeat(np.arange(len(places)), versions)
    train, validation = negatives
    margins = []
    for place in range(len(places)):
        rest = positives.rows(of != place)
        row = _calibrated(fitted(rest, train), negatives, false_accepts)
        margins.append(float(row.margins(positives.rows(of == place))[0]))
    _refuse_others(word, places, positives.embeddings[::versions], train, margins, heard)
    row = _calibrated(fitted(positives, train), negatives, false_accepts)
    taken = row.margins(validation) > 0
    kinds = {kind: validation.kinds == kind for kind in KINDS}
    return Learned(
        row,
        sum(margin > 0 for margin in margins),
        {
            kind: (int(taken[members].sum()), int(members.sum()))
            for kind, members in kinds.items()
            if members.any()
        },
    )


def _refuse_others(
    word: str,
    places: Sequence[str],
    embeddings: Floats,
    negatives: Embedded,
    margins: Sequence[float],
    heard: Sequence[str],
) -> None:
    """DataError for a recording of a command among others; a warning for one unlike the rest."""
    centred = embeddings - negatives.embeddings.mean(axis=0)
    centred /= np.linalg.norm(centred, axis=1, keepdims=True)
    together = centred.sum(axis=0)
    for number, (place, margin) in enumerate(zip(places, margins, strict=True)):
        rest = together - centred[number]
        cosine = float(centred[number] @ rest / np.linalg.norm(rest))
        command = heard[number] if heard else ""
        alone = command and list(heard).count(command) <= len(places) // 2
        if alone and margin < 0 and cosine < APART:
            raise DataError(
                f"{place}: heard as '{command}', unlike the other recordings of '{word}': leave "
                "it out, or record it again"
            )
        if margin < FAR:
            LOGGER.warning(
                "%s: unlike the other recordings of '%s': listen to it, and leave it out if "
                "another word is said",
                place,
                word,
            )


def fitted(positives: Embedded, negatives: Embedded) -> WordRow:
    """The row with the least cross-entropy, in which both sides weigh the same."""
    both = np.concatenate([positives.embeddings, negatives.embeddings]).astype(np.float64)
    logits = np.concatenate([positives.logits, negatives.logits]).astype(np.float64)
    others = logsumexp(logits, axis=1)
    sign = np.repeat([1.0, -1.0], [len(positives), len(negatives)])
    weights = np.repeat([1 / len(positives), 1 / len(negatives)], [len(positives), len(negatives)])

    def loss(values: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        kernel, bias = values[:-1], values[-1]
        wrong = -sign * (both @ kernel + bias - others)
        gradient = -sign * weights * expit(wrong)
        total = weights @ np.logaddexp(0, wrong) + RIGIDITY / 2 * kernel @ kernel
        return float(total), np.append(both.T @ gradient + RIGIDITY * kernel, gradient.sum())

    found = minimize(loss, np.zeros(both.shape[1] + 1), jac=True, method="L-BFGS-B")
    return WordRow(found.x[:-1].astype(np.float32), float(found.x[-1]))


def _calibrated(row: WordRow, negatives: Negatives, false_accepts: float) -> WordRow:
    """The same with the largest bias that takes no more of the negatives than may be.

    The other words of both splits count: those of the validation split alone are few.
    """
    train, validation = negatives
    margins = {kind: row.margins(validation.rows(validation.kinds == kind)) for kind in KINDS}
    others = row.margins(train.rows(train.kinds == OTHER_WORDS))
    margins[OTHER_WORDS] = np.concatenate([margins[OTHER_WORDS], others])
    most = max(
        threshold_above(values, false_accepts if kind == OTHER_WORDS else SURE)
        for kind, values in margins.items()
    )
    return row._replace(bias=row.bias - most - _ROUNDING)


def threshold_above(scores: NDArray[np.floating], share: float) -> float:
    """The least threshold that at most this share of the scores is above; -inf without scores.

    >>> threshold_above(np.array([0.1, 0.4, 0.2, 0.3]), 0.25)
    0.3
    """
    if not len(scores):
        return -np.inf
    return float(np.sort(scores)[len(scores) - 1 - int(share * len(scores))])
