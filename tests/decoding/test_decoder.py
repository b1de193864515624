"""Laws of generated text: cuts, neighbours and seeds, the stop text, greedy and sampled."""

from collections import Counter
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import special, stats

from tests.decoding.models import VOCABULARY, Bigrams, bigrams, generate, options, parts
from textapps.decoding import decoder as decoder_module
from textapps.decoding.decoder import Decoder
from textapps.decoding.options import Options

IDS = st.integers(1, VOCABULARY - 1)
SEED_TEXTS = st.lists(st.lists(IDS, min_size=1, max_size=5), min_size=1, max_size=4)
VALUES = {
    "temperature": st.sampled_from([0.0, 0.5, 1.0, 3.0]),
    "top_k": st.sampled_from([0, 0, 2, 9]),
    "top_p": st.sampled_from([1.0, 1.0, 0.6]),
    "min_p": st.sampled_from([0.0, 0.0, 0.3]),
    "repetition_penalty": st.sampled_from([1.0, 1.0, 1.5]),
    "random_seed": st.integers(0, 50),
}


def draw_options(data: Any, rows: int) -> Options:
    lists = {name: st.lists(each, min_size=rows, max_size=rows) for name, each in VALUES.items()}
    return options(rows, **{name: data.draw(values, label=name) for name, values in lists.items()})


def row_of(options: Options, row: int) -> Options:
    return {name: values[row : row + 1] for name, values in options.items()}


def alone(seed: list[int], options: Options, length: int) -> list[int]:
    """The text of one row from one call, without a stop text."""
    (text,), _ = generate([seed], options, [[length]])
    assert len(text) == length
    return text


def before(text: list[int], stop: list[int]) -> list[int]:
    """A text up to the first occurrence of the stop text."""
    for begin in range(len(text) - len(stop) + 1):
        if text[begin : begin + len(stop)] == stop:
            return text[:begin]
    return text


@given(seeds=SEED_TEXTS, data=st.data())
@settings(max_examples=40)
def test_neither_cuts_nor_neighbours_change_a_text(seeds: list[list[int]], data: Any) -> None:
    """Rows of unequal lengths and options, cut into calls of any lengths, each for itself."""
    rows = len(seeds)
    wanted = draw_options(data, rows)
    lengths = st.lists(st.integers(0, 6), min_size=rows, max_size=rows)
    cuts = data.draw(st.lists(lengths, min_size=1, max_size=4), label="cuts")
    texts, state = generate(seeds, wanted, cuts)
    totals = np.sum(cuts, axis=0)
    assert state.position.numpy().tolist() == totals.tolist()
    for row, text in enumerate(texts):
        assert text == alone(seeds[row], row_of(wanted, row), totals[row])
        history = seeds[row] + text
        np.testing.assert_array_equal(state.logits[row], Bigrams().logits(history))
        assert state.backbone[0]["count"][row] == len(history)
        assert state.backbone[1]["last"][row, 0] == history[-1]
        assert set(np.flatnonzero(state.own["seen"][row])) == set(history)


@given(seeds=SEED_TEXTS, data=st.data())
@settings(max_examples=40)
def test_the_stop_cuts_at_its_first_occurrence(seeds: list[list[int]], data: Any) -> None:
    """As if the whole text were there first; what is given out is never taken back."""
    rows = len(seeds)
    wanted = {**draw_options(data, rows), "random_seed": np.arange(rows)}
    stop = data.draw(st.lists(st.integers(2, 4), min_size=1, max_size=3), label="stop")
    lengths = st.lists(st.integers(0, 9), min_size=rows, max_size=rows)
    cuts = data.draw(st.lists(lengths, min_size=1, max_size=6), label="cuts")
    texts, _ = generate(seeds, wanted, cuts, stop=stop)
    for row, text in enumerate(texts):
        whole = alone(seeds[row], row_of(wanted, row), sum(cut[row] for cut in cuts))
        assert text == before(whole, stop)


