"""Rules against repetition, against the same rules by hand in NumPy."""

from itertools import pairwise
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given
from hypothesis import strategies as st

from tests.decoding.searches import SOURCES, every_sequence, find, table
from textapps.core.errors import ConfigurationError
from textapps.core.tokens import EOS, PAD
from textapps.decoding.hypotheses import IMPOSSIBLE
from textapps.decoding.repetition import Repetition
from textapps.decoding.rules import Rules

VOCABULARY, TIME = 7, 11
SOURCE = st.integers(0, SOURCES - 1)
# Each is a trace of a search.
RULES = [Repetition(1), Repetition(2), Repetition(penalty=1.7), Repetition(2, 1.3)]


def allowed(log_probabilities: np.ndarray, tokens: list[int], rules: Repetition) -> np.ndarray:
    """The log-probabilities that the rules leave after these tokens, by hand."""
    values, size = log_probabilities.copy(), rules.no_repeat_ngram_size
    for token in set(tokens):
        values[token] *= rules.penalty
    for token in range(len(values)) if size else ():
        longer = [*tokens, token]
        ngrams = [tuple(longer[i : i + size]) for i in range(len(longer) - size + 1)]
        if ngrams and ngrams[-1] in ngrams[:-1]:
            values[token] = IMPOSSIBLE
    return values


def score(source: int, tokens: list[int], rules: Repetition, length_penalty: float = 0.6) -> float:
    total = sum(
        allowed(table().log_probabilities(source, tokens[:i]), tokens[:i], rules)[token]
        for i, token in enumerate([*tokens, EOS])
    )
    return float(total) / ((6 + len(tokens)) / 6) ** length_penalty


@given(
    rows=st.integers(1, 4),
    length=st.integers(0, TIME),
    size=st.integers(0, TIME + 2),
    penalty=st.sampled_from([1.0, 1.5, 4.0]),
    seed=st.integers(0, 999),
)
def test_it_changes_what_the_rules_say(
    rows: int, length: int, size: int, penalty: float, seed: int
) -> None:
    draw = np.random.default_rng(seed)
    values = np.log(draw.dirichlet(np.ones(VOCABULARY), rows)).astype("float32")
    values[:, PAD] = IMPOSSIBLE
    history = np.zeros((rows, TIME), np.int32)
    history[:, :length] = draw.integers(1, 4, (rows, length))
    rules = Repetition(size, penalty)
    found = rules.apply(tf.constant(values), tf.constant(history), length).numpy()
    expected = [
        allowed(row, tokens[:length].tolist(), rules)
        for row, tokens in zip(values, history, strict=True)
    ]
    np.testing.assert_allclose(found[:, 1:], np.array(expected)[:, 1:], rtol=1e-6)
    assert (found[:, PAD] <= IMPOSSIBLE).all()


@pytest.mark.slow
@pytest.mark.parametrize("rules", RULES)
@given(source=SOURCE)
def test_with_beams_for_everything_it_is_exhaustive(rules: Repetition, source: int) -> None:
    longest = 3
    scored = [(s, score(source, s, rules)) for s in every_sequence(longest)]
    expected = sorted(scored, key=lambda each: -each[1])[:4]
    ((*found,),) = find([source], longest, beams=41, n_best=4, rules=Rules(rules))
    assert [s for s, _ in found] == [s for s, _ in expected]
    np.testing.assert_allclose([x for _, x in found], [x for _, x in expected], rtol=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize("rules", RULES)
@given(sources=st.lists(SOURCE, min_size=1, max_size=5), longest=st.integers(0, 12))
def test_one_beam_is_greedy_and_more_are_not_worse(
    rules: Repetition, sources: list[int], longest: int
) -> None:
    one, more, likeliest = (
        find(sources, longest, search, rules=Rules(rules), **options)
        for search, options in (("beam", {"beams": 1}), ("beam", {"beams": 3}), ("greedy", {}))
    )
    for source, *found in zip(sources, one, more, likeliest, strict=True):
        ((tokens, mine),), ((_, best),), ((expected, least),) = found
        assert tokens == expected
        assert mine == pytest.approx(least, abs=1e-5)
        assert best >= least - 1e-5
        assert least == pytest.approx(score(source, expected, rules), abs=1e-4)


@pytest.mark.slow
@pytest.mark.parametrize("search", ["beam", "greedy", "sample"])
@given(data=st.data())
def test_neighbours_change_nothing_and_no_ngram_recurs(search: str, data: Any) -> None:
    options = {"beam": {"beams": 3, "n_best": 3}, "sample": {"temperature": 1.5}}.get(search, {})
    given_all = {"rules": Rules(Repetition(2, 1.3)), **options}
    sources = data.draw(st.lists(SOURCE, min_size=1, max_size=6))
    longest = data.draw(st.lists(st.integers(0, 9), min_size=len(sources), max_size=len(sources)))
    together = find(sources, longest, search, random_seed=sources, **given_all)
    for source, limit, found in zip(sources, longest, together, strict=True):
        (alone,) = find([source], limit, search, random_seed=source, **given_all)
        assert [s for s, _ in found] == [s for s, _ in alone]
        np.testing.assert_allclose([x for _, x in found], [x for _, x in alone], atol=1e-5)
        for tokens, value in found:
            pairs = list(pairwise(tokens))
            assert len(set(pairs)) == len(pairs)
            if value != IMPOSSIBLE:
                assert value == pytest.approx(score(source, tokens, Repetition(2, 1.3)), abs=1e-4)


def test_the_rules_are_not_idle() -> None:
    """Without them, some of the answers repeat a pair of tokens."""
    sources = list(range(SOURCES))
    free, bound = (
        find(sources, 9, beams=3, rules=Rules(rules))
        for rules in (Repetition(), Repetition(2, 1.3))
    )
    assert free != bound


@pytest.mark.parametrize(
    ("rules", "message"),
    [
        (Repetition(-1), "no_repeat_ngram_size must be 0 or more, not -1"),
        (Repetition(penalty=0.9), "repetition_penalty must be 1 or more, not 0.9"),
    ],
)
def test_what_cannot_be_is_refused(rules: Repetition, message: str) -> None:
    for search in ("beam", "greedy"):
        options = {"beams": 2} if search == "beam" else {}
        with pytest.raises(ConfigurationError, match=message):
            find([1], 4, search, rules=Rules(rules), **options)
