"""Texts in files: a text file, a folder of them, a table with a column of texts."""

import gzip
import logging
import zlib
from functools import cached_property
from pathlib import Path

from textapps.core.errors import DataError
from textapps.datasets.columns import SPLIT_COLUMNS, find_text_column
from textapps.datasets.lines import decode
from textapps.datasets.source import plain_name, split_named, stop
from textapps.datasets.tables import read_table

LOGGER = logging.getLogger("textapps")
TABLES = (".csv", ".tsv", ".jsonl")
TEXTS = (".txt", ".md", ".text")


def is_table(path: Path) -> bool:
    """Whether the name says that texts stand in rows."""
    return path.name.lower().removesuffix(".gz").endswith(TABLES)


class TextFile:
    """One text, plain or gzip; it is called `name`, by default as the file without its suffix."""

    own_splits: frozenset[str] = frozenset()

    def __init__(self, path: Path, name: str | None = None):
        self.path = path
        self.name = name or plain_name(Path(path.stem if _is_packed(path) else path.name).stem)

    def texts(self, split: str | None) -> list[str]:
        """The text with CRLF as LF; DataError where it is empty or no text."""
        return [read_text(self.path)]


class TextFolder:
    """The text files of a folder and of those in it, in the order of their paths.

    Files or folders named after splits (`train.txt`, `validation/…`) make own splits, if one of
    them is train; others are then left out, with a warning. DataError where there are no text
    files.
    """

    def __init__(self, path: Path):
        self.path = path
        self.name = plain_name(path.absolute().name)

    @property
    def own_splits(self) -> frozenset[str]:
        """The splits that files or folders are named after."""
        return frozenset(split for split in self._files if split is not None)

    def texts(self, split: str | None) -> list[str]:
        """The files of a split, a text each; empty ones are left out."""
        texts = (read_text(file, empty=True) for file in self._files.get(split, []))
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
            LOGGER.warning("%s: left out, because it belongs to no split", path)
        return by_split


class TableDocuments:
    """A text in each row of a CSV, TSV or JSON lines file; a `split` column makes own splits."""

    def __init__(self, path: Path, text_column: str | None = None):
        self.path = path
        self.name = TextFile(path).name
        self._text_column = text_column

    @property
    def own_splits(self) -> frozenset[str]:
        """The values of the `split` column."""
        return frozenset(split for split in self._texts if split is not None)

    def texts(self, split: str | None) -> list[str]:
        """The texts in the order of the rows, without empty ones."""
        return self._texts.get(split, [])

    @cached_property
    def _texts(self) -> dict[str | None, list[str]]:
        column: str | None = None
        texts: dict[str | None, list[str]] = {}
        for number, cells in read_table(self.path, stop):
            column = column or find_text_column(str(self.path), cells, self._text_column)
            split = None
            if value := next((cells[name] for name in SPLIT_COLUMNS if name in cells), None):
                split = split_named(value)
                if split is None:
                    raise DataError(
                        f"{self.path}:{number}: unknown split '{value}', write one of train, "
                        "validation, test"
                    )
            text = cells.get(column, "").replace("\r\n", "\n")
            if text.strip():
                texts.setdefault(split, []).append(text)
        if not texts:
            raise DataError(f"{self.path}: no rows with a text")
        return texts


def read_text(path: Path, *, empty: bool = False) -> str:
    """A UTF-8 file, plain or gzip, without a byte order mark and with CRLF as LF.

    Raises:
        DataError: it cannot be read, is no text, or is empty where that is not allowed.
    """
    try:
        with gzip.open(path) if _is_packed(path) else path.open("rb") as stream:
            raw = stream.read()
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise DataError(f"{path}: damaged or not gzip ({error}); fetch or pack it again") from None
    except OSError as error:
        raise DataError(f"cannot read {path}: {error.strerror or error}") from None
    return decode_text(raw, str(path), empty=empty)


def decode_text(raw: bytes, place: str, *, empty: bool = False) -> str:
    """The same of bytes that stand in `place`."""
    text = decode(raw, place, stop).replace("\r\n", "\n")
    if not empty and not text.strip():
        raise DataError(f"{place} is empty: give a text")
    return text


def _is_packed(path: Path) -> bool:
    return path.suffix.lower() == ".gz"
