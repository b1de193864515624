"""Why a text has its label, as Python values."""

from collections.abc import Mapping
from typing import Any, NamedTuple, Self


class Word(NamedTuple):
    """A word as the model reads it; `text[begin:end]` is where it stands, `share` what it adds."""

    token: str
    begin: int
    end: int
    share: float


class Explanation(NamedTuple):
    """The share of each word in the log-odds of a label.

    difference: the log-odds less those of a text of the same length of unknown words only,
        without n-grams.
    completeness_error: by how much the sum of the shares misses the difference.
    """

    label: str
    words: tuple[Word, ...]
    difference: float
    completeness_error: float

    @classmethod
    def of(cls, text: bytes, answer: Mapping[str, Any]) -> Self:
        """Of one row of the outputs of `WordShares`."""
        names = ("tokens", "begins", "ends", "attributions")
        rows = zip(*(answer[name].tolist() for name in names), strict=True)
        words = tuple(
            Word(token.decode(), _characters(text[:begin]), _characters(text[:end]), share)
            for token, begin, end, share in rows
            if token
        )
        label = answer["label"].decode()
        return cls(label, words, float(answer["difference"]), float(answer["completeness_error"]))


def _characters(text: bytes) -> int:
    return len(text.decode(errors="surrogateescape"))
