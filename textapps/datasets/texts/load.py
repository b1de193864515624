"""From the [data] section to labelled, split texts."""

import difflib
import logging
from collections.abc import Iterable, Sequence
from functools import cached_property
from pathlib import Path

import numpy as np

from textapps.core.errors import DataError
from textapps.datasets.bundled import bundled_dir
from textapps.datasets.config import DataConfig
from textapps.datasets.prepared import default_data_dir, download, find_prepared
from textapps.datasets.source import SPLITS, Defect, Report, Row, Source, stop
from textapps.datasets.splits import carve
from textapps.datasets.tables import table_format
from textapps.datasets.texts.files import FileSource
from textapps.datasets.texts.folders import FolderSource
from textapps.datasets.texts.labelled_texts import LabelledTexts, sorted_labels
from textapps.datasets.tfds import TfdsSource


class Splits:
    """The splits that were asked for; AttributeError for one that was not."""

    train: LabelledTexts
    validation: LabelledTexts
    test: LabelledTexts

    def __init__(self, **loaded: LabelledTexts):
        self.__dict__.update(loaded)


def load_labelled_texts(
    config: DataConfig,
    splits: Iterable[str] = SPLITS,
    label_names: Sequence[str] | None = None,
) -> Splits:
    """Reads the splits asked for, and no more of the source than they need.

    `label_names`: the classes of an earlier training, to which the labels must belong; by default
    the set's own, else those of its training rows. DataError where data are missing or bad, where
    a split is empty, or where there are fewer than two classes.
    """
    loader = Loader(config, label_names)
    return Splits(**{split: loader.load(split) for split in splits})


def load_split(
    config: DataConfig, split: str, label_names: Sequence[str] | None = None
) -> LabelledTexts:
    """One split, as `load_labelled_texts` has it."""
    return Loader(config, label_names).load(split)


class Loader:
    """Loads one split after another; each source is read once."""

    def __init__(
        self,
        config: DataConfig,
        label_names: Sequence[str] | None = None,
        report: Report = stop,
    ):
        self._config = config
        self._label_names = tuple(label_names) if label_names else None
        self._report = report
        self._given = {"validation": config.validation_source, "test": config.test_source}

    def load(self, split: str) -> LabelledTexts:
        """DataError for bad rows, unless `report` takes them, and for an empty split."""
        return self.labelled(split, *self.rows(split))

    def labelled(self, split: str, name: str, rows: list[Row]) -> LabelledTexts:
        """The rows of a split with their labels numbered; errors as in `load`."""
        filled = [row for row in rows if row.text.strip()]
        if len(filled) < len(rows):
            logging.getLogger("textapps").warning(
                "%s: %d rows without text left out of %s (textapps data check lists them)",
                name,
                len(rows) - len(filled),
                split,
            )
        names = self.label_names
        if not filled:
            remedy = "" if split == "train" else f"; use more rows, or give --{split}-data"
            raise DataError(f"{name}: no rows for {split}{remedy}")
        index = {label: number for number, label in enumerate(names)}
        for row in filled:
            if row.label not in index:
                reason = f"label '{row.label}'" if row.label else "no label"
                message = f"{reason}, the classes are {', '.join(names)}"
                self._report(Defect(row.place, message))
        known = [row for row in filled if row.label in index]
        labels = np.array([index[row.label] for row in known], np.int32)
        if split == "train" and len(set(labels.tolist())) < 2:
            raise DataError(f"{name}: one class only in the training rows, at least two are needed")
        return LabelledTexts([row.text for row in known], labels, names, name)

    def rows(self, split: str) -> tuple[str, list[Row]]:
        """The name of the set and the rows of one split, those without text included."""
        given = self._given.get(split)
        if given is not None:
            source = open_source(given, self._config, self._report)
            return source.name, source.rows(_own_split(source, split))
        if split != "train" and split in self._main.own_splits:
            return self._main.name, self._main.rows(split)
        return self._main.name, self._parts[split]

    @cached_property
    def label_names(self) -> tuple[str, ...]:
        """The classes in the order of scores; DataError where there are fewer than two."""
        names = self._label_names or self._main.label_names
        if names is None:
            names = sorted_labels(row.label for row in self._pool if row.label)
        if len(names) < 2:
            found = f"one class only, '{names[0]}'" if names else "no labelled rows"
            raise DataError(f"{self._main.name}: {found}; at least two classes are needed")
        return names

    @cached_property
    def _main(self) -> Source:
        return open_source(self._config.source, self._config, self._report)

    @cached_property
    def _pool(self) -> list[Row]:
        """The rows from which missing splits are carved."""
        own = self._main.own_splits
        if own and "train" not in own:
            raise DataError(f"{self._main.name}: no train split, only {', '.join(sorted(own))}")
        return self._main.rows("train" if own else None)

    @cached_property
    def _parts(self) -> dict[str, list[Row]]:
        own = self._main.own_splits
        missing = [name for name, given in self._given.items() if given is None]
        return carve(self._pool, [name for name in missing if name not in own])


def open_source(source: str, config: DataConfig, report: Report = stop) -> Source:
    """The source that a name or path stands for; a set not yet on disk is downloaded.

    DataError where it is nothing that can be found.
    """
    columns = (config.text_column, config.label_column)
    if source == "sample":
        return FileSource(bundled_dir() / "sentiment.csv", report=report, name="sample")
    path = Path(source).expanduser()
    if path.is_dir():
        folder = path.absolute()
        if prepared := find_prepared(folder.name, folder.parent):
            return TfdsSource(prepared.directory, str(prepared), *columns, report)
        return FolderSource(path, report)
    if path.exists():
        return FileSource(path, *columns, report)
    if table_format(path) is not None or source.startswith((".", "/", "~")):
        raise DataError(no_file(path))
    data_dir = Path(config.data_dir).expanduser() if config.data_dir else default_data_dir()
    prepared_set = find_prepared(source, data_dir)
    directory = prepared_set.directory if prepared_set else download(source, data_dir)
    return TfdsSource(directory, source, *columns, report)


def _own_split(source: Source, split: str) -> str | None:
    """Which rows of a set given for one split to take: that split's, or all it has."""
    own = source.own_splits
    if split in own or not own:
        return split if own else None
    if len(own) == 1:
        return next(iter(own))
    raise DataError(f"{source.name}: no {split} split, only {', '.join(sorted(own))}")


def no_file(path: Path) -> str:
    """The message for a path that is not there, with what may have been meant."""
    if not path.parent.is_dir():
        return f"no such file or folder: {path} (there is no folder {path.parent})"
    near = difflib.get_close_matches(path.name, [one.name for one in path.parent.iterdir()], n=1)
    hint = f"; did you mean '{path.parent / near[0]}'?" if near else ""
    return f"no such file or folder: {path}{hint}"
