"""One step of sampling against NumPy, and by its frequencies."""

from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from tests.decoding.models import options
from textapps.decoding.config import DecodingConfig
from textapps.decoding.options import DTYPES, OFF, is_plain, row_options
from textapps.decoding.sampling import SAMPLERS, Candidates, sample_token

FIRST = 2


def distribution(
    logits: np.ndarray,
    temperature: float = 1.0,
    top_k: int = 0,
    top_p: float = 1.0,
    min_p: float = 0.0,
    repetition_penalty: float = 1.0,
    seen: np.ndarray | None = None,
) -> np.ndarray:
    """The probabilities of one row in float64, from the definitions, ids 0 and 1 left out."""
    scores = logits[FIRST:].astype(float)
    if seen is not None:
        weaker = np.where(scores > 0, scores / repetition_penalty, scores * repetition_penalty)
        scores = np.where(seen[FIRST:], weaker, scores)
    order = np.argsort(-scores, kind="stable")
    if temperature == 0:
        chances = np.zeros(len(scores))
        chances[order[0]] = 1
    else:
        chances = np.exp((scores - scores.max()) / temperature)
    if top_k:
        chances[order[top_k:]] = 0
    chances /= chances.sum()
    total, kept = 0.0, []
    for index in order:
        kept.append(index)
        total += chances[index]
        if total >= top_p:
            break
    if top_p < 1:
        chances[np.setdiff1d(order, kept)] = 0
    chances[chances < min_p * chances.max()] = 0
    return np.concatenate([np.zeros(FIRST), chances / chances.sum()])


def frequencies(logits: np.ndarray, wanted: dict[str, object], draws: int = 4001) -> np.ndarray:
    """Shares of the ids over evenly spaced uniforms: exact but for one draw an id."""
    uniform = ((np.arange(draws) + 0.5) / draws).astype("float32")
    rows = np.broadcast_to(logits, (draws, len(logits)))
    seen = np.broadcast_to(wanted.pop("seen"), rows.shape) if "seen" in wanted else None
    ids = sample_token(tf.constant(rows), uniform, options(draws, **wanted), seen).numpy()
    return np.bincount(ids, minlength=len(logits)) / draws


@given(
    seed=st.integers(0, 2**16),
    size=st.integers(1, 13),
    temperature=st.sampled_from([0.0, 1e-45, 1e-3, 0.3, 1.0, 5.0]),
    top_k=st.sampled_from([0, 1, 2, 5, 40]),
    top_p=st.sampled_from([1e-6, 0.21, 0.5, 0.87, 1.0]),
    min_p=st.sampled_from([0.0, 0.0, 0.07, 0.6, 1.0]),
    repetition_penalty=st.sampled_from([1.0, 1.3, 50.0]),
)
def test_frequencies_are_the_distribution(seed: int, size: int, **wanted: float) -> None:
    draw = np.random.default_rng(seed)
    logits = draw.normal(0, 3, FIRST + size).astype("float32")
    seen = draw.random(FIRST + size) < 0.5
    expected = distribution(logits, seen=seen, **wanted)
    found = frequencies(logits, {**wanted, "seen": seen})
    np.testing.assert_allclose(found, expected, atol=1e-3)
    assert not found[expected == 0].any()


def test_frequencies_of_the_random_numbers_themselves() -> None:
    from textapps.decoding.random import uniforms

    logits = np.random.default_rng(1).normal(0, 1, 9).astype("float32")
    uniform = uniforms(np.arange(20_000), np.full(20_000, 3), 1)[:, 0]
    rows = tf.constant(np.broadcast_to(logits, (20_000, 9)))
    ids = sample_token(rows, uniform, options(20_000, temperature=0.7)).numpy()
    expected = distribution(logits, temperature=0.7)[FIRST:] * 20_000
    assert stats.chisquare(np.bincount(ids, minlength=9)[FIRST:], expected).pvalue > 0.001


@pytest.mark.parametrize("shaped", [False, True])
def test_of_equals_the_lowest_id_is_taken(shaped: bool) -> None:
    logits = np.array([[9, 9, 1, 3, 3, 3, 2], [9, 9, 0, 0, 0, 0, 0]], np.float32)
    seen = np.zeros_like(logits, bool) if shaped else None
    for uniform in (0.0, 0.999):
        rows = np.full(2, uniform, np.float32)
        cold = sample_token(logits, rows, options(2, temperature=0.0), seen).numpy()
        assert cold.tolist() == [3, 2]
        if shaped:
            narrow = sample_token(logits, rows, options(2, top_k=1), seen).numpy()
            assert narrow.tolist() == [3, 2]


