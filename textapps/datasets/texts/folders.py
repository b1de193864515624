"""Labelled texts in a folder of class folders."""

import logging
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path

from textapps.core.errors import DataError
from textapps.datasets.lines import decode
from textapps.datasets.source import Report, Row, plain_name, split_named, stop
from textapps.datasets.texts.labelled_texts import sorted_labels

# The Large Movie Review Dataset, unpacked, keeps its unlabelled texts beside the class folders.
_UNLABELLED = ("unsup", "unsupervised")


class FolderSource:
    """`<class>/*.txt`, one text a file, or `<split>/<class>/*.txt` for a set with own splits.

    DataError where there are no class folders or a text cannot be read.
    """

    def __init__(self, path: Path, report: Report = stop):
        self.path = path
        self.name = plain_name(path.absolute().name)
        self._report = report

    @property
    def own_splits(self) -> frozenset[str]:
        """The splits that the subfolders are named after, if one of them is train."""
        return frozenset(self._split_folders)

    @property
    def label_names(self) -> tuple[str, ...]:
        """The class folders of the training split."""
        return sorted_labels(self._classes(self._split_folders.get("train", self.path)))

    def rows(self, split: str | None) -> list[Row]:
        """The texts by class, then by file name."""
        folder = self.path if split is None else self._split_folders[split]
        return [
            Row(self._read(file), label, "", str(file))
            for label, directory in self._classes(folder).items()
            for file in _texts(directory)
        ]

    @cached_property
    def _split_folders(self) -> dict[str, Path]:
        return split_folders(self.path)

    def _classes(self, folder: Path) -> dict[str, Path]:
        classes = {child.name: child for child in subfolders(folder) if any(_texts(child))}
        for name in _UNLABELLED:
            if classes.pop(name, None):
                logging.getLogger("textapps").warning("%s/%s left out: no labels", folder, name)
        if not classes:
            raise DataError(
                f"{folder}: no class folders with .txt files; name a file, or make some"
            )
        return classes

    def _read(self, file: Path) -> str:
        try:
            raw = file.read_bytes()
        except OSError as error:
            raise DataError(f"cannot read {file}: {error.strerror}") from None
        return decode(raw, str(file), self._report).replace("\r\n", "\n").removesuffix("\n")


def split_folders(path: Path) -> dict[str, Path]:
    """The subfolders that are named after splits; none where none of them is for training.

    DataError for two folders of one split.
    """
    folders: dict[str, Path] = {}
    for folder in subfolders(path):
        split = split_named(folder.name)
        if split and split in folders:
            raise DataError(f"{path}: both {folders[split].name} and {folder.name}")
        if split:
            folders[split] = folder
    return folders if "train" in folders else {}


def subfolders(folder: Path) -> list[Path]:
    """Those that are not hidden, by name; DataError where the folder cannot be read."""
    try:
        children = sorted(folder.iterdir())
    except OSError as error:
        raise DataError(f"cannot read {folder}: {error.strerror}") from None
    return [child for child in children if child.is_dir() and not child.name.startswith(".")]


def _texts(folder: Path) -> Iterator[Path]:
    return iter(sorted(folder.glob("*.txt")))
