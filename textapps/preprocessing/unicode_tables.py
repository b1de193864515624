"""What Unicode normal form C needs to know of each character, from Python's Unicode data."""

import unicodedata
from collections.abc import Iterable
from functools import cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

END = 0x30000  # no character from here on has a decomposition or a combining class
LONGEST = 4  # characters in the longest decomposition
PAIR = 1 << 21  # more than there are code points
_HANGUL = range(0xAC00, 0xD7A4)  # composed by arithmetic, never decomposed
_HANGUL_SECOND = (*range(0x1161, 0x1176), *range(0x11A8, 0x11C3))  # vowels and final consonants


class UnicodeTables(NamedTuple):
    """Sorted keys and the values that belong to them; characters are code points.

    decomposed: int32[characters], those with a canonical decomposition, Hangul syllables excluded
    decompositions: int32[characters, LONGEST], in full, padded with 0; lengths: int32[characters]
    combining: int32[marks], the characters of a combining class other than 0
    classes: int32[marks], this class
    pairs: int64[pairs], `PAIR * first + second` of two characters that compose
    composites: int32[pairs], what they become
    unstable: a regular expression; a text without a match is in form C
    """

    decomposed: NDArray[np.int32]
    decompositions: NDArray[np.int32]
    lengths: NDArray[np.int32]
    combining: NDArray[np.int32]
    classes: NDArray[np.int32]
    pairs: NDArray[np.int64]
    composites: NDArray[np.int32]
    unstable: str


@cache
def unicode_tables() -> UnicodeTables:
    """The tables; they take a tenth of a second."""
    combining: dict[int, int] = {}
    decompositions: dict[int, str] = {}
    pairs: dict[tuple[int, int], int] = {}
    changed: list[int] = []  # NFC_Quick_Check=No
    for point in range(END):
        character = chr(point)
        if value := unicodedata.combining(character):
            combining[point] = value
        mapping = unicodedata.decomposition(character)
        if not mapping or mapping.startswith("<") or point in _HANGUL:
            continue
        decompositions[point] = unicodedata.normalize("NFD", character)
        if unicodedata.normalize("NFC", character) != character:
            changed.append(point)
        else:
            first, second = (int(part, 16) for part in mapping.split())
            pairs[first, second] = point
    seconds = {second for _, second in pairs}  # with Hangul's: NFC_Quick_Check=Maybe
    suspects = _character_class({*changed, *seconds, *_HANGUL_SECOND})
    marks = _character_class(combining)
    ordered = sorted(pairs)
    return UnicodeTables(
        decomposed=np.array(list(decompositions), np.int32),
        decompositions=np.array(
            [[*map(ord, text), *[0] * (LONGEST - len(text))] for text in decompositions.values()],
            np.int32,
        ),
        lengths=np.array([len(text) for text in decompositions.values()], np.int32),
        combining=np.array(list(combining), np.int32),
        classes=np.array(list(combining.values()), np.int32),
        pairs=np.array([PAIR * first + second for first, second in ordered], np.int64),
        composites=np.array([pairs[pair] for pair in ordered], np.int32),
        # Two marks may be in the wrong order; one cannot.
        unstable=rf"(?:{suspects}|{marks}{{2}})",
    )


def _character_class(points: Iterable[int]) -> str:
    r"""A character class of RE2.

    >>> _character_class({0x301, 0x300, 0x345})
    '[\\x{300}-\\x{301}\\x{345}-\\x{345}]'
    """
    ranges: list[list[int]] = []
    for point in sorted(points):
        if ranges and point == ranges[-1][1] + 1:
            ranges[-1][1] = point
        else:
            ranges.append([point, point])
    return "[" + "".join(rf"\x{{{first:x}}}-\x{{{last:x}}}" for first, last in ranges) + "]"
