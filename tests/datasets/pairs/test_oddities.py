"""What looks wrong with pairs."""

import pytest

from textapps.datasets.pairs.oddities import (
    headings,
    odd_lengths,
    other_scripts,
    script,
    single_words,
)
from textapps.datasets.pairs.sources import Pair


def pairs(*sides: tuple[str, str]) -> list[Pair]:
    return [Pair(*side, f"a.tsv:{number}") for number, side in enumerate(sides, 1)]


GOOD = [(f"a cat and {n} dogs", f"eine Katze und {n} Hunde") for n in range(14)]


def test_good_pairs_are_not_odd() -> None:
    found = pairs(*GOOD, ("Hi!", "Einen schönen guten Tag!"))
    assert [odd_lengths(found), single_words(found), headings(found), other_scripts(found)] == [
        [],
        [],
        [],
        [],
    ]


def test_odd_lengths() -> None:
    """Where a translation has twice as many characters as a rule, one of as many is odd."""
    long = ("a cat", "eine Katze " * 9)
    found = odd_lengths(pairs(*GOOD, long))
    assert found == ["a.tsv:15 with 5 and 99 characters"]
    double = [("cat " * 12, "die Katze " * 12)] * 11
    assert odd_lengths(pairs(*double, ("cat " * 12, "cat " * 12))) == []
    assert odd_lengths(pairs(*double, ("cat " * 12, "ja"))) == ["a.tsv:12 with 48 and 2 characters"]


def test_columns_of_single_words() -> None:
    numbered = [(str(n), f"eine Katze und {n} Hunde") for n in range(11)]
    [found] = single_words(pairs(*numbered))
    assert found.startswith("source: 11 of 11 are one word, such as '0'")
    chinese = [("我喜欢这部电影", f"I like this film {n}") for n in range(11)]
    assert single_words(pairs(*chinese)) == []


@pytest.mark.parametrize("first", [("en", "de"), ("Source", "translation"), ("中文", "English")])
def test_headings(first: tuple[str, str]) -> None:
    assert headings(pairs(first, *GOOD)) == [f"a.tsv:1: {first[0]}, {first[1]}"]
    assert headings(pairs(*GOOD, first)) == []


def test_other_scripts() -> None:
    hebrew = [(f"a cat {n}", f"חתול {n}") for n in range(12)]
    found = other_scripts(pairs(*hebrew, ("a dog", "a dog"), ("כלב", "כלב"), ("12", "12")))
    assert found == [
        "a.tsv:14: source in Hebrew, not Latin",
        "a.tsv:13: target in Latin, not Hebrew",
    ]
    half = [(f"a cat {n}", ("кот", "mačka")[n % 2]) for n in range(12)]
    assert other_scripts(pairs(*half)) == []


def test_script() -> None:
    assert [script(text) for text in ("наш DVD-плеер", "ひらがな", "한국어", "¿?")] == [
        "CYRILLIC",
        "CJK",
        "HANGUL",
        "",
    ]
