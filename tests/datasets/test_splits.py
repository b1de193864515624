import hashlib

from hypothesis import given
from hypothesis import strategies as st

from textapps.datasets.source import Row
from textapps.datasets.splits import carve, split_of

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=9)


def warden(key: str) -> str:
    """The rule as the Speech Commands paper spells it, in percent."""
    number = int(hashlib.sha1(key.encode("utf-8")).hexdigest(), 16)
    percentage = (number % 2**27) * (100.0 / (2**27 - 1))
    if percentage < 10:
        return "validation"
    return "test" if percentage < 20 else "train"


@given(TEXT)
def test_rule(key: str) -> None:
    assert split_of(key) == warden(key)


def test_shares() -> None:
    splits = [split_of(str(number)) for number in range(4000)]
    assert 0.08 < splits.count("validation") / 4000 < 0.12
    assert 0.08 < splits.count("test") / 4000 < 0.12


def rows(*pairs: tuple[str, str]) -> list[Row]:
    return [Row(text, "cat", group, "") for text, group in pairs]


def test_carves_what_is_missing_only() -> None:
    # By the rule: "one" trains, "a fine film" validates, "two" tests.
    three = rows(("two", ""), ("a fine film", ""), ("one", ""))
    both = carve(three, {"validation", "test"})
    assert [[row.text for row in both[split]] for split in ("train", "validation", "test")] == [
        ["one"],
        ["a fine film"],
        ["two"],
    ]
    only_validation = carve(three, {"validation"})
    assert [row.text for row in only_validation["train"]] == ["two", "one"]
    assert only_validation["test"] == []
    assert carve(three, ())["train"] == three


@given(st.lists(st.tuples(TEXT, st.sampled_from(["", "a", "two", "a fine film"])), max_size=20))
def test_groups_stay_together_and_nothing_is_lost(pairs: list[tuple[str, str]]) -> None:
    parts = carve(rows(*pairs), {"validation", "test"})
    assert sorted(row for part in parts.values() for row in part) == sorted(rows(*pairs))
    keys = [{row.group or row.text for row in part} for part in parts.values()]
    assert len(keys[0] | keys[1] | keys[2]) == sum(map(len, keys))