def sampled(name: str, logits: list[list[float]], value: float, seen: Any = None) -> list[Any]:
    """The logits behind one sampler."""
    rows = np.array(logits, np.float32)
    candidates = Candidates(rows, np.zeros_like(rows, bool) if seen is None else np.array(seen))
    values = np.full((len(rows), 1), value, DTYPES[name].as_numpy_dtype)
    return SAMPLERS[name](candidates, values).logits.numpy().tolist()


@pytest.mark.parametrize(
    ("name", "value", "logits", "kept"),
    [
        ("top_k", 3, [0, -1, 0, -1, -1], [0, 1, 2]),  # of equals the lowest ids
        ("top_p", 0.59, [0, 0, 0, 0, 0], [0, 1, 2]),
        ("top_p", 1e-6, [-2, 0, -1, 0], [1]),
        ("min_p", 0.5, [-0.69, 0, -0.7, -9, 0], [0, 1, 4]),  # exp(-0.69) = 0.502
        ("min_p", 1, [0, -1e-3, 0], [0, 2]),
    ],
)
def test_what_a_truncating_sampler_keeps(
    name: str, value: float, logits: list[float], kept: list[int]
) -> None:
    (found,) = sampled(name, [logits], value)
    expected = [logit if id in kept else -np.inf for id, logit in enumerate(logits)]
    np.testing.assert_allclose(found, expected, rtol=1e-6)


def test_the_penalty_never_makes_more_likely() -> None:
    seen = [[True, True, True, False]]
    found = sampled("repetition_penalty", [[2.0, -2.0, 0.0, 4.0]], 2.0, seen)
    assert found == [[1.0, -4.0, 0.0, 4.0]]


@pytest.mark.parametrize("jit", [False, True])
def test_a_large_vocabulary_never_gives_what_has_no_chance(jit: bool) -> None:
    """Most of 20,001 characters underflow to nothing; the uniforms ask for every edge."""
    draw = np.random.default_rng(2)
    logits = np.full((1, 20_001), -300, np.float32)
    possible = np.sort(draw.choice(np.arange(FIRST, 20_001), 97, replace=False))
    logits[0, possible] = draw.normal(0, 4, 97)
    run = tf.function(sample_token, jit_compile=jit)
    uniform = np.concatenate([[0, 2**-24, 1 - 2**-24], draw.random(61)]).astype(np.float32)
    ids = run(np.repeat(logits, 64, axis=0), uniform, options(64))
    assert set(ids.numpy()) <= set(possible)
    assert ids[0] == possible[0]


@pytest.mark.parametrize("jit", [False, True])
def test_neighbours_change_nothing(jit: bool) -> None:
    """Not even a neighbour that makes the batch sort its characters."""
    draw = np.random.default_rng(3)
    logits = draw.normal(0, 2, (64, 11)).astype("float32")
    uniform, seen = draw.random(64, "float32"), draw.random((64, 11)) < 0.4
    run = tf.function(sample_token, jit_compile=jit)
    plain = run(logits, uniform, options(64)).numpy()
    shaped = options(64, top_k=[0, 2] * 32, top_p=[1, 0.4] * 32, repetition_penalty=[1, 2] * 32)
    mixed = run(logits, uniform, shaped, seen).numpy()
    assert (mixed[::2] == plain[::2]).all()
    assert (mixed[1::2] != plain[1::2]).any()
    row = {name: values[5:6] for name, values in shaped.items()}
    assert run(logits[5:6], uniform[5:6], row, seen[5:6]).numpy() == mixed[5]


ON = {"top_k": 5, "top_p": 0.9, "min_p": 0.2, "repetition_penalty": 1.1}


def test_every_option_has_its_sampler_and_is_tested_here() -> None:
    assert {*SAMPLERS} == {*DTYPES} - {"length", "random_seed"} == {*ON, "temperature"}
    assert list(SAMPLERS) == ["repetition_penalty", "temperature", "top_k", "top_p", "min_p"]


def test_plain_options_are_those_with_a_temperature_alone() -> None:
    assert is_plain(options(3, temperature=[0, 1, 2]))
    for name, value in ON.items():
        assert not is_plain(options(3, **{name: [OFF[name], value, OFF[name]]}))


def test_options_of_a_configuration() -> None:
    given = {"temperature": 0.5, "top_k": 3, "top_p": 0.25, "min_p": 0.125}
    config = DecodingConfig(repetition_penalty=2, **given)
    found = row_options(config, [5, 6])
    expected = {**given, "repetition_penalty": 2}
    assert {name: values.numpy().tolist() for name, values in found.items()} == {
        **{name: [value, value] for name, value in expected.items()},
        "random_seed": [5, 6],
    }
    assert {name: values.dtype for name, values in found.items()} == {
        **dict.fromkeys(expected, tf.float32),
        "top_k": tf.int32,
        "random_seed": tf.int64,
    }
