"""Folders named after splits and classes."""

from pathlib import Path

from textapps.core.errors import DataError
from textapps.datasets.source import split_named


def split_folders(path: Path) -> dict[str | None, Path]:
    """The subfolders named after splits. If none is for training, only {None: path}.

    DataError if two folders name the same split.
    """
    folders: dict[str | None, Path] = {}
    for folder in subfolders(path):
        split = split_named(folder.name)
        if split and split in folders:
            raise DataError(f"{path}: both {folders[split].name} and {folder.name}")
        if split:
            folders[split] = folder
    return folders if "train" in folders else {None: path}


def subfolders(folder: Path) -> list[Path]:
    """The visible ones, sorted by name; DataError if the folder cannot be read."""
    try:
        children = sorted(folder.iterdir())
    except OSError as error:
        raise DataError(f"cannot read {folder}: {error.strerror}") from None
    return [child for child in children if child.is_dir() and not child.name.startswith(".")]
