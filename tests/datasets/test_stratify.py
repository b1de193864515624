"""Which groups leave the split of the rule, so that every split has every class."""

import hashlib
import logging

import pytest
from hypothesis import given
from hypothesis import strategies as st

from textapps.core.errors import DataError
from textapps.datasets.source import SPLITS, Defect, stop
from textapps.datasets.splits import split_of
from textapps.datasets.stratify import carve_classes, moves

KEYS = st.text("abcxyz", min_size=1, max_size=4)
Row = tuple[str, str, int]  # key, class, number


def numbered(rows: list[tuple[str, str]]) -> list[Row]:
    return [(*row, number) for number, row in enumerate(rows)]


def carved(rows: list[Row], missing: list[str], report=stop) -> dict[str, list[Row]]:
    return carve_classes(
        rows, missing, lambda row: row[0], lambda row: row[1] or None, name="pets", report=report
    )


@given(
    st.lists(st.tuples(KEYS, st.sampled_from(["", "cat", "dog", "eel"])), max_size=30),
    st.sampled_from([[], ["validation"], ["test"], ["validation", "test"]]),
)
def test_groups_stay_whole_and_only_what_must_move_does(rows, missing: list[str]) -> None:
    all_rows = numbered(rows)
    defects: list[Defect] = []
    parts = carved(all_rows, missing, defects.append)
    assert sorted(row for part in parts.values() for row in part) == sorted(all_rows)
    homes = {row[0]: split for split, part in parts.items() for row in part}
    assert all(homes[row[0]] == split for split, part in parts.items() for row in part)
    assert homes == {
        row[0]: split
        for split, part in carved(all_rows[::-1], missing, defects.append).items()
        for row in part
    }
    by_rule = {key: rule if (rule := split_of(key)) in missing else "train" for key in homes}
    before = {(row[1], by_rule[row[0]]) for row in all_rows}
    after = {(row[1], split) for split, part in parts.items() for row in part}
    assert before <= after | {("", split) for split in SPLITS}  # no class leaves a split
    if not {(label, split) for label, _ in before for split in parts if label} - before:
        assert homes == by_rule


@given(st.dictionaries(KEYS, st.sampled_from(["cat", "dog"]), max_size=20))
def test_classes_with_enough_groups_are_in_every_split(labels: dict[str, str]) -> None:
    to, lacking = moves({key: {label} for key, label in labels.items()}, SPLITS[1:])
    homes = {key: to.get(key, split_of(key)) for key in labels}
    for label in set(labels.values()):
        keys = [key for key, own in labels.items() if own == label]
        found = {homes[key] for key in keys}
        assert len(found) == min(3, len(keys))
        assert found | set(lacking.get(label, [])) == set(SPLITS)
        assert len(to.keys() & set(keys)) <= 2


def test_the_nearest_groups_move() -> None:
    """All of them are for training; the two with the lowest hashes leave."""

    def percentage(key: str) -> float:
        return int(hashlib.sha1(key.encode()).hexdigest(), 16) % 2**27 / 2**27

    keys = [key for key in map(str, range(40)) if percentage(key) >= 0.2]
    first, second, *_ = sorted(keys, key=percentage)
    to, lacking = moves({key: {"cat"} for key in keys}, ["test", "validation"])
    assert (to, lacking) == ({first: "validation", second: "test"}, {})
    # one that would leave its split without another class stays
    groups = {key: {"cat"} for key in keys} | {first: {"cat", "dog"}}
    assert moves(groups, ["test", "validation"]).to[second] == "validation"


def test_moves_are_said_and_small_classes_are_errors(caplog) -> None:
    rows = numbered([(str(number), "cat" if number < 38 else "dog") for number in range(40)])
    message = r"^pets: class 'dog' has too few rows \(2\) for train, validation, test: add some"
    with pytest.raises(DataError, match=message):
        carved(rows, ["validation", "test"])
    assert not caplog.messages
    with caplog.at_level(logging.WARNING, "textapps"):
        carved(numbered([(f"s{number}", "ab"[number % 2]) for number in range(7)]), ["test"])
    [said] = caplog.messages
    assert said.startswith("pets: rows moved so that every split has every class: 1 of 'b' to test")
    caplog.clear()
    carve_classes(
        rows, SPLITS[1:], lambda row: row[0], lambda row: row[1], name="pets", report=None
    )
    assert not caplog.messages
