"""Laws of beam search, with a table as model and all of its sequences as the oracle."""

from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given
from hypothesis import strategies as st

from tests.decoding.searches import SOURCES, VOCABULARY, Table, every_sequence, find, table
from textapps.core.errors import ConfigurationError
from textapps.core.tokens import BOS, EOS
from textapps.decoding.beam_search import beam_search
from textapps.decoding.hypotheses import IMPOSSIBLE

SOURCE = st.integers(0, SOURCES - 1)
BATCH = st.lists(SOURCE, min_size=1, max_size=6)
PENALTY = st.sampled_from([0.0, 1.5])  # each is a trace


def exhaustive(source: int, longest: int, length_penalty: float) -> list[tuple[Any, float]]:
    """All sequences with their scores, the best first."""
    scored = [(s, table().score(source, s, length_penalty)) for s in every_sequence(longest)]
    return sorted(scored, key=lambda each: -each[1])


@pytest.mark.parametrize("longest", [0, 1, 2, 3])
@given(source=SOURCE, length_penalty=PENALTY)
def test_with_beams_for_everything_it_is_exhaustive(
    longest: int, source: int, length_penalty: float
) -> None:
    """There are 1 + 3 + 9 + 27 sequences of at most three tokens."""
    ((*found,),) = find([source], longest, beams=41, n_best=5, length_penalty=length_penalty)
    expected = exhaustive(source, longest, length_penalty)[:5]
    missing = 5 - len(expected)
    assert [s for s, _ in found] == [s for s, _ in expected] + [[]] * missing
    scores = [score for _, score in expected] + [IMPOSSIBLE] * missing
    np.testing.assert_allclose([score for _, score in found], scores, rtol=1e-5)


@given(
    sources=BATCH,
    longest=st.integers(0, 7),
    length_penalty=PENALTY,
    beams=st.sampled_from([2, 5]),
)
def test_scores_are_those_of_the_sequences_and_they_descend(
    sources: list[int], longest: int, length_penalty: float, beams: int
) -> None:
    rows = find(sources, longest, beams=beams, n_best=beams, length_penalty=length_penalty)
    for source, found in zip(sources, rows, strict=True):
        found = [(s, score) for s, score in found if score != IMPOSSIBLE]
        assert found
        scores = [score for _, score in found]
        assert scores == sorted(scores, reverse=True)
        assert len({tuple(s) for s, _ in found}) == len(found)
        for sequence, score in found:
            assert len(sequence) <= longest
            assert score == pytest.approx(table().score(source, sequence, length_penalty), abs=1e-4)


@pytest.mark.slow
@pytest.mark.parametrize("beams", [1, 3, 20])
@given(sources=BATCH, longest=st.integers(0, 7), length_penalty=PENALTY)
def test_with_all_beams_and_room_from_the_start_it_finds_the_same(
    beams: int, sources: list[int], longest: int, length_penalty: float
) -> None:
    """Also with more beams than there are continuations of a token."""
    given = {"beams": beams, "n_best": beams, "length_penalty": length_penalty}
    for one, other in zip(
        find(sources, longest, **given), find(sources, longest, room=7, **given), strict=True
    ):
        assert [tokens for tokens, _ in one] == [tokens for tokens, _ in other]
        np.testing.assert_allclose([s for _, s in one], [s for _, s in other], rtol=1e-5)


@pytest.mark.parametrize("beams", [2, 3, 5])
@given(sources=BATCH, longest=st.integers(0, 12), length_penalty=PENALTY)
def test_the_best_is_never_below_greedy(
    beams: int, sources: list[int], longest: int, length_penalty: float
) -> None:
    best = find(sources, longest, beams=beams, length_penalty=length_penalty)
    likeliest = find(sources, longest, "greedy", length_penalty=length_penalty)
    for ((_, score),), ((_, least),) in zip(best, likeliest, strict=True):
        assert score >= least - 1e-5


