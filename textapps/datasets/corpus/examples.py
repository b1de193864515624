"""A corpus, as tasks and reports use it."""

import hashlib
from dataclasses import dataclass
from functools import cached_property

from textapps.core.part import WHOLE, Part


@dataclass(frozen=True)
class Corpus:
    """One split of a text.

    name: its name in reports and file names
    documents: the number of documents that were joined by blank lines
    part: which part of the text it is, in characters
    """

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
