"""Laws of sequences that are drawn; those of greedy ones stand with beam search."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from tests.decoding.searches import SOURCES, find, table
from textapps.core.errors import ConfigurationError

SOURCE = st.integers(0, SOURCES - 1)


@given(sources=st.lists(SOURCE, min_size=1, max_size=5), longest=st.integers(0, 9))
def test_at_temperature_zero_the_likeliest_is_drawn(sources: list[int], longest: int) -> None:
    """But never the unknown token, which greedy may take."""
    drawn = find(sources, longest, "sample", temperature=0.0, random_seed=3)
    greedy = find(sources, longest, "greedy")
    for one, other in zip(drawn, greedy, strict=True):
        if 1 not in other[0][0]:
            assert one == other


@given(source=SOURCE, longest=st.integers(0, 9), seed=st.integers(-5, 2**40))
def test_scores_are_those_of_the_model(source: int, longest: int, seed: int) -> None:
    (((tokens, score),),) = find([source], longest, "sample", temperature=2.0, random_seed=seed)
    assert len(tokens) <= longest
    assert score == pytest.approx(table().score(source, tokens, 0.6), abs=1e-4)


@given(source=SOURCE, seed=st.integers(0, 99))
def test_a_longer_limit_goes_on_where_the_shorter_one_ended(source: int, seed: int) -> None:
    texts = [
        find([source], longest, "sample", temperature=1.0, random_seed=seed)[0][0][0]
        for longest in (2, 8)
    ]
    assert texts[0] == texts[1][:2]


def test_first_tokens_are_drawn_from_the_softmax() -> None:
    rows, temperature = 2000, 1.5
    found = find([7] * rows, 1, "sample", temperature=temperature, random_seed=np.arange(rows))
    counts = Counter(tuple(tokens) for ((tokens, _),) in found)
    logits = table().log_probabilities(7, [])[[3, 4, 5]] / temperature
    expected = np.exp(logits) / np.exp(logits).sum() * rows
    observed = [counts[()], counts[(4,)], counts[(5,)]]
    assert sum(observed) == rows
    assert stats.chisquare(observed, expected).pvalue > 0.001


def test_a_negative_penalty_is_refused() -> None:
    for search, options in (("greedy", {}), ("sample", {"temperature": 1.0})):
        with pytest.raises(ConfigurationError, match="length_penalty must be 0 or more"):
            find([1], 4, search, length_penalty=-1.0, **options)
