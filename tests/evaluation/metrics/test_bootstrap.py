import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from textapps.core.errors import DataError
from textapps.evaluation.metrics.bootstrap import (
    interval,
    paired_bootstrap,
    resampled,
    weighted_mean,
    wilson_interval,
)


def test_every_resample_holds_as_many_examples_and_draws_them_evenly():
    draws = np.array(list(resampled(7, 3000, seed=1)))
    assert draws.shape == (3000, 7)
    np.testing.assert_array_equal(draws.sum(axis=1), 7)
    np.testing.assert_allclose(draws.mean(axis=0), 1.0, atol=0.1)
    np.testing.assert_allclose(draws.var(axis=0), 6 / 7, atol=0.15)


def test_the_seed_decides():
    first, again, other = (list(resampled(11, 4, seed)) for seed in (0, 0, 1))
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)


def test_interval_of_symmetric_draws_is_the_percentile_interval():
    draws = np.arange(-1000, 1001) / 1000
    np.testing.assert_allclose(interval(0.0, draws), (-0.95, 0.95), atol=2e-3)


def test_interval_leans_against_the_lean_of_the_draws():
    """Three quarters of the draws above the estimate: both ends move down (Efron 1987)."""
    draws = np.arange(1, 10_001) / 10_000
    low, high = interval(0.25, draws)
    # 2 z(0.25) -+ 1.96 = -3.309, 0.611, of which the normal shares are these.
    np.testing.assert_allclose((low, high), (0.00047, 0.7294), atol=3e-4)


@given(
    st.floats(-5, 5),
    st.lists(st.floats(-5, 5) | st.just(float("nan")), max_size=30),
)
def test_interval_holds_its_estimate_and_is_never_nan(estimate, draws):
    low, high = interval(estimate, draws)
    assert low <= estimate <= high


def test_interval_covers_the_truth_about_as_often_as_it_says():
    random = np.random.default_rng(2)
    covered = 0
    for trial in range(200):
        sample = random.random(60)
        draws = [weighted_mean(sample, counts) for counts in resampled(60, 200, trial)]
        low, high = interval(float(sample.mean()), draws)
        covered += low <= 0.5 <= high
    assert 0.88 <= covered / 200 <= 0.985


def test_paired_bootstrap_agrees_with_the_normal_approximation():
    random = np.random.default_rng(3)
    a, b = random.random(900) < 0.9, random.random(900) < 0.86
    found = paired_bootstrap(a, b, resamples=4000)
    gains = a.astype(float) - b
    error = gains.std() / np.sqrt(900)
    assert found.difference == pytest.approx(gains.mean())
    assert found.low == pytest.approx(gains.mean() - 1.96 * error, abs=0.15 * error)
    assert found.high == pytest.approx(gains.mean() + 1.96 * error, abs=0.15 * error)


def test_pairing_sees_a_small_but_steady_gain():
    random = np.random.default_rng(4)
    b = random.normal(size=200)
    a = b + 0.05 + random.normal(size=200) * 0.01
    assert paired_bootstrap(a, b, resamples=300).p_value == 0.0
    assert paired_bootstrap(b, a, resamples=300).p_value == 1.0


def test_equal_systems_are_no_better():
    assert paired_bootstrap([1, 0, 1], [1, 0, 1], resamples=50) == (0.0, 0.0, 0.0, 1.0)


@given(st.lists(st.tuples(st.booleans(), st.booleans()), min_size=1, max_size=20))
def test_swapping_the_systems_mirrors_the_comparison(pairs):
    a, b = zip(*pairs, strict=True)
    one, other = (paired_bootstrap(*order, resamples=60) for order in ((a, b), (b, a)))
    np.testing.assert_allclose(
        (one.difference, one.low, one.high),
        (-other.difference, -other.high, -other.low),
        atol=1e-12,
    )
    assert one.p_value + other.p_value >= 1 - 1e-12


@pytest.mark.parametrize(("a", "b"), [([], []), ([1, 0], [1]), ([[1]], [[1]])])
def test_paired_bootstrap_refuses_what_is_not_paired(a, b):
    with pytest.raises(DataError, match="same examples"):
        paired_bootstrap(a, b)


def test_wilson_interval_of_all_and_none():
    """z^2 / (n + z^2) by hand, z = 1.96, n = 10."""
    low, high = wilson_interval([10, 0], [10, 10])
    np.testing.assert_allclose(low, [1 - 0.27753, 0.0], atol=1e-4)
    np.testing.assert_allclose(high, [1.0, 0.27753], atol=1e-4)
