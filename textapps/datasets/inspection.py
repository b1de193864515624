"""What `textapps data show` and `check` print, for any kind of example.

Each kind has two dataclasses: the summary of a split, and the findings of a data set. `Annotated`
says how to print a field: in a summary, a function from the values of all splits to table lines;
in findings, a title. --json prints all fields.
"""

from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, NamedTuple, TypeVar

import numpy as np

from textapps.core.errors import DataError
from textapps.datasets.source import Defect

T = TypeVar("T")
R = TypeVar("R")

Lengths = dict[str, int]
"""shortest, median, percent_95 and longest"""

_LENGTHS = {  # name → quantile and title
    "shortest": (0, "shortest"),
    "median": (0.5, "median"),
    "percent_95": (0.95, "95 % up to"),
    "longest": (1, "longest"),
}

Lines = list[list[str]]
"""A title, then a cell for each split."""


@dataclass(frozen=True)
class Overview:
    """The name of a data set and the summary of each split."""

    name: str
    splits: Mapping[str, Any]

    def table(self) -> Lines:
        """A column for each split, with a header."""
        summaries = list(self.splits.values())
        lines = [["", *self.splits]] if summaries else []
        for field in fields(summaries[0]) if summaries else ():
            for lines_of in _annotations(field.type):
                lines += lines_of([getattr(one, field.name) for one in summaries])
        return lines


@dataclass(frozen=True)
class Findings(Overview):
    """An overview with everything that looks wrong."""

    def found(self) -> Iterator[tuple[str, Sequence[object]]]:
        """The title and the items of each finding, defects last. `{}` in a title is the key."""
        for field in sorted(fields(self), key=lambda field: field.name == "defects"):
            value = getattr(self, field.name)
            for title in _annotations(field.type):
                if isinstance(value, dict):
                    for key, found in value.items():
                        yield title.format(key.replace("+", " and ")), found
                else:
                    yield title, value

    @property
    def stops(self) -> Sequence[Defect]:
        """The defects that would stop training."""
        return getattr(self, "defects", ())


class Inspection(NamedTuple):
    """The two ways to look at a data set.

    summarise: returns an overview, a title and the first examples; DataError as when loading
    check: reads everything and collects defects; DataError only if nothing can be read
    """

    summarise: Callable[[], tuple[Overview, str, list[str]]]
    check: Callable[[], Findings]


class Twin(NamedTuple):
    """A repeated example: its place, and the place of its first occurrence."""

    place: str
    first: str

    def __str__(self) -> str:
        return f"{self.place} as {self.first}"


class Seen(NamedTuple):
    """An example to compare: equal examples have equal keys."""

    key: Hashable
    place: str
    label: str = ""


Shared = dict[str, list[Twin]]
"""Examples that also occur in an earlier split, by "train+test" and so on."""


def twins(parts: Mapping[str, Iterable[Seen]]) -> tuple[list[Twin], list[Twin], Shared]:
    """Examples repeated in their split, with another label in any split, or in an earlier split.

    >>> twins({"train": [Seen(1, "a"), Seen(1, "b")], "test": [Seen(1, "c", "x")]})[2]
    {'train+test': [Twin(place='c', first='a')]}
    """
    duplicates: list[Twin] = []
    conflicts: list[Twin] = []
    shared: Shared = {}
    seen: dict[Hashable, dict[str, Seen]] = {}
    for split, examples in parts.items():
        for one in examples:
            earlier = seen.setdefault(one.key, {})
            if split in earlier:
                duplicates.append(Twin(one.place, earlier[split].place))
            for other, first in earlier.items():
                if other != split:
                    shared.setdefault(f"{other}+{split}", []).append(Twin(one.place, first.place))
            different = next(
                (first for first in earlier.values() if first.label != one.label), None
            )
            if different:
                conflicts.append(Twin(one.place, different.place))
            earlier.setdefault(split, one)
    return duplicates, conflicts, shared


def summaries(
    parts: Mapping[str, T], summary: Callable[[str, T], R], defects: list[Defect]
) -> dict[str, R]:
    """The summary of each split; a split that cannot be loaded is a defect."""
    found = {}
    for split, part in parts.items():
        try:
            found[split] = summary(split, part)
        except DataError as error:
            defects.append(Defect(split, str(error)))
    return found


def lengths_of(values: Sequence[int]) -> Lengths:
    """The quantiles of `Lengths`."""
    shares = [share for share, _ in _LENGTHS.values()]
    # Lengths that occur, not averages of two: there is no half word.
    quantiles = np.quantile(values, shares, method="lower").astype(int).tolist()
    return dict(zip(_LENGTHS, quantiles, strict=True))


def count(title: str) -> Callable[[Sequence[int]], Lines]:
    """A line of numbers."""
    return lambda values: [[title, *(f"{value:,}" for value in values)]]


def lengths(kind: str) -> Callable[[Sequence[Lengths]], Lines]:
    """A line for each quantile."""
    return lambda values: [
        [f"{kind}, {title}", *(f"{one[name]:,}" for one in values)]
        for name, (_, title) in _LENGTHS.items()
    ]


def shares(classes: Sequence[Mapping[str, int]]) -> Lines:
    """A line for each class: rows and share of the split."""
    cells = {
        label: [f"{one[label]:,} ({one[label] / sum(one.values()):.1%})" for one in classes]
        for label in classes[0]
    }
    return [[f"  {short(label, 30)}", *cells[label]] for label in cells]


def short(text: str, length: int) -> str:
    """One line of printable characters, so that no text can move the terminal's cursor."""
    line = " ".join("".join(c if c.isprintable() else " " for c in text[: 4 * length]).split())
    return line if len(line) <= length else f"{line[: length - 1]}…"


def _annotations(hint: object) -> tuple[Any, ...]:
    return getattr(hint, "__metadata__", ())
