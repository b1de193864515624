"""What labels tell about the data: spellings, and classes with too few rows."""

import re
import unicodedata
from collections.abc import Iterable, Mapping

from textapps.core.counted import counted

FEW = {"train": 10, "validation": 5, "test": 5}
"""A class with fewer rows can hardly be learned, or its figures say little."""

UNEQUAL = 2
"""Classes are unequal if the largest has this many times as many examples as the smallest."""

_NUMBER = re.compile(r"([+-]?)0*(\d+?)(?:\.(\d*?)0*)?")


def fold(label: str) -> str:
    """The label in lower case, accents composed, single blanks, a number without needless zeros.

    >>> [fold(label) for label in (" Not  GOOD", "01", "1.0", "+2.50", "100")]
    ['not good', '1', '1', '2.5', '100']
    """
    plain = " ".join(unicodedata.normalize("NFC", label.casefold()).split())
    number = _NUMBER.fullmatch(plain)
    if number is None:
        return plain
    sign, whole, fraction = number.groups()
    return ("-" if sign == "-" else "") + whole + (f".{fraction}" if fraction else "")


def alike(labels: Iterable[str]) -> list[str]:
    """The labels that `fold` makes equal, a line for each such group.

    >>> alike(["neg", "pos", "NEG"])
    ["'NEG', 'neg'"]
    """
    groups: dict[str, list[str]] = {}
    for label in sorted(set(labels)):
        groups.setdefault(fold(label), []).append(label)
    return [", ".join(map(repr, group)) for group in groups.values() if len(group) > 1]


def scarce(split: str, counts: Mapping[str, int]) -> list[str]:
    """The classes with fewer than `FEW` rows in a split, a line for each.

    >>> scarce("test", {"neg": 5, "pos": 1, "odd": 0})
    ["test: 1 row of 'pos'", "test: 0 rows of 'odd'"]
    """
    return [
        f"{split}: {counted(count, 'row')} of '{label}'"
        for label, count in counts.items()
        if count < FEW.get(split, 0)
    ]


def unequal(counts: Mapping[str, int]) -> str:
    """How much larger the largest class is than the smallest, "" below `UNEQUAL` times.

    Classes without examples are ignored.

    >>> unequal({"neg": 50, "pos": 950, "odd": 0})
    "'pos' has 19 times as many examples as 'neg' (950 and 50)"
    >>> unequal({"neg": 50, "pos": 99})
    ''
    """
    present = {label: count for label, count in counts.items() if count}
    large, small = (bound(present, key=present.__getitem__, default="") for bound in (max, min))
    if not present or present[large] < UNEQUAL * present[small]:
        return ""
    times = f"{present[large] / present[small]:.3g}"
    return (
        f"'{large}' has {times} times as many examples as '{small}' "
        f"({present[large]:,} and {present[small]:,})"
    )


def to_balance(counts: Mapping[str, int]) -> list[str]:
    """The finding of `data check` on the classes of train, with the remedy; none if equal."""
    told = unequal(counts)
    remedy = "--class-weights balanced or --oversample gives small classes more weight"
    return [f"train: {told}; {remedy}"] if told else []


def are_no_classes(labels: int, rows: int) -> bool:
    """Whether labels differ so much from row to row that they must be something else.

    >>> are_no_classes(150, 200), are_no_classes(3, 5)
    (True, False)
    """
    return rows >= 20 and 2 * labels > rows
