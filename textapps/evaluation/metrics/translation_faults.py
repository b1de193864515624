"""Translations that are faulty in themselves: empty, too long or repeating."""

from collections.abc import Sequence
from typing import NamedTuple

from textapps.evaluation.metrics.lengths import words
from textapps.evaluation.metrics.translation import ScoredTranslations

TIMES_TOO_LONG, MORE = 2, 5  # tokens: a short reference may have a translation of twice its length


class Faults(NamedTuple):
    """The rows of faulty translations.

    Attributes:
        empty: translations without a word, if the reference has one.
        too_long: translations with more than twice as many tokens as the reference plus 5.
        repeating: translations in which a piece occurs three times in a row, as no piece does in
            the reference.
    """

    empty: tuple[int, ...]
    too_long: tuple[int, ...]
    repeating: tuple[int, ...]


def find_faults(scored: ScoredTranslations) -> Faults:
    """The faulty translations.

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
    """Whether a piece of any length occurs three times in a row."""
    for length in range(1, len(tokens) // 3 + 1):
        same = 0  # length of the current run of tokens equal to those `length` earlier
        for token, before in zip(tokens[length:], tokens, strict=False):
            same = same + 1 if token == before else 0
            if same == 2 * length:
                return True
    return False
