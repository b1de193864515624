from dataclasses import dataclass
from importlib import import_module
from typing import Annotated

import pytest

from textapps.datasets.inspection import (
    Findings,
    Overview,
    Seen,
    Shared,
    Twin,
    count,
    lengths,
    lengths_of,
    shares,
    short,
    twins,
)
from textapps.datasets.kinds import KINDS
from textapps.datasets.source import Defect


def test_lengths_occur() -> None:
    assert lengths_of([3, 1, 8, 2]) == {
        "shortest": 1,
        "median": 2,
        "percent_95": 3,
        "longest": 8,
    }


def test_lines_of_figures() -> None:
    assert count("rows")([1, 23456]) == [["rows", "1", "23,456"]]
    classes = [{"cat\n": 1, "dog": 2}, {"cat\n": 0, "dog": 8}]
    assert shares(classes) == [
        ["  cat", "1 (33.3%)", "0 (0.0%)"],
        ["  dog", "2 (66.7%)", "8 (100.0%)"],
    ]
    table = lengths("words")([lengths_of([1, 2, 3]), lengths_of([4])])
    assert table[2:] == [["words, 95 % up to", "2", "4"], ["words, longest", "3", "4"]]


@dataclass(frozen=True)
class Split:
    rows: Annotated[int, count("rows")]
    secret: int
    seats: Annotated[int, count("seats")]


@dataclass(frozen=True)
class Found(Findings):
    defects: Annotated[list[Defect], "defects"]
    odd: Annotated[list[str], "odd ones"]
    shared: Annotated[Shared, "rows in {}"]
    hidden: int


def test_fields_say_how_they_are_printed() -> None:
    splits = {"train": Split(3, 4, 5), "test": Split(6, 7, 8)}
    table = [["", "train", "test"], ["rows", "3", "6"], ["seats", "5", "8"]]
    assert Overview("pets", splits).table() == table
    assert Overview("pets", {}).table() == []
    bad, twin = Defect("a:1", "wrong"), Twin("a:3", "a:2")
    found = Found("pets", splits, [bad], ["x"], {"train+test": [twin]}, 5)
    assert found.table() == table
    assert [(title, list(map(str, ones))) for title, ones in found.found()] == [
        ("odd ones", ["x"]),
        ("rows in train and test", ["a:3 as a:2"]),
        ("defects", ["a:1: wrong"]),
    ]
    assert found.stops == [bad]
    assert Findings("pets", splits).stops == ()


def test_twins() -> None:
    parts = {
        "train": [Seen("a", "1", "x"), Seen("b", "2", "x"), Seen("a", "3", "x")],
        "test": [Seen("a", "4", "y"), Seen("c", "5", "x"), Seen("a", "6", "x")],
    }
    duplicates, conflicts, shared = twins(parts)
    assert duplicates == [Twin("3", "1"), Twin("6", "4")]
    assert conflicts == [Twin("4", "1"), Twin("6", "4")]
    assert shared == {"train+test": [Twin("4", "1"), Twin("6", "1")]}


def test_what_is_shown_cannot_move_the_cursor() -> None:
    assert short("\x1b[2Jpu\x85rrs\n", 30) == "[2Jpu rrs"
    assert short("x" * 200, 10) == "x" * 9 + "…"


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_every_kind_can_be_looked_at(kind) -> None:
    inspection = kind.inspect({"source": "sample"})
    overview, _, first = inspection.summarise()
    findings = inspection.check()
    assert (findings.name, findings.splits) == (overview.name, overview.splits)
    assert list(overview.splits) == ["train", "validation", "test"]
    assert findings.table() == overview.table()
    assert findings.stops in ([], ())
    assert all(isinstance(line, str) for line in first)
    assert kind.options <= set(kind.config.model_fields)
    assert import_module(f"textapps.datasets.{kind.room}").__doc__
