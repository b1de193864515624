"""Answers of a translator that are wrong whatever the reference says: none, no end, or a loop."""

from collections.abc import Sequence
from typing import NamedTuple

from textapps.evaluation.metrics.lengths import words
from textapps.evaluation.metrics.translation import ScoredTranslations

TIMES_TOO_LONG, MORE = 2, 5  # tokens: a short reference may well be said in twice as many


class Faults(NamedTuple):
    """The rows of faulty answers.

    Attributes:
        empty: answers without a word, where the reference has one.
        too_long: answers of more than twice as many tokens as the reference, and 5.
        repeating: answers in which a piece stands three times running, as in no part of the
            reference.
    """

    empty: tuple[int, ...]
    too_long: tuple[int, ...]
    repeating: tuple[int, ...]


def find_faults(scored: ScoredTranslations) -> Faults:
    """The faulty answers among all.

    >>> answers = ["", "a a a", "a b a b a b c", "no no no", "a b a b", "so " * 8]
    >>> references = ["x", "a", "a b c", "no no no !", "a b", "so"]
    >>> tuple(find_faults(ScoredTranslations(answers, references)))
    ((0,), (5,), (1, 2, 5))
    """
    pairs = [
        (words(answer), words(reference))
        for answer, reference in zip(scored.answers, scored.references, strict=True)
    ]
    lengths = scored.lengths.tolist()
    return Faults(
        tuple(i for i, (answer, reference) in enumerate(pairs) if reference and not answer),
        tuple(i for i, (n, wanted) in enumerate(lengths) if n > TIMES_TOO_LONG * wanted + MORE),
        tuple(i for i, pair in enumerate(pairs) if _loops(pair[0]) and not _loops(pair[1])),
    )


def _loops(tokens: Sequence[str]) -> bool:
    """Whether a piece of any length stands three times running."""
    for length in range(1, len(tokens) // 3 + 1):
        same = 0  # how many tokens running are what stood `length` before
        for token, before in zip(tokens[length:], tokens, strict=False):
            same = same + 1 if token == before else 0
            if same == 2 * length:
                return True
    return False