class Reciter(Bigrams):
    """Says one text, again and again, whatever it has been told."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.text = [int(digit) for digit in text]

    def initial_state(self, batch: Any) -> Any:
        return ({"said": tf.zeros([batch], tf.int32)},)

    def decode_step(self, ids: Any, state: Any, mask: Any = None) -> Any:
        said = state[0]["said"] + 1
        coming = tf.gather(tf.constant(self.text), (said - 1) % len(self.text))
        return tf.one_hot(coming, VOCABULARY), ({"said": said},)


RECITALS = [Reciter(text) for text in ("2", "2232322", "32233223")]


@pytest.mark.slow
@given(data=st.data())
@settings(max_examples=40)
def test_no_more_is_held_back_than_may_begin_the_stop(data: Any) -> None:
    """Two characters only, so that one false beginning runs into the next; calls of any size."""
    model = RECITALS[data.draw(st.integers(0, len(RECITALS) - 1))]
    stop = data.draw(st.lists(st.integers(2, 3), min_size=1, max_size=5))
    cuts = data.draw(st.lists(st.integers(0, 4), min_size=1, max_size=12))
    said, done = model.text * 48, 0
    expected = before(said[: sum(cuts)], stop)
    steps = [[length] for length in cuts]
    for ((found,), _), length in zip(
        parts([[2]], options(1, temperature=0.0), steps, stop, model), cuts, strict=True
    ):
        done += length
        held = before(said[:done], stop)[len(found) :]
        assert found == expected[: len(found)]
        assert held == stop[: len(held)]
    assert found == expected


@given(seed=st.lists(IDS, min_size=1, max_size=5))
@settings(max_examples=20)
def test_greedy_is_the_loop_of_the_largest_logit(seed: list[int]) -> None:
    expected = list(seed)
    for _ in range(20):
        logits = Bigrams().logits(expected)
        expected.append(2 + int(np.argmax(logits[2:])))
    (text,), _ = generate([seed], options(1, temperature=0.0), [[20]])
    assert seed + text == expected


def test_greedy_with_a_penalty_remembers_seed_and_text() -> None:
    seed, penalty = [3, 5, 3], 3.0
    expected = list(seed)
    for _ in range(30):
        logits = Bigrams().logits(expected)[2:]
        weaker = np.where(logits > 0, logits / penalty, logits * penalty)
        seen = np.isin(np.arange(2, VOCABULARY), expected)
        expected.append(2 + int(np.argmax(np.where(seen, weaker, logits))))
    wanted = options(1, temperature=0.0, repetition_penalty=penalty)
    (text,), _ = generate([seed], wanted, [[13], [17]])
    assert seed + text == expected
    assert text != alone(seed, options(1, temperature=0.0), 30)


def test_sampled_frequencies_are_the_softmax() -> None:
    """Every pair of positions and last characters, over 400 texts."""
    rows = 400
    texts, _ = generate([[4]] * rows, options(rows, random_seed=range(rows)), [[60] * rows])
    found = Counter()
    for text in texts:
        history = [4, *text]
        found.update((n % 3, *history[n - 1 : n + 1]) for n in range(1, len(history)))
    table = special.softmax(Bigrams().table[:, :, 2:].astype(float), axis=-1)
    values = []
    for phase in range(3):
        for last in range(2, VOCABULARY):
            counts = [found[phase, last, following] for following in range(2, VOCABULARY)]
            expected = sum(counts) * table[phase, last]
            assert expected.min() > 4
            values.append(stats.chisquare(counts, expected).pvalue)
    assert stats.kstest(values, "uniform").pvalue > 0.001


def test_a_seed_is_one_text_and_others_are_others() -> None:
    """What several samples are: one batch with the seeds n, n + 1, n + 2."""
    texts, _ = generate([[3]] * 3, options(3, random_seed=[7, 8, 9]), [[40] * 3])
    assert texts == [alone([3], options(1, random_seed=seed), 40) for seed in (7, 8, 9)]
    assert len({tuple(text) for text in texts}) == 3


def test_a_long_seed_text_is_read_in_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    seeds = [[2, 3, 4, 5, 6, 2, 4], [6], [5, 4, 3]]
    wanted = options(3, random_seed=[1, 2, 3])
    expected, _ = generate(seeds, wanted, [[9, 9, 9]])
    monkeypatch.setattr(decoder_module, "PROMPT_CHUNK", 3)
    assert generate(seeds, wanted, [[9, 9, 9]], model=Bigrams())[0] == expected


@pytest.mark.slow
@pytest.mark.parametrize("stop", [None, [4, 3]])
@given(data=st.data())
@settings(max_examples=10)
def test_compiled_equals_graph(stop: list[int] | None, data: Any) -> None:
    """One trace serves every length up to its number of steps, and what is more counts as that."""
    seeds, wanted = [[2], [3], [6]], draw_options(data, 3)
    lengths = st.lists(st.integers(0, 11), min_size=3, max_size=3)
    cuts = data.draw(st.lists(lengths, min_size=2, max_size=4))
    compiled, after = generate(seeds, wanted, cuts, stop, jit=True, steps=8)
    expected, same = generate(seeds, wanted, np.minimum(cuts, 8).tolist(), stop)
    assert compiled == expected
    if stop is None:  # else the state of a row that has ended means nothing
        tf.nest.map_structure(np.testing.assert_array_equal, after, same)


def test_knowing_that_options_are_plain_changes_nothing() -> None:
    made = Decoder(bigrams(), VOCABULARY)
    state = made.start(np.array([[3], [4]], np.int32), np.ones(2, np.int32))
    wanted = options(2, random_seed=[4, 5], temperature=[0.5, 2])
    length = np.array([9, 7], np.int32)
    found = [made.advance(state, wanted, length, plain=plain) for plain in (None, True, False)]
    for other in found[1:]:
        tf.nest.map_structure(np.testing.assert_array_equal, found[0], other)


def test_the_loop_ends_when_every_row_has_stopped() -> None:
    """Thousands of characters are not computed for the sake of two."""
    calls = []

    class Counting(Reciter):
        def decode_step(self, ids: Any, state: Any, mask: Any = None) -> Any:
            calls.append(1)
            return super().decode_step(ids, state, mask)

    made = Decoder(Counting("5623"), VOCABULARY)
    one = np.ones(1, np.int32)
    state = made.start(2 * one[:, None], one, np.array([2, 3], np.int32))
    ids, lengths, _ = made.advance(state, options(temperature=0.0), 5000 * one)  # not in a graph
    assert ids[0, : lengths[0]].numpy().tolist() == [5, 6]
    assert len(calls) == 1 + 4
