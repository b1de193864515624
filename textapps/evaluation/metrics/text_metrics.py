"""Metrics of generated texts: variety, repetition, and copies of the training text."""

from collections.abc import Callable, Iterable, Sequence
from typing import Literal, NamedTuple

import numpy as np
import numpy.typing as npt

PIECE = 8  # characters: more than a word in most alphabetic scripts
LONG_WORD = 20  # characters per word on average: the text has few spaces
BASE = 0x9E3779B97F4A7C15  # any odd number has an inverse modulo 2^64; this one mixes well

Unit = Literal["word", "character"]
Hashes = npt.NDArray[np.uint64]


class TextMetrics(NamedTuple):
    """Metrics of texts, shares in [0, 1] and lengths in characters; a piece has 8 characters.

    Attributes:
        distinct_1, distinct_2: `distinct` of the texts.
        repeated: share of the pieces that occurred earlier in the same text.
        longest_repeat: length of the longest piece that occurs twice in a text.
        copied: share of the pieces that occur in the training text.
        longest_copy: length of the longest piece that occurs in the training text.
        unit: what `distinct` counts; all texts with the same training text have the same.
    """

    distinct_1: float
    distinct_2: float
    repeated: float
    longest_repeat: int
    copied: float
    longest_copy: int
    unit: Unit


class Samples(NamedTuple):
    """Texts of one kind, at least one, and their metrics."""

    name: str
    texts: Sequence[str]
    figures: TextMetrics


def text_metrics(texts: Sequence[str], training: str) -> TextMetrics:
    """The metrics of one or more texts, given the text that their generator was trained on.

    >>> found = text_metrics(["To be, or not to be"], "not to be seen")
    >>> round(found.distinct_1, 2), found.repeated, found.longest_repeat, found.longest_copy
    (1.0, 0.0, 4, 9)
    """
    ours, theirs, unit = [_Pieces(text) for text in texts], _Pieces(training), unit_of(training)
    longest = max(len(text) for text in texts)
    pieces = np.concatenate([each.of(PIECE) for each in ours])
    new = sum(len(np.unique(each.of(PIECE))) for each in ours)
    copied = _stand_in(pieces, theirs.of(PIECE))

    def repeats(length: int) -> bool:
        return any(len(np.unique(each.of(length))) < len(each.of(length)) for each in ours)

    def copies(length: int) -> bool:
        found = np.concatenate([each.of(length) for each in ours])
        return bool(_stand_in(found, theirs.of(length)).any())

    return TextMetrics(
        distinct(texts, 1, unit),
        distinct(texts, 2, unit),
        1 - new / len(pieces) if len(pieces) else 0.0,
        _longest(longest, repeats),
        float(copied.mean()) if len(pieces) else 0.0,
        _longest(longest, copies),
        unit,
    )


def unit_of(text: str) -> Unit:
    """Words between white space, or characters if a text has few spaces.

    >>> unit_of("To be, or not to be"), unit_of("春眠不覺曉，處處聞啼鳥。夜來風雨聲，花落知多少。")
    ('word', 'character')
    """
    return "word" if len(text) < LONG_WORD * len(text.split()) else "character"


def distinct(texts: Iterable[str], n: int, unit: Unit) -> float:
    """Distinct n-grams of words or characters as a share of all; 0 if there are none.

    Li et al. 2016 (A diversity-promoting objective function for neural conversation models),
    section 5.

    >>> distinct(["a b a", "a b"], 2, "word")
    0.6666666666666666
    """
    grams = []
    for text in texts:
        tokens = text.split() if unit == "word" else list(text)
        grams += [tuple(tokens[i : i + n]) for i in range(len(tokens) - n + 1)]
    return len(set(grams)) / len(grams) if grams else 0.0


class _Pieces:
    """Hashes of the pieces of a text, for any length in linear time.

    A hash is the sum of code · base^position over the piece, modulo 2^64, divided by base^start.
    """

    def __init__(self, text: str) -> None:
        codes = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), np.uint32)
        self._sums = np.zeros(len(codes) + 1, np.uint64)
        np.cumsum(codes * _powers(BASE, len(codes)), out=self._sums[1:])
        self._shifts = _powers(pow(BASE, -1, 2**64), len(codes))

    def of(self, length: int) -> Hashes:
        """uint64[max(0, characters - length + 1)]."""
        sums = self._sums[length:] - self._sums[: max(0, len(self._sums) - length)]
        return sums * self._shifts[: len(sums)]


def _powers(base: int, n: int) -> Hashes:
    powers = np.full(n, base, np.uint64)
    powers[:1] = 1
    return np.multiply.accumulate(powers)


def _stand_in(few: Hashes, many: Hashes) -> npt.NDArray[np.bool_]:
    """Which of `few` are among `many`: bool[few]. np.isin would sort `many`."""
    if not len(few):
        return np.zeros(0, np.bool_)
    values, back = np.unique(few, return_inverse=True)
    found = np.zeros(len(values) + 1, np.bool_)
    places = np.searchsorted(values, many)
    found[places[many == np.append(values, values[-1:])[places]]] = True
    return found[back]


def _longest(most: int, known: Callable[[int], bool]) -> int:
    """The largest length up to `most` for which `known` is true; it is true for all below."""
    least = 0
    while least < most:
        middle = (least + most + 1) // 2
        if known(middle):
            least = middle
        else:
            most = middle - 1
    return least
