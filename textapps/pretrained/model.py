"""One pretrained model: its directory and its record."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

from textapps.core.errors import RunError
from textapps.core.records import sha256_of
from textapps.pretrained.description import DESCRIPTION, Description

PREFIX = "pretrained:"  # of a name in the place of a run
CARD = "CARD.md"


@dataclass(frozen=True)
class PretrainedModel:
    """A directory like that of a run, without optimizer and history, and what it says of itself."""

    path: Path
    description: Description

    @property
    def origin(self) -> str:
        """How a person names it in the place of a run: `pretrained:imdb`."""
        return PREFIX + self.description.name

    @property
    def bytes(self) -> int:
        """The size of its files."""
        return sum(path.stat().st_size for path in self.path.rglob("*") if path.is_file())

    @property
    def card(self) -> str:
        """The model card, Markdown; RunError if it is missing."""
        self.verify(CARD)
        return (self.path / CARD).read_text(encoding="utf-8")

    @property
    def fingerprint(self) -> str:
        """Sixteen hexadecimal digits that differ between models of different content."""
        return hashlib.sha256((self.path / DESCRIPTION).read_bytes()).hexdigest()[:16]

    def verify(self, *names: str) -> None:
        """Compares files, by default all, with their sha256 in the record.

        Raises:
            RunError: one is missing or has changed.
        """
        known = self.description.sha256
        for name in names or known:
            try:
                found = sha256_of(self.path / name)
            except OSError as error:
                raise RunError(
                    f"{self.origin} is incomplete: {self.path / name} cannot be read "
                    f"({error.strerror}); install textapps again or copy the whole directory"
                ) from None
            if found != known.get(name):
                raise RunError(
                    f"{self.origin} is damaged: {self.path / name} has the sha256 {found[:12]}…, "
                    f"not {known.get(name, '')[:12]}…; install textapps again"
                )
