"""The splits of a large file of texts, read piece by piece."""

from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from pathlib import Path
from typing import Protocol

from textapps.core.errors import DataError
from textapps.core.notices import muted
from textapps.datasets.config import CorpusConfig
from textapps.datasets.corpus.loader import SHARE_OF_PART
from textapps.datasets.corpus.sources import DocumentTable, open_documents
from textapps.datasets.formats.lines import read_pieces
from textapps.datasets.source import SPLITS, Skipped, stop
from textapps.datasets.splits import home

Piece = tuple[str, str, int]
"""A split, a piece of its text that ends where a line ends, and the characters that it adds."""


class Parts(Protocol):
    """How a file is divided into splits, as `load_corpora` divides it."""

    @property
    def given(self) -> set[str]:
        """The splits that come from other sources."""

    @property
    def by_row(self) -> bool:
        """Whether each piece is a document; else a split is one document."""

    @property
    def splits(self) -> tuple[str, ...]:
        """Those that are made of the file; DataError if it holds no text."""

    def read(self, *, first: bool = False) -> Iterator[Piece]:
        """The pieces of all splits in their order; `first`: what is to be said of them is said."""


def given_splits(config: CorpusConfig) -> set[str]:
    """The splits that come from other sources."""
    sources = (config.validation_source, config.test_source)
    return {split for split, source in zip(SPLITS[1:], sources, strict=True) if source}


class TextParts:
    """A file of one text, which is cut by position."""

    by_row = False

    def __init__(self, path: Path, config: CorpusConfig) -> None:
        self.given = given_splits(config)
        self._path = path
        self._config = config

    @property
    def splits(self) -> tuple[str, ...]:
        """As `Parts`."""
        return tuple(self._bounds)

    def read(self, *, first: bool = False) -> Iterator[Piece]:
        """As `Parts`."""
        return _cut(read_pieces(self._path, stop, self._config.encoding), self._bounds)

    @cached_property
    def _bounds(self) -> dict[str, tuple[int, int]]:
        total, blank = 0, True
        with muted():  # it is read again
            for piece in read_pieces(self._path, stop, self._config.encoding):
                total += len(piece)
                blank = blank and not piece.strip()
        if blank:
            raise DataError(f"{self._path} is empty: give a text")
        if self._config.split is not None:
            return _bounds_of(total, self._config.split)
        made = ["train", *(split for split in SPLITS[1:] if split not in self.given)]
        size = int(SHARE_OF_PART * total)
        ends = [total - size * left for left in range(len(made) - 1, -1, -1)]
        return dict(zip(made, zip([0, *ends], ends, strict=False), strict=True))


class TableParts:
    """A table with a text in each row, which is split by the hash of the text."""

    def __init__(self, path: Path, config: CorpusConfig) -> None:
        self.given = given_splits(config)
        self.by_row = config.split is None
        self._config = config

    @property
    def splits(self) -> tuple[str, ...]:
        """As `Parts`."""
        made = set(SPLITS) - self.given
        if self._own and "train" not in self._own:  # there is nothing to make the others of
            made = self._own
        return tuple(split for split in SPLITS if split in made or not self.by_row)

    def read(self, *, first: bool = False) -> Iterator[Piece]:
        """As `Parts`."""
        report = Skipped() if self._config.skip_bad else stop
        table = open_documents(self._config.source, self._config, report)
        assert isinstance(table, DocumentTable)
        if self._config.split is not None:
            yield from _cut(self._joined(table), _bounds_of(self._total, self._config.split))
        else:
            yield from self._by_row(table)
        if first and isinstance(report, Skipped):
            report.warn(table.name)

    def _by_row(self, table: DocumentTable) -> Iterator[Piece]:
        missing = [split for split in SPLITS[1:] if split not in {*self._own, *self.given}]
        waiting: dict[str, str] = {}  # a text that is the only one of its split stays as it is
        begun: set[str] = set()
        for own, text in table.stream():
            if own is None and self._own:
                continue  # its split is none; the table has reported the row
            split = home(text, missing) if own in (None, "train") else str(own)
            if split not in begun and split not in waiting:
                waiting[split] = text
                continue
            if split in waiting:
                begun.add(split)
                alone = waiting.pop(split)
                yield split, _ended(alone), len(alone)
            yield split, f"\n{_ended(text)}", len(text)
        yield from ((split, text, len(text)) for split, text in waiting.items())

    def _joined(self, table: DocumentTable) -> Iterator[str]:
        """All texts as one, in pieces."""
        alone, begun = None, False
        order: list[str | None] = [split for split in SPLITS if split in self._own]
        for wanted in order or [None]:
            for own, text in table.stream():
                if own != wanted:
                    continue
                if alone is None and not begun:
                    alone = text
                    continue
                if alone is not None:
                    yield _ended(alone)
                    alone, begun = None, True
                yield f"\n{_ended(text)}"
        if alone is not None:
            yield alone

    @cached_property
    def _table(self) -> DocumentTable:
        """The table, for passes over it of which nothing is to be said."""
        table = open_documents(self._config.source, self._config, Skipped())
        assert isinstance(table, DocumentTable)
        return table

    @cached_property
    def _own(self) -> set[str]:
        with muted():
            found = {split for split, _ in self._table.stream()}
        return {split for split in found if split is not None}

    @cached_property
    def _total(self) -> int:
        with muted():
            return sum(map(len, self._joined(self._table)))


def _ended(text: str) -> str:
    return text.rstrip("\n") + "\n"


def _bounds_of(total: int, share: float) -> dict[str, tuple[int, int]]:
    """The beginning and the end of each split if a share is for training, in characters."""
    cut = int(share * total)
    return {"train": (0, cut), "validation": (cut, total), "test": (cut, total)}


def _cut(pieces: Iterable[str], bounds: Mapping[str, tuple[int, int]]) -> Iterator[Piece]:
    """A text in pieces, cut into splits."""
    place = 0
    for piece in pieces:
        for split, (begin, end) in bounds.items():
            if found := piece[max(begin - place, 0) : max(end - place, 0)]:
                yield split, found, len(found)
        place += len(piece)
