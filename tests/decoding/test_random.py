"""Uniform numbers: against SplitMix64 in plain Python, and by their statistics."""

import numpy as np
import tensorflow as tf
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from textapps.decoding.random import uniforms

MASK = 2**64 - 1
SEEDS = st.integers(-(2**63), 2**63 - 1)
POSITIONS = st.integers(0, 2**31 - 100)


def mix(z: int) -> int:
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & MASK
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & MASK
    return z ^ (z >> 31)


def expected(seed: int, position: int) -> float:
    state = mix(seed & MASK)
    for _ in range(position + 1):
        state = (state + 0x9E3779B97F4A7C15) & MASK
    return (mix(state) >> 40) / 2**24


def test_seed_zero_gives_the_published_sequence() -> None:
    """The first outputs of SplitMix64 seeded with 0."""
    published = [0xE220A8397B1DCDAF, 0x6E789E6AA1B965F4, 0x06C45D188009454F]
    found = uniforms([0], [0], 3).numpy()[0]
    assert found.tolist() == [(number >> 40) / 2**24 for number in published]


@given(seed=SEEDS, position=st.integers(0, 50))
def test_equals_plain_python(seed: int, position: int) -> None:
    found = uniforms([seed], [position], 2).numpy()[0]
    assert found.tolist() == [expected(seed, position), expected(seed, position + 1)]


@given(seeds=st.lists(SEEDS, min_size=2, max_size=5), position=POSITIONS, data=st.data())
def test_depends_on_seed_and_position_alone(seeds: list[int], position: int, data: object) -> None:
    rows = len(seeds)
    positions = np.full(rows, position, np.int32)
    whole = uniforms(seeds, positions, 11).numpy()
    assert ((whole >= 0) & (whole < 1)).all()
    cut = data.draw(st.integers(0, 11))
    parts = [uniforms(seeds, positions, cut), uniforms(seeds, positions + cut, 11 - cut)]
    np.testing.assert_array_equal(np.concatenate(parts, axis=1), whole)
    row = data.draw(st.integers(0, rows - 1))
    alone = uniforms([seeds[row]], [position], 11).numpy()
    np.testing.assert_array_equal(alone, whole[row : row + 1])


def test_never_one_and_evenly_spread() -> None:
    numbers = uniforms(np.arange(200), np.zeros(200, np.int32), 1000).numpy()
    assert numbers.max() < 1
    # across positions of one seed, across seeds at one position, and all together
    for sample in (numbers[3], numbers[:, 5], numbers.ravel()):
        assert stats.kstest(sample, "uniform").pvalue > 0.001


def test_neighbouring_seeds_and_positions_are_not_correlated() -> None:
    numbers = uniforms(np.arange(101), np.zeros(101, np.int32), 1000).numpy()
    for one, other in ((numbers[1:], numbers[:-1]), (numbers[:, 1:], numbers[:, :-1])):
        correlation = np.corrcoef(one.ravel(), other.ravel())[0, 1]
        assert abs(correlation) < 4 / np.sqrt(one.size)


def test_compiled_equals_graph() -> None:
    compiled = tf.function(uniforms, jit_compile=True)
    seeds, positions = np.array([-5, 2**62]), np.array([7, 2**31 - 9], np.int32)
    np.testing.assert_array_equal(compiled(seeds, positions, 5), uniforms(seeds, positions, 5))
