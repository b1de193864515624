"""Sources of corpora: text files, folders of text files, tables, prepared sets."""

import logging
from functools import cached_property
from pathlib import Path
from typing import Literal, Protocol

from textapps.core.errors import DataError
from textapps.datasets.bundled import bundled_dir
from textapps.datasets.config import CorpusConfig
from textapps.datasets.formats.lines import read_text, text_of
from textapps.datasets.formats.registry import is_table, name_of
from textapps.datasets.ladder import Rungs, open_source
from textapps.datasets.source import Report, Source, plain_name, split_named, stop
from textapps.datasets.table import PreparedSource, TableSource, Wanted

TEXTS = (".txt", ".md", ".text")

Unit = Literal["row", "document", "part"]
"""What the texts of a source are: rows, each of which belongs to one split; documents, which are
joined by blank lines before they are cut; or parts of one text, which are joined as they are."""


class DocumentSource(Source[str], Protocol):
    """A source of texts."""

    @property
    def unit(self) -> Unit:
        """What its texts are."""


def open_documents(source: str, config: CorpusConfig, report: Report = stop) -> DocumentSource:
    """Open the source of a name or path; DataError if there is none."""
    wanted = Wanted({"text": config.text_column}, _text_of)

    def from_file(path: Path) -> DocumentSource:
        if is_table(path):
            return DocumentTable(path, wanted, report, reading=config.reading)
        return TextFile(path, encoding=config.encoding)

    rungs = Rungs[DocumentSource](
        sample=lambda: TextFile(bundled_dir() / "verses.txt", name="sample"),
        file=from_file,
        folder=lambda path: TextFolder(path, config.encoding),
        prepared=lambda found: PreparedDocuments(found, wanted),
    )
    return open_source(source, config.data_dir, rungs)


def _text_of(cells: list[str], place: str) -> str | None:
    text = cells[0].replace("\r\n", "\n")
    return text if text.strip() else None


class DocumentTable(TableSource[str]):
    """A table with a text in each row; empty texts are skipped."""

    unit: Unit = "row"


class PreparedDocuments(PreparedSource[str]):
    """The texts of a set of TensorFlow Datasets; it needs no labels."""

    @property
    def unit(self) -> Unit:
        """If every split has a single text, these are the parts of one text."""
        single = all(split.num_examples == 1 for split in self.found.splits.values())
        return "part" if single else "row"


class TextFile:
    """One text, plain or gzipped; `name` defaults to the file name."""

    own_splits: frozenset[str] = frozenset()
    unit: Unit = "document"

    def __init__(self, path: Path, name: str | None = None, encoding: str | None = None) -> None:
        self.path = path
        self._encoding = encoding
        self.name = name or plain_name(name_of(path))

    def examples(self, split: str | None) -> list[str]:
        """The text; DataError if it is empty or not text."""
        return [read_document(self.path, self._encoding)]


class TextFolder:
    """All text files in a folder and its subfolders, sorted by path.

    Files and folders named after splits (`train.txt`, `validation/…`) are the source's own splits
    if one of them is train; the other files are then skipped with a warning. DataError if there
    are no text files.
    """

    unit: Unit = "document"

    def __init__(self, path: Path, encoding: str | None = None) -> None:
        self.path = path
        self._encoding = encoding
        self.name = plain_name(path.absolute().name)

    @property
    def own_splits(self) -> frozenset[str]:
        """The splits with a file or folder."""
        return frozenset(split for split in self._files if split is not None)

    def examples(self, split: str | None) -> list[str]:
        """The files of a split, one text each; empty files are skipped."""
        texts = (read_text(file, stop, self._encoding) for file in self._files.get(split, []))
        return [text for text in texts if text.strip()]

    @cached_property
    def _files(self) -> dict[str | None, list[Path]]:
        found = sorted(
            path
            for path in self.path.rglob("*")
            if path.name.lower().removesuffix(".gz").endswith(TEXTS) and path.is_file()
            if not any(part.startswith(".") for part in path.relative_to(self.path).parts)
        )
        if not found:
            kinds = ", ".join(TEXTS)
            raise DataError(f"{self.path}: no text files ({kinds}; .gz too) in this folder")
        by_split: dict[str | None, list[Path]] = {}
        for path in found:
            first = path.relative_to(self.path).parts[0]
            by_split.setdefault(split_named(first.partition(".")[0]), []).append(path)
        if "train" not in by_split:
            return {None: found}
        for path in by_split.pop(None, []):
            logging.getLogger("textapps").warning(
                "%s: left out, because it belongs to no split", path
            )
        return by_split


def read_document(path: Path, encoding: str | None = None) -> str:
    """The text of a file, plain or gzipped; DataError if it is empty or not text."""
    return _filled(read_text(path, stop, encoding), str(path))


def decode_document(raw: bytes, place: str, encoding: str | None = None) -> str:
    """The same for bytes from `place`."""
    return _filled(text_of(raw, place, stop, encoding), place)


def _filled(text: str, place: str) -> str:
    if not text.strip():
        raise DataError(f"{place} is empty: give a text")
    return text
