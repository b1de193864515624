"""The interface of a data source, and how it reports defects."""

import logging
import re
from collections.abc import Callable, Sequence
from typing import NamedTuple, Protocol, TypeVar

from textapps.core.counted import counted
from textapps.core.errors import DataError

LOGGER = logging.getLogger("textapps")
E_co = TypeVar("E_co", covariant=True)
SPLITS = ("train", "validation", "test")
_SHOWN = 3  # bad rows that are named
_SPLIT_NAMES = {
    "train": ("train", "training"),
    "validation": ("validation", "valid", "val", "dev"),
    "test": ("test", "testing"),
}


class Source(Protocol[E_co]):
    """A data set before splitting."""

    @property
    def name(self) -> str:
        """Its name in reports and file names."""

    @property
    def own_splits(self) -> frozenset[str]:
        """The splits that it has: some of train, validation and test; empty if it is not split."""

    def examples(self, split: str | None) -> Sequence[E_co]:
        """The examples of an own split; None: all examples of a source that is not split."""


class Defect(NamedTuple):
    """Something that stops training, and where to find it, such as `reviews.csv:17`."""

    place: str
    message: str

    def __str__(self) -> str:
        return f"{self.place}: {self.message}"


Report = Callable[[Defect], None]


def stop(defect: Defect) -> None:
    """The default report: the first defect raises a DataError."""
    raise DataError(str(defect))


class Skipped:
    """A report that leaves bad rows out and counts them."""

    def __init__(self) -> None:
        self._defects: list[Defect] = []

    def __call__(self, defect: Defect) -> None:
        """Count a defect."""
        self._defects.append(defect)

    def warn(self, name: str = "") -> None:
        """Log how many rows of a source were left out since the last call, and the first three."""
        if bad := self._defects:
            place = f"{name}: " if name else ""
            first = "; ".join(map(str, bad[:_SHOWN]))
            more = f"; … and {len(bad) - _SHOWN:,} more" if len(bad) > _SHOWN else ""
            LOGGER.warning("%s%s skipped: %s%s", place, counted(len(bad), "bad row"), first, more)
            bad.clear()


def split_named(name: str) -> str | None:
    """The split with this name in a column, a folder or a set; None if it is no split.

    >>> split_named("Dev"), split_named("test"), split_named("unsupervised")
    ('validation', 'test', None)
    """
    meant = name.strip().lower()
    return next((split for split, names in _SPLIT_NAMES.items() if meant in names), None)


def split_in_cell(value: str, place: str, report: Report) -> str | None:
    """The split named by a cell; an unknown name goes to `report`."""
    split = split_named(value)
    if split is None:
        report(Defect(place, f"unknown split '{value}', write one of {', '.join(SPLITS)}"))
    return split


def plain_name(name: str) -> str:
    """`name` without characters that are unsafe in file names.

    >>> plain_name("glue/sst2"), plain_name("my reviews (2)")
    ('glue-sst2', 'my-reviews-2')
    """
    return re.sub(r"[^\w.]+", "-", name).strip("-.") or "data"
