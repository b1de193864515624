"""Sources of labelled texts: tables, folders of class folders, prepared sets."""

import logging
from pathlib import Path
from typing import NamedTuple, Protocol

from textapps.core.errors import DataError
from textapps.datasets.bundled import bundled_dir
from textapps.datasets.columns import find_columns
from textapps.datasets.config import DataConfig
from textapps.datasets.folders import split_folders, subfolders
from textapps.datasets.formats.lines import read_text
from textapps.datasets.ladder import Rungs, open_source
from textapps.datasets.source import Defect, Report, Source, plain_name, stop
from textapps.datasets.table import PreparedSource, TableSource, Wanted
from textapps.datasets.texts.examples import sorted_labels

_FASTTEXT = "__label__"  # what a label begins with in the format of fastText
# The Large Movie Review Dataset has its unlabelled texts next to the class folders.
_UNLABELLED = ("unsup", "unsupervised")


class Text(NamedTuple):
    """A labelled text in its source.

    group: texts of one group stay in one split; "" if the text has no group
    place: where to find it, such as `reviews.csv:17`
    """

    text: str
    label: str
    group: str
    place: str


class TextSource(Source[Text], Protocol):
    """A source of labelled texts."""

    @property
    def label_names(self) -> tuple[str, ...] | None:
        """The classes in the order of the source; None if it does not list them."""


def open_texts(
    source: str,
    config: DataConfig,
    report: Report = stop,
    *,
    labelled: bool = True,
    kind: "type[TextTable] | None" = None,
) -> TextSource:
    """Open the source of a name or path; DataError if there is none.

    Not `labelled`: texts may have the label "". `kind` is what reads a file with labels.
    """
    wanted = _wanted(config, report) if labelled else _plain(config)
    table = (kind or TextTable) if labelled else AnyTable
    whole = stop if config.skip_bad else report  # a file of a folder is no row to leave out
    sample = bundled_dir() / "sentiment.csv"
    rungs = Rungs[TextSource](
        sample=lambda: TextTable(sample, _wanted(DataConfig(), report), report, "sample"),
        file=lambda path: table(
            path, wanted, report, reading=config.reading, instead=" or a folder"
        ),
        folder=lambda path: TextFolder(path, whole, config.encoding, labelled=labelled),
        prepared=lambda found: PreparedTexts(found, wanted),
    )
    return open_source(source, config.data_dir, rungs)


def _wanted(config: DataConfig, report: Report) -> Wanted[Text]:
    def make(cells: list[str], place: str) -> Text | None:
        text, label, group = cells
        if label.strip():
            return Text(text, label.strip(), group, place)
        report(Defect(place, "no label in this row"))
        return None

    def line(line: str, place: str) -> Text | None:
        if line.startswith(_FASTTEXT):
            label, _, text = line.removeprefix(_FASTTEXT).partition(" ")
            if text.startswith(_FASTTEXT):
                report(Defect(place, "several labels; a text has one class"))
                return None
            return make([text.strip(), label, ""], place)
        label, tab, text = line.partition("\t")
        if tab:
            return make([text, label, ""], place)
        if line.strip():
            report(
                Defect(place, "no label: write label, a tab, then the text; or __label__NAME text")
            )
        return None

    columns = {"text": config.text_column, "label": config.label_column}
    return Wanted(columns, make, optional=("group",), line=line)


def _plain(config: DataConfig) -> Wanted[Text]:
    """Rows that need no label; a line of a text file is a text, in which a tab stays."""

    def make(cells: list[str], place: str) -> Text:
        text, label, group = cells
        return Text(text, label.strip(), group, place)

    def line(line: str, place: str) -> Text:
        label, text = "", line
        if line.startswith(_FASTTEXT):
            label, _, text = line.removeprefix(_FASTTEXT).partition(" ")
        return Text(text, label.strip(), "", place)

    columns = {"text": config.text_column}
    if config.label_column is None:
        return Wanted(columns, make, optional=("label", "group"), line=line)
    columns["label"] = config.label_column
    return Wanted(columns, make, optional=("group",), line=line)


class TextTable(TableSource[Text]):
    """A table with a text and a label in each row, or a `.txt` file with both on each line."""

    label_names = None


class AnyTable(TextTable):
    """The same, but rows may have no label.

    A tab in a line of a `.txt` file ends its label if most lines have one, else it is of the text.
    """

    def examples(self, split: str | None) -> list[Text]:
        """In the order of the file; DataError if it has no rows."""
        rows = list(super().examples(split))
        if self.named:
            return rows
        lines = [row.text for row in rows if row.text.strip() and not row.label]
        tabs = 2 * sum("\t" in line for line in lines) > len(lines)
        return [_parted(row, tabs=tabs) for row in rows]


def _parted(row: Text, *, tabs: bool) -> Text:
    if tabs and not row.label and "\t" in row.text:
        label, _, text = row.text.partition("\t")
        return row._replace(text=text, label=label.strip())  # as a classifier reads it
    return row._replace(text=row.text.strip())


class PreparedTexts(PreparedSource[Text]):
    """A set of TensorFlow Datasets with a text and a class."""

    @property
    def label_names(self) -> tuple[str, ...] | None:
        """The class names of the set."""
        place = str(self.found.directory)
        _, label = find_columns(place, self.found.columns, self.wanted.columns)
        return self.found.names(label)


class TextFolder:
    """`<class>/*.txt` or `<split>/<class>/*.txt`, with one text per file.

    DataError if there are no class folders or a text cannot be read. Not `labelled`: other texts
    are read too, with the label "".
    """

    def __init__(
        self,
        path: Path,
        report: Report = stop,
        encoding: str | None = None,
        *,
        labelled: bool = True,
    ) -> None:
        self._labelled = labelled
        self.name = plain_name(path.absolute().name)
        self._report = report
        self._encoding = encoding
        self._folders = split_folders(path)
        self._main = self._folders.get("train", path)

    @property
    def own_splits(self) -> frozenset[str]:
        """The splits with a folder, if one of them is train."""
        return frozenset(split for split in self._folders if split is not None)

    @property
    def label_names(self) -> tuple[str, ...]:
        """The class folders of the training split."""
        return sorted_labels(self._classes(self._main))

    def examples(self, split: str | None) -> list[Text]:
        """Sorted by class, then by file name."""
        return [
            Text(self._read(file), label, "", str(file))
            for label, files in self._classes(self._folders[split]).items()
            for file in files
        ]

    def _read(self, file: Path) -> str:
        return read_text(file, self._report, self._encoding).removesuffix("\n")

    def _classes(self, folder: Path) -> dict[str, list[Path]]:
        files = {child.name: sorted(child.glob("*.txt")) for child in subfolders(folder)}
        classes = {name: texts for name, texts in files.items() if texts}
        if not self._labelled:
            plain = [file for name in _UNLABELLED for file in classes.pop(name, [])]
            return {"": sorted([*folder.glob("*.txt"), *plain]), **classes}
        for name in _UNLABELLED:
            if classes.pop(name, None):
                logging.getLogger("textapps").warning("%s/%s left out: no labels", folder, name)
        if not classes:
            raise DataError(
                f"{folder}: no class folders with .txt files; name a file, or make some"
            )
        return classes
