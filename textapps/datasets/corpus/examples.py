"""A corpus, as tasks and reports use it."""

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

from textapps.core.part import WHOLE, Part


class Corpus(Protocol):
    """One split of a text, in memory or on disk."""

    @property
    def name(self) -> str:
        """Its name in reports and file names."""

    @property
    def text(self) -> str:
        """All of it, in memory."""

    @property
    def documents(self) -> int:
        """The number of documents that were joined by blank lines."""

    @property
    def part(self) -> Part:
        """Which part of the text it is, in characters."""

    @property
    def fingerprint(self) -> str:
        """sha256 (64 hexadecimal digits) of the text in UTF-8."""

    @property
    def counts(self) -> Mapping[str, int]:
        """How often each character occurs, in the order in which they appear."""

    def pieces(self) -> Iterable[str]:
        """The text, in pieces that may be held in memory."""

    def __len__(self) -> int: ...


def beginning(corpus: Corpus, characters: int) -> str:
    """So many characters of a split at most; no more of it is held in memory than they need."""
    found: list[str] = []
    missing = characters
    for piece in corpus.pieces():
        found.append(piece[:missing])
        missing -= len(found[-1])
        if missing <= 0:
            break
    return "".join(found)


@dataclass(frozen=True)
class HeldCorpus:
    """A split in memory."""

    name: str
    text: str
    documents: int = 1
    part: Part = WHOLE

    def __len__(self) -> int:
        return len(self.text)

    @cached_property
    def fingerprint(self) -> str:
        """sha256 (64 hexadecimal digits) of the text in UTF-8."""
        return hashlib.sha256(self.text.encode()).hexdigest()

    @property
    def counts(self) -> Mapping[str, int]:
        """How often each character occurs, in the order in which they appear."""
        return Counter(self.text)

    def pieces(self) -> Iterable[str]:
        """The whole text."""
        return (self.text,)
