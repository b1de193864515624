"""Loading the splits of labelled texts."""

import logging
from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import cached_property, partial
from itertools import chain

import numpy as np
from numpy.typing import NDArray

from textapps.core.counted import counted
from textapps.core.errors import DataError
from textapps.core.part import Part
from textapps.datasets.config import DataConfig
from textapps.datasets.labels import alike, are_no_classes, fold, scarce
from textapps.datasets.source import Defect, Report, Skipped, stop
from textapps.datasets.splits import Splitter, nothing_for
from textapps.datasets.stratify import carve_classes
from textapps.datasets.texts.examples import LabelledTexts, sorted_labels
from textapps.datasets.texts.sources import Text, TextSource, TextTable, open_texts

LOGGER = logging.getLogger("textapps")

_NAMED = 6  # classes of few rows, in a warning


class TextLoader:
    """Loads splits one by one; reads the main source once."""

    kind: type[TextTable] = TextTable
    """What reads a file."""

    def __init__(
        self,
        config: DataConfig,
        label_names: Sequence[str] | None = None,
        report: Report = stop,
    ) -> None:
        self._config = config
        self._label_names = tuple(label_names) if label_names else None
        self._skipped = Skipped()
        self._class_report = report  # bad rows can be skipped, bad classes cannot
        self._report = report = self._skipped if config.skip_bad and report is stop else report
        self._splitter: Splitter[Text] = Splitter(
            lambda: self._main,
            config,
            partial(open_texts, config=config, report=report, kind=self.kind),
            self._carved,
            joined=self._joined,
        )

    def to_evaluate(self, split: str | None) -> str:
        """As `Splitter.to_evaluate`."""
        return self._splitter.to_evaluate(split)

    def rows(self, split: str) -> tuple[str, Sequence[Text]]:
        """The name of the source and the texts of a split, including empty ones."""
        name, rows = self._splitter.examples(split)
        return name, [row._replace(label=self._label(row.label)) for row in rows]

    def labelled(self, split: str, name: str, rows: Sequence[Text]) -> LabelledTexts:
        """The texts of a split with numbered labels; unknown labels go to `report`.

        DataError if there are no texts, or a class without any to train on. A warning says which
        classes have few.
        """
        filled = [row for row in rows if row.text.strip()]
        self._warn_of_blanks(split, name, len(rows) - len(filled))
        names = self.label_names
        index = {label: number for number, label in enumerate(names)}
        for row in filled:
            if row.label not in index:
                self._report_unknown(row.label, row.place)
        self._skipped.warn(name)
        known = [row for row in filled if row.label in index]
        labels = np.array([index[row.label] for row in known], np.int32)
        part = self._checked(split, name, labels)
        return LabelledTexts([row.text for row in known], labels, names, name, part)

    def _warn_of_blanks(self, split: str, name: str, blanks: int) -> None:
        if blanks:
            LOGGER.warning(
                "%s: %s of %s without text, left out (textapps data check lists them)",
                name,
                counted(blanks, "row"),
                split,
            )

    def _report_unknown(self, label: str, place: str) -> None:
        message = f"label '{label}', the classes are {', '.join(self.label_names)}"
        self._report(Defect(place, message))

    def _checked(self, split: str, name: str, labels: NDArray[np.int32]) -> Part:
        """Which part the texts with these labels are, if there are enough of them."""
        if not len(labels):
            raise nothing_for(split, name, "rows")
        if not self._label_names:
            names = self.label_names
            counts = np.bincount(labels, minlength=len(names)).tolist()
            self._check_classes(split, name, dict(zip(names, counts, strict=True)))
        return self._splitter.part(split, len(labels))

    def _check_classes(self, split: str, name: str, counts: dict[str, int]) -> None:
        absent = [label for label, count in counts.items() if not count]
        if split == "train" and absent:
            raise DataError(f"{name}: no row of class '{absent[0]}' to train on")
        if self._class_report is not stop:  # then they are findings
            return
        if few := scarce(split, counts):
            more = f" and {len(few) - _NAMED} more" if len(few) > _NAMED else ""
            LOGGER.warning("%s: few rows: %s%s", name, "; ".join(few[:_NAMED]), more)
        if split == "train" and (same := alike(counts)):
            LOGGER.warning(
                "%s: labels that differ only in case, blanks or the form of a number are different "
                "classes: %s (--fold-labels makes them one)",
                name,
                "; ".join(same),
            )

    def _label(self, label: str) -> str:
        return fold(label) if self._config.fold_labels else label

    @staticmethod
    def _joined(parts: list[Sequence[Text]]) -> Sequence[Text]:
        return list(chain(*parts))

    def _report_of_classes(self, labels: int, rows: int) -> Report | None:
        """To whom classes of few rows are reported; None: to no one."""
        report = None if self._label_names else self._class_report
        if report and are_no_classes(labels, rows):
            message = (
                f"{labels:,} different labels in {rows:,} rows are no classes: name the "
                "column of labels with --label-column"
            )
            report(Defect(self._main.name, message))
            report = None
        return report

    def _carved(
        self, rows: Sequence[Text], missing: Collection[str]
    ) -> Mapping[str, Sequence[Text]]:
        labels = {self._label(row.label) for row in rows}
        return carve_classes(
            rows,
            missing,
            lambda row: row.group or row.text,
            lambda row: self._label(row.label) if row.text.strip() else None,
            name=self._main.name,
            report=self._report_of_classes(len(labels), len(rows)),
        )

    def _labels_of(self, rows: Sequence[Text]) -> Iterable[str]:
        return (self._label(row.label) for row in rows)

    @cached_property
    def label_names(self) -> tuple[str, ...]:
        """The classes in the order of scores; DataError if there are fewer than two."""
        if self._label_names:
            return self._label_names
        given = self._main.label_names
        if given is None:
            names = sorted_labels(self._labels_of(self._splitter.pool))
        else:
            names = tuple(dict.fromkeys(map(self._label, given)))
        if len(names) < 2:
            found = f"only one class, '{names[0]}'" if names else "no labelled rows"
            raise DataError(f"{self._main.name}: {found}; at least two classes are needed")
        return names

    @cached_property
    def _main(self) -> TextSource:
        return open_texts(self._config.source, self._config, self._report, kind=self.kind)
