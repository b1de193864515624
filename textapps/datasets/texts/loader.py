"""Loading labelled texts."""

import logging
from collections.abc import Collection, Sequence
from functools import cached_property, partial

import numpy as np

from textapps.core.counted import counted
from textapps.core.errors import DataError
from textapps.datasets.config import DataConfig
from textapps.datasets.labels import alike, are_no_classes, fold, scarce
from textapps.datasets.source import SPLITS, Defect, Report, Skipped, stop
from textapps.datasets.splits import Splitter, nothing_for
from textapps.datasets.stratify import carve_classes
from textapps.datasets.texts.examples import LabelledTexts, sorted_labels
from textapps.datasets.texts.sources import Text, TextSource, open_texts

LOGGER = logging.getLogger("textapps")

_NAMED = 6  # classes of few rows, in a warning


def load_texts(
    config: DataConfig,
    splits: Sequence[str | None] = SPLITS,
    label_names: Sequence[str] | None = None,
) -> list[LabelledTexts]:
    """Load splits; no more of a source is read than they need.

    A source's own splits are used. Missing splits are carved by the hash of the group, or of the
    text if it has no group: 80/10/10, except that every split gets a row of every class
    (`textapps.datasets.stratify`). `validation_source` and `test_source` replace a split.
    `all` is the whole source, and None the part of it that `Splitter.to_evaluate` chooses.

    `label_names` are the classes of an earlier training, to which all labels must belong; by
    default those of the source, or of its training texts. DataError if data are missing, wrong or
    empty, or have fewer than two classes.
    """
    loader = TextLoader(config, label_names)
    chosen = map(loader.to_evaluate, splits)
    return [loader.labelled(split, *loader.rows(split)) for split in chosen]


class TextLoader:
    """Loads splits one by one; reads the main source once."""

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
            partial(open_texts, config=config, report=report),
            self._carved,
        )

    def to_evaluate(self, split: str | None) -> str:
        """As `Splitter.to_evaluate`."""
        return self._splitter.to_evaluate(split)

    def rows(self, split: str) -> tuple[str, list[Text]]:
        """The name of the source and the texts of a split, including empty ones."""
        name, rows = self._splitter.examples(split)
        return name, [row._replace(label=self._label(row.label)) for row in rows]

    def labelled(self, split: str, name: str, rows: list[Text]) -> LabelledTexts:
        """The texts of a split with numbered labels; unknown labels go to `report`.

        DataError if there are no texts, or a class without any to train on. A warning says which
        classes have few.
        """
        filled = [row for row in rows if row.text.strip()]
        if len(filled) < len(rows):
            LOGGER.warning(
                "%s: %s of %s without text, left out (textapps data check lists them)",
                name,
                counted(len(rows) - len(filled), "row"),
                split,
            )
        names = self.label_names
        index = {label: number for number, label in enumerate(names)}
        for row in filled:
            if row.label not in index:
                message = f"label '{row.label}', the classes are {', '.join(names)}"
                self._report(Defect(row.place, message))
        self._skipped.warn(name)
        known = [row for row in filled if row.label in index]
        if not known:
            raise nothing_for(split, name, "rows")
        labels = np.array([index[row.label] for row in known], np.int32)
        if not self._label_names:
            self._check_classes(
                split,
                name,
                dict(zip(names, np.bincount(labels, minlength=len(names)).tolist(), strict=True)),
            )
        part = self._splitter.part(split, len(known))
        return LabelledTexts([row.text for row in known], labels, names, name, part)

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

    def _carved(self, rows: list[Text], missing: Collection[str]) -> dict[str, list[Text]]:
        report = None if self._label_names else self._class_report
        labels = len({self._label(row.label) for row in rows})
        if report and are_no_classes(labels, len(rows)):
            message = (
                f"{labels:,} different labels in {len(rows):,} rows are no classes: name the "
                "column of labels with --label-column"
            )
            report(Defect(self._main.name, message))
            report = None
        return carve_classes(
            rows,
            missing,
            lambda row: row.group or row.text,
            lambda row: self._label(row.label) if row.text.strip() else None,
            name=self._main.name,
            report=report,
        )

    @cached_property
    def label_names(self) -> tuple[str, ...]:
        """The classes in the order of scores; DataError if there are fewer than two."""
        if self._label_names:
            return self._label_names
        given = self._main.label_names
        if given is None:
            names = sorted_labels(self._label(row.label) for row in self._splitter.pool)
        else:
            names = tuple(dict.fromkeys(map(self._label, given)))
        if len(names) < 2:
            found = f"only one class, '{names[0]}'" if names else "no labelled rows"
            raise DataError(f"{self._main.name}: {found}; at least two classes are needed")
        return names

    @cached_property
    def _main(self) -> TextSource:
        return open_texts(self._config.source, self._config, self._report)
