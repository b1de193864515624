"""What every kind of source gives to the loader, and how it reports bad rows."""

import re
from collections.abc import Callable
from typing import NamedTuple, Protocol

from textapps.core.errors import DataError


class Row(NamedTuple):
    """One labelled text as it stands in its source.

    group: rows of one group stay in one split; "" where each text is its own group
    place: where a person finds the row, such as `reviews.csv:17`
    """

    text: str
    label: str
    group: str
    place: str


class Source(Protocol):
    """A data set before it is split and its labels are numbered."""

    @property
    def name(self) -> str:
        """What reports and file names call it."""

    @property
    def label_names(self) -> tuple[str, ...] | None:
        """The classes in their own order, None where only the rows tell."""

    @property
    def own_splits(self) -> frozenset[str]:
        """Those of train, validation and test that the source has; empty: it is not split."""

    def rows(self, split: str | None) -> list[Row]:
        """The rows of one own split, or with None those of a source that is not split."""


class Defect(NamedTuple):
    """Something in a source that stops training."""

    place: str
    message: str


Report = Callable[[Defect], None]


def stop(defect: Defect) -> None:
    """The report of ordinary loading: the first defect is a DataError."""
    raise DataError(f"{defect.place}: {defect.message}")


SPLITS = ("train", "validation", "test")

_SPLIT_NAMES = {
    "train": "train",
    "training": "train",
    "validation": "validation",
    "valid": "validation",
    "val": "validation",
    "dev": "validation",
    "test": "test",
    "testing": "test",
}


def split_named(name: str) -> str | None:
    """The split that `name` means in a column, a folder or a set; None for no split.

    >>> split_named("Dev"), split_named("test"), split_named("unsupervised")
    ('validation', 'test', None)
    """
    return _SPLIT_NAMES.get(name.strip().lower())


def plain_name(name: str) -> str:
    """`name` fit for file names and reports.

    >>> plain_name("glue/sst2"), plain_name("my reviews (2)")
    ('glue-sst2', 'my-reviews-2')
    """
    return re.sub(r"[^\w.]+", "-", name).strip("-.") or "data"
