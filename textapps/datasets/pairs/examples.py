"""Sentence pairs, as tasks and reports use them."""

import hashlib
from dataclasses import dataclass
from functools import cached_property

from textapps.core.part import WHOLE, Part


@dataclass(frozen=True)
class Pairs:
    """One split: sentences, their translations, the name of the data in reports, and the part."""

    name: str
    sources: tuple[str, ...]
    targets: tuple[str, ...]
    part: Part = WHOLE

    def __len__(self) -> int:
        return len(self.sources)

    @cached_property
    def fingerprint(self) -> str:
        """sha256 (64 hexadecimal digits) of all pairs in their order."""
        rows = zip(self.sources, self.targets, strict=True)
        return hashlib.sha256("".join(f"{a}\t{b}\n" for a, b in rows).encode()).hexdigest()