def test_without_the_greedy_beam_it_would_be_below() -> None:
    """There are rows where the law above is not idle: greedy leaves the two likeliest prefixes."""
    rows = range(SOURCES)
    greedy = find(list(rows), 12, "greedy")
    lost = 0
    for row in rows:
        ((tokens, _),) = greedy[row]
        beams = [([], 0.0)]
        for length in range(1, len(tokens) + 1):
            longer = [
                ([*s, token], total + table().log_probabilities(row, s)[token])
                for s, total in beams
                for token in (1, 4, 5)
            ]
            beams = sorted(longer, key=lambda each: -each[1])[:2]
            if tokens[:length] not in [s for s, _ in beams]:
                lost += 1
                break
    assert lost > 0


@given(sources=BATCH, longest=st.integers(0, 12), length_penalty=PENALTY)
def test_one_beam_is_greedy(sources: list[int], longest: int, length_penalty: float) -> None:
    one = find(sources, longest, beams=1, length_penalty=length_penalty)
    likeliest = find(sources, longest, "greedy", length_penalty=length_penalty)
    for ((tokens, score),), ((expected, same),) in zip(one, likeliest, strict=True):
        assert tokens == expected
        assert score == pytest.approx(same, abs=1e-5)


@given(sources=BATCH, longest=st.integers(0, 12))
def test_greedy_is_the_loop_of_the_largest_logit(sources: list[int], longest: int) -> None:
    for source, ((tokens, score),) in zip(sources, find(sources, longest, "greedy"), strict=True):
        expected: list[int] = []
        while len(expected) < longest:
            token = int(np.argmax(table().log_probabilities(source, expected)))
            if token == EOS:
                break
            expected.append(token)
        assert tokens == expected
        assert score == pytest.approx(table().score(source, expected, 0.6), abs=1e-4)


@pytest.mark.parametrize("search", ["beam", "greedy", "sample"])
@given(data=st.data())
def test_neighbours_change_nothing(search: str, data: Any) -> None:
    """Neither their order, nor their limits, nor that they go on when a row is done."""
    options = {"beam": {"beams": 3, "n_best": 3}, "sample": {"temperature": 1.5}}.get(search, {})
    sources = data.draw(BATCH)
    longest = data.draw(st.lists(st.integers(0, 9), min_size=len(sources), max_size=len(sources)))
    together = find(sources, longest, search, random_seed=sources, **options)
    for source, limit, found in zip(sources, longest, together, strict=True):
        (alone,) = find([source], limit, search, random_seed=source, **options)
        assert [s for s, _ in found] == [s for s, _ in alone]
        np.testing.assert_allclose([x for _, x in found], [x for _, x in alone], atol=1e-5)


@given(source=SOURCE, length_penalty=PENALTY)
def test_ending_early_changes_no_answer(source: int, length_penalty: float) -> None:
    """A limit that no row comes near is as good as one that is just not reached."""
    options = {"beams": 41, "n_best": 2, "length_penalty": length_penalty}
    (short,), (long,) = (find([source], longest, **options) for longest in (3, 4))
    if all(len(s) <= 3 for s, _ in long):
        assert [s for s, _ in short] == [s for s, _ in long]


def test_the_loop_ends_when_every_row_is_done() -> None:
    """A limit of thousands of tokens is not computed for the sake of a few."""
    calls = []

    class Counting(Table):
        def decode_step(self, *inputs: Any, **memory: Any) -> Any:
            calls.append(1)
            logits, state = super().decode_step(*inputs, **memory)
            return tf.where(tf.range(VOCABULARY) == EOS, 3.0, logits), state

    model, sources = Counting(), tf.constant([3, 1, 2])
    found = beam_search(  # not in a graph
        model.decode_step,
        model.initial_state(3),
        {"source": sources},
        tf.fill([3], BOS),
        beams=2,
        length_penalty=0.6,
        max_length=5000,
    )
    assert len(calls) < 60
    assert found.ids.shape[2] < 60


def test_an_empty_batch_has_no_answers() -> None:
    for search, options in (("beam", {"beams": 3, "n_best": 2}), ("greedy", {})):
        assert find([], [], search, **options) == []


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"beams": 0}, "beams must be 1 or more, not 0"),
        ({"beams": 3, "n_best": 4}, r"from 1 to the number of beams \(3\), not 4"),
        ({"beams": 3, "n_best": 0}, "n_best"),
        ({"beams": 3, "length_penalty": -0.1}, "length_penalty must be 0 or more, not -0.1"),
    ],
)
def test_what_cannot_be_is_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        find([1], 4, **options)
