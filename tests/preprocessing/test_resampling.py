"""Another sample rate, against SciPy and against what a sine is."""

import numpy as np
import pytest
import scipy.signal
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from textapps.preprocessing.resampling import resample

GRAPH = tf.function(
    resample,
    input_signature=[
        tf.TensorSpec([None, None]),
        tf.TensorSpec([], tf.int32),
        tf.TensorSpec([], tf.int32),
    ],
)


def tones(rate, seconds=0.3, highest_hz=3_000, seed=5):
    """Sines that begin and end softly, at times k / rate; the same sound at every rate."""
    rng = np.random.default_rng(seed)
    time = np.arange(round(rate * seconds)) / rate
    pitches, phases = rng.uniform(100, highest_hz, (7, 1)), rng.uniform(0, 6.28, (7, 1))
    waves = np.sin(2 * np.pi * pitches * time + phases).sum(axis=0) / 7
    return (waves * np.sin(np.pi * time / seconds) ** 2).astype("float32")


@pytest.mark.parametrize(
    ("rate_from", "rate_to"),
    [(8_000, 16_000), (44_100, 16_000), (48_000, 16_000), (16_000, 22_050), (11_025, 16_000)],
)
def test_the_same_sound_at_another_rate(rate_from, rate_to):
    x, expected = tones(rate_from), tones(rate_to)
    for resampled in (resample(x, rate_from, rate_to), GRAPH(x[None], rate_from, rate_to)[0]):
        assert len(resampled) == -(-len(x) * rate_to // rate_from)
        size = min(len(resampled), len(expected))
        np.testing.assert_allclose(resampled[:size], expected[:size], atol=5e-5)


@pytest.mark.parametrize("rate_from", [8_000, 44_100, 48_000])
def test_equals_scipy(rate_from):
    x = tones(rate_from)
    resampled = resample(x, rate_from, 16_000).numpy()
    polyphase = scipy.signal.resample_poly(x, 16_000, rate_from)
    np.testing.assert_allclose(resampled, polyphase[: len(resampled)], atol=2e-3)
    fourier = scipy.signal.resample(x, len(resampled))
    if len(x) * 16_000 % rate_from == 0:  # otherwise SciPy's rate is another one
        np.testing.assert_allclose(resampled, fourier, atol=5e-5)


def test_what_the_lower_rate_cannot_hold_is_gone():
    time = np.arange(4_800) / 48_000
    window = np.hanning(4_800)
    high, low = (np.sin(2 * np.pi * pitch * time) * window for pitch in (11_000, 1_000))
    assert np.abs(resample(high.astype("float32"), 48_000, 16_000)).max() < 1e-4
    assert np.abs(resample(low.astype("float32"), 48_000, 16_000)).max() > 0.99


def test_the_end_does_not_run_into_the_beginning():
    x = np.zeros(3_000, "float32")
    x[-200:] = 1
    resampled = resample(x, 48_000, 16_000).numpy()
    assert np.abs(resampled[:100]).max() < 2e-3
    np.testing.assert_allclose(resampled[-40:-20], 1, atol=0.05)


@settings(max_examples=60)
@given(
    samples=st.integers(0, 400),
    rate_from=st.sampled_from([4_000, 7_919, 16_000, 44_099, 192_000]),
    rate_to=st.sampled_from([8_000, 16_000]),
)
def test_every_length_and_rate_gives_finite_numbers(samples, rate_from, rate_to):
    x = np.ones((3, samples), "float32")
    resampled = GRAPH(x, rate_from, rate_to)
    assert resampled.shape == (3, -(-samples * rate_to // rate_from))
    assert np.isfinite(resampled).all()
    assert np.abs(resampled).max(initial=0) < 1.5
    np.testing.assert_allclose(resampled, resample(x, rate_from, rate_to), atol=1e-6)


def test_the_same_rate_changes_nothing():
    x = tones(16_000)[None]
    np.testing.assert_array_equal(resample(x, 16_000, 16_000), x)
    np.testing.assert_array_equal(GRAPH(x, 16_000, 16_000), x)


def test_neighbours_do_not_matter():
    x = np.stack([tones(8_000, seed=seed) for seed in (1, 2, 3)])
    x[1] *= 1e3
    together = resample(x, 8_000, 16_000)
    np.testing.assert_allclose(together[2], resample(x[2], 8_000, 16_000), atol=1e-6)
