"""Labelled texts, as tasks and reports use them."""

import hashlib
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import chain

import numpy as np
from numpy.typing import NDArray

from textapps.core.part import WHOLE, Part

CHARACTERS_OF_A_CLAUSE = 15
"""The mean length of words in languages with long ones, such as Finnish, is 8."""


# Soft hyphens, zero-width characters, byte order marks within a text, and variation selectors.
_INVISIBLE = dict.fromkeys(
    [*map(ord, "\u00ad\u200b\u200c\u200d\u2060\ufeff"), *range(0xFE00, 0xFE10)]
)


class _Words(dict[int, int]):
    """For `str.translate`: letters, marks and numbers stay, all else is a blank."""

    def __missing__(self, code: int) -> int:
        # Marks are part of a word: vowel signs in Devanagari, for example.
        word = unicodedata.category(chr(code))[0] in "LMN"
        return self.setdefault(code, code if word else ord(" "))


_WORDS = _Words()


@dataclass(frozen=True, eq=False)
class LabelledTexts:
    """One split of a data set, in a fixed order.

    texts: n texts, in memory or on disk
    labels: int32[n], each an index into `label_names`
    label_names: the classes in the order of a model's scores
    name: what reports and file names call the set
    part: which part of the set it is
    unlabelled: other texts to train on, which have no label
    known_fingerprint: that of the labelled texts, if it is known
    """

    texts: Sequence[str]
    labels: NDArray[np.int32]
    label_names: tuple[str, ...]
    name: str
    part: Part = WHOLE
    unlabelled: tuple[str, ...] = ()
    known_fingerprint: str | None = None

    def __len__(self) -> int:
        return len(self.texts)

    @cached_property
    def fingerprint(self) -> str:
        """sha256 (64 hexadecimal digits) over texts, labels and their order; not over the name."""
        if self.known_fingerprint and not self.unlabelled:
            return self.known_fingerprint
        return fingerprint_of(chain(self.label_names, self.texts, self.unlabelled), self.labels)


def fingerprint_of(texts: Iterable[str], labels: NDArray[np.int32]) -> str:
    """sha256 (64 hexadecimal digits) over texts and numbers, in their order."""
    digest = hashlib.sha256()
    for text in texts:
        data = text.encode()
        # Lengths keep ("ab", "c") apart from ("a", "bc").
        digest.update(len(data).to_bytes(8, "little") + data)
    digest.update(labels.astype("<i4").tobytes())
    return digest.hexdigest()


def unspaced(texts: Iterable[str]) -> str | None:
    """What to say of texts whose words are so long that they must be whole clauses; else None.

    >>> unspaced(["一部好电影，值得再看一遍，演员都很好"])
    '18 characters to a word: --tokens char reads scripts that put no blanks between words'
    >>> unspaced(["a fine film"])
    """
    characters = words = 0
    for text in texts:
        characters += len(text)
        words += len(text.split())
    if not words or characters / words < CHARACTERS_OF_A_CLAUSE:
        return None
    mean = f"{characters / words:.0f} characters to a word"
    return f"{mean}: --tokens char reads scripts that put no blanks between words"


def plain(text: str) -> str:
    r"""The words of a text, which are the same in whatever case, spacing and punctuation.

    A text without a letter or a number is what it is, in whatever case and spacing.

    >>> plain("A fine\tfilm!!"), plain(" :-D "), plain("\U0001f600  \u2764\ufe0f")
    ('a fine film', 'd', '😀 ❤')
    """
    visible = text.translate(_INVISIBLE)
    folded = unicodedata.normalize("NFKC", visible).casefold()
    words = folded.translate(_WORDS)
    if not any(map(str.isalnum, words)):
        words = folded
    return " ".join(words.split())


def sorted_labels(labels: Iterable[str]) -> tuple[str, ...]:
    """Distinct labels in the order of scores: by value if all are integers, else by code point.

    >>> sorted_labels(["10", "9", "9"]), sorted_labels(["10", "9", "good"])
    (('9', '10'), ('10', '9', 'good'))
    """
    distinct = set(labels)
    try:
        return tuple(sorted(distinct, key=lambda label: (int(label), label)))
    except ValueError:
        return tuple(sorted(distinct))
