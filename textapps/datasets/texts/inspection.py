"""What a data set holds, and what is wrong with it."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from textapps.core.errors import DataError
from textapps.datasets.config import DataConfig
from textapps.datasets.source import SPLITS, Defect, Row
from textapps.datasets.texts.labelled_texts import LabelledTexts
from textapps.datasets.texts.load import Loader

Lengths = dict[str, int]
"""shortest, median, percent_95 and longest"""


@dataclass(frozen=True)
class SplitSummary:
    """Rows, rows by class, lengths, and the first row of each class."""

    rows: int
    classes: dict[str, int]
    words: Lengths
    characters: Lengths
    examples: list[dict[str, str]]


class Twin(NamedTuple):
    """A row whose text stands elsewhere too, and where it was seen first."""

    place: str
    first: str


@dataclass(frozen=True)
class Findings:
    """All that `check` finds; only `defects` stop a training.

    duplicates: rows whose text stands earlier in their own split
    conflicts: rows whose text stands earlier, in any split, with another label
    shared: rows whose text stands in an earlier split, by "train+test" and the like
    """

    name: str
    splits: dict[str, SplitSummary]
    defects: list[Defect]
    empty: list[str]
    duplicates: list[Twin]
    conflicts: list[Twin]
    shared: dict[str, list[Twin]]


def summarise(config: DataConfig) -> tuple[str, dict[str, SplitSummary]]:
    """The name of a set and its splits; DataError as in loading."""
    loader = Loader(config)
    loaded = {split: loader.load(split) for split in SPLITS}
    return loaded["train"].name, {name: _summary(texts) for name, texts in loaded.items()}


def check(config: DataConfig) -> Findings:
    """Reads everything, past bad rows; DataError only where nothing can be read."""
    defects: list[Defect] = []
    loader = Loader(config, report=defects.append)
    parts = {split: loader.rows(split) for split in SPLITS}
    name = parts["train"][0]
    splits = {}
    empty: list[str] = []
    for split, (_, rows) in parts.items():
        empty += [row.place for row in rows if not row.text.strip()]
        try:
            filled = [row for row in rows if row.text.strip()]
            splits[split] = _summary(loader.labelled(split, name, filled))
        except DataError as error:
            defects.append(Defect(split, str(error)))
    found = twins({split: rows for split, (_, rows) in parts.items()})
    return Findings(name, splits, defects, empty, *found)


def _summary(data: LabelledTexts) -> SplitSummary:
    counts = np.bincount(data.labels, minlength=len(data.label_names)).tolist()
    first = {label: row for row, label in reversed(list(enumerate(data.labels.tolist())))}
    return SplitSummary(
        rows=len(data),
        classes=dict(zip(data.label_names, counts, strict=True)),
        words=lengths_of([len(text.split()) for text in data.texts]),
        characters=lengths_of([len(text) for text in data.texts]),
        examples=[
            {"label": data.label_names[label], "text": data.texts[first[label]]}
            for label in sorted(first)
        ],
    )


def lengths_of(values: list[int]) -> Lengths:
    """How short and long they are."""
    # Lengths that occur, not averages of two: half a word would be odd to read.
    quantiles = np.quantile(values, [0, 0.5, 0.95, 1], method="lower").astype(int).tolist()
    return dict(zip(("shortest", "median", "percent_95", "longest"), quantiles, strict=True))


def twins(
    parts: dict[str, list[Row]],
) -> tuple[list[Twin], list[Twin], dict[str, list[Twin]]]:
    """Duplicates, conflicts and shared rows, as `Findings` has them."""
    duplicates: list[Twin] = []
    conflicts: list[Twin] = []
    shared: dict[str, list[Twin]] = {}
    seen: dict[str, dict[str, Row]] = {}
    for split, rows in parts.items():
        for row in rows:
            if not row.text.strip():
                continue
            earlier = seen.setdefault(row.text, {})
            if split in earlier:
                duplicates.append(Twin(row.place, earlier[split].place))
            for other, first in earlier.items():
                if other != split:
                    shared.setdefault(f"{other}+{split}", []).append(Twin(row.place, first.place))
            different = next((one for one in earlier.values() if one.label != row.label), None)
            if different:
                conflicts.append(Twin(row.place, different.place))
            earlier.setdefault(split, row)
    return duplicates, conflicts, shared
