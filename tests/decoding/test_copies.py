"""Placeholders in answers: as many as in the source, against all sequences by hand."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.decoding.searches import SOURCES, VOCABULARY, every_sequence, find, table
from textapps.core.tokens import EOS
from textapps.decoding.copies import Copies
from textapps.decoding.hypotheses import possible
from textapps.decoding.repetition import Repetition
from textapps.decoding.rules import FREE, Rules

SOURCE, PLACEHOLDER = st.integers(0, SOURCES - 1), 4
COUNTS = tuple(int(token == PLACEHOLDER) for token in range(VOCABULARY))
BOTH = tuple({PLACEHOLDER: 1, 5: 2}.get(token, 0) for token in range(VOCABULARY))


def rules(
    wanted: int, counts: tuple[int, ...] = COUNTS, repetition: Any = FREE.repetition
) -> Rules:
    """Every row wants as many: a tuple, so that the search is traced once for each."""
    return Rules(repetition, Copies(counts, (wanted,)))


def placeholders(tokens: list[int], counts: tuple[int, ...] = COUNTS) -> int:
    return sum(counts[token] for token in tokens)


@pytest.mark.slow
@pytest.mark.parametrize("wanted", [0, 1, 3])
@pytest.mark.parametrize("counts", [COUNTS, BOTH])
@given(source=SOURCE)
def test_with_beams_for_everything_it_is_exhaustive(
    counts: tuple[int, ...], wanted: int, source: int
) -> None:
    """Of the sequences with as many placeholders as wanted, at most three tokens long."""
    scored = [
        (s, table().score(source, s, 0.6))
        for s in every_sequence(3)
        # at the limit a sequence ends as it is
        if placeholders(s, counts) <= wanted and (placeholders(s, counts) == wanted or len(s) == 3)
    ]
    expected = sorted(scored, key=lambda each: -each[1])[:4]
    ((*found,),) = find([source], 3, beams=41, n_best=4, rules=rules(wanted, counts))
    found = [(s, score) for s, score in found if possible(score)]
    assert [s for s, _ in found] == [s for s, _ in expected]
    np.testing.assert_allclose([x for _, x in found], [x for _, x in expected], rtol=1e-5)


@pytest.mark.parametrize("search", ["beam", "greedy", "sample"])
@given(sources=st.lists(SOURCE, min_size=1, max_size=5), longest=st.integers(0, 12))
def test_an_answer_has_as_many_unless_the_limit_comes_first(
    search: str, sources: list[int], longest: int
) -> None:
    options = {"beam": {"beams": 3, "n_best": 3}, "sample": {"temperature": 1.5}}.get(search, {})
    given_all = {"random_seed": sources, "rules": rules(2), **options}
    together = find(sources, longest, search, **given_all)
    for source, found in zip(sources, together, strict=True):
        (alone,) = find([source], longest, search, **{**given_all, "random_seed": source})
        assert [s for s, _ in found] == [s for s, _ in alone]
        for tokens, score in found:
            if possible(score):
                assert placeholders(tokens) == 2 or len(tokens) == longest
                assert placeholders(tokens) <= 2
                assert score == pytest.approx(table().score(source, tokens, 0.6), abs=1e-4)


@given(sources=st.lists(SOURCE, min_size=1, max_size=5), longest=st.integers(0, 12))
def test_one_beam_is_greedy(sources: list[int], longest: int) -> None:
    one = find(sources, longest, beams=1, rules=rules(2))
    likeliest = find(sources, longest, "greedy", rules=rules(2))
    for ((tokens, score),), ((expected, same),) in zip(one, likeliest, strict=True):
        assert tokens == expected
        assert score == pytest.approx(same, abs=1e-5)


def test_rules_against_repetition_spare_placeholders() -> None:
    never_twice = rules(3, repetition=Repetition(1))
    for ((tokens, _),) in find(list(range(SOURCES)), 9, beams=3, rules=never_twice):
        assert placeholders(tokens) == 3
        others = [token for token in tokens if token != PLACEHOLDER]
        assert len(set(others)) == len(others)
        assert EOS not in tokens
