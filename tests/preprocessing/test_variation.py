"""Vocal tracts, mixtures, made noise, and everything together."""

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import beta, kstest

from textapps.decoding.random import uniforms
from textapps.preprocessing.augmentation import Augmentation
from textapps.preprocessing.augmentation_config import AugmentationConfig
from textapps.preprocessing.config import AudioConfig
from textapps.preprocessing.log_mel import FrontEnd
from textapps.preprocessing.made_noise import made_noises
from textapps.preprocessing.mixup import Mixup
from textapps.preprocessing.tract import LENGTHS, TractWarp
from textapps.preprocessing.variation import Variation

RATE = 8_000
AUDIO = AudioConfig(sample_rate=RATE, high_hz=3_700, clip_seconds=0.2, mels=17)
SAMPLES, BATCH = 1_600, 5
ALL = {
    "shift_ms": 10,
    "tract_percent": 10,
    "mixup": 0.3,
    "room_share": 0.5,
    "telephone_share": 0.5,
    "level_share": 0.5,
}


def clips(rows=BATCH, seed=1):
    return np.random.default_rng(seed).uniform(-0.3, 0.3, (rows, SAMPLES)).astype("float32")


def tone(pitch_hz):
    return (0.3 * np.sin(2 * np.pi * pitch_hz * np.arange(SAMPLES) / RATE)).astype("float32")[None]


def test_a_tract_of_the_usual_length_changes_nothing():
    front_end = FrontEnd(AUDIO)
    tract = TractWarp(AUDIO, front_end.bins, 12)
    warped = front_end.frames(clips(), lambda energies: tract(energies, tf.fill([BATCH], 0.5)))
    np.testing.assert_allclose(warped, front_end.frames(clips()), atol=1e-4)


@pytest.mark.parametrize(("draw", "factor"), [(0, 0.8), (0.5, 1), (0.999, 1.2)])
def test_a_tone_moves_to_the_band_of_its_new_pitch(draw, factor):
    front_end = FrontEnd(AUDIO)
    tract = TractWarp(AUDIO, front_end.bins, 20)
    for pitch_hz in (500, 1_100, 1_700):
        warped = front_end.frames(
            tone(pitch_hz), lambda energies: tract(energies, tf.constant([draw], tf.float32))
        )
        expected = front_end.frames(tone(factor * pitch_hz))
        assert np.argmax(warped[0, 5]) == np.argmax(expected[0, 5])


def test_each_band_hears_frequencies_that_are_a_factor_lower():
    front_end = FrontEnd(AUDIO)
    tract = TractWarp(AUDIO, front_end.bins, 20)
    places = tf.constant((np.arange(LENGTHS) + 0.5) / LENGTHS, tf.float32)
    energies = tf.eye(front_end.bins)[None] * tf.ones([LENGTHS, 1, 1])
    weights = tract(energies, places).numpy()[:, :, 7]  # a band around 1 kHz
    middles = weights @ np.linspace(0, RATE / 2, front_end.bins) / weights.sum(axis=1)
    factors = np.linspace(0.8, 1.2, LENGTHS)
    np.testing.assert_allclose(middles * factors, middles[LENGTHS // 2], rtol=0.02)


@pytest.mark.parametrize("alpha", [0.2, 1.0, 4.0])
def test_shares_are_those_of_a_beta_distribution(alpha):
    drawn = Mixup(alpha).shares(tf.constant(np.random.default_rng(3).uniform(size=4_000)))
    shares = drawn.numpy().astype(float)
    assert shares.min() >= 0.5

    def at_most(share):
        return beta.cdf(share, alpha, alpha) - beta.cdf(1 - share, alpha, alpha)

    assert kstest(shares, at_most).pvalue > 1e-3


@given(share=st.floats(0.5, 1), rows=st.integers(1, 4))
def test_mixtures_of_clips_and_labels(share, rows):
    x, shares = clips(rows), np.full(rows, share, "float32")
    mixed = Mixup.mixed(x, shares).numpy()
    for row in range(rows):
        expected = share * x[row] + (1 - share) * x[row - 1]
        np.testing.assert_allclose(mixed[row], expected, atol=1e-6)
    labels = np.arange(rows)
    loss = Mixup.loss(lambda each: tf.cast(each, tf.float32) ** 2, labels, shares)
    before = np.roll(labels, 1)
    np.testing.assert_allclose(loss, share * labels**2 + (1 - share) * before**2, atol=1e-5)


def test_made_noises():
    voices = list(clips(7))
    noises = made_noises(RATE, voices)
    assert len(noises) == len(made_noises(RATE, [])) + 1 == 6
    for noise, again in zip(noises, made_noises(RATE, voices), strict=True):
        assert (noise.dtype, noise.shape) == (np.float32, (10 * RATE,))
        assert np.sqrt(np.mean(noise**2)) == pytest.approx(0.1, rel=1e-3)
        np.testing.assert_array_equal(noise, again)
    white, pink, brown, hum, _, babble = (np.abs(np.fft.rfft(noise)) ** 2 for noise in noises)

    def per_octave_db(power):
        """Octaves from 1 kHz on against those from 250 Hz on, 2 octaves apart."""
        low, high = power[2_500:5_000].mean(), power[10_000:20_000].mean()
        return 10 * np.log10(high / low) / 2

    assert per_octave_db(white) == pytest.approx(0, abs=0.3)
    assert per_octave_db(pink) == pytest.approx(-3, abs=0.3)
    assert per_octave_db(brown) == pytest.approx(-6, abs=0.3)
    assert set(np.argsort(hum)[-3:]) == {500, 1_000, 1_500}
    assert np.isfinite(babble).all()


def test_all_of_it_depends_on_the_seeds_alone():
    variation = Variation(AugmentationConfig(**ALL), FrontEnd(AUDIO), np.ones(900, "float32"))

    def drawn(clips, seeds):
        return variation(clips, uniforms(seeds, tf.zeros_like(seeds, tf.int32), variation.draws))

    specs = [tf.TensorSpec([None, SAMPLES]), tf.TensorSpec([None], tf.int64)]
    graph = tf.function(drawn, input_signature=specs, autograph=False)
    seeds = np.arange(3, 3 + BATCH)
    first, second = graph(clips(), seeds), graph(clips(), seeds)
    for one, other in zip(first, second, strict=True):
        np.testing.assert_array_equal(one, other)
    others = graph(clips(), seeds + 50)
    assert np.all(np.abs(others.features - first.features).max(axis=(1, 2)) > 1e-3)
    assert first.features.shape == FrontEnd(AUDIO).frames(clips()).shape
    assert np.isfinite(first.features).all()


def test_without_the_later_variations_it_is_what_it_was():
    """A run of a version that had none of them goes on with the same numbers."""
    config = AugmentationConfig(shift_ms=10)
    noise = np.random.default_rng(9).normal(size=900).astype("float32")
    seeds = tf.range(7, 7 + BATCH, dtype=tf.int64)
    front_end, before = FrontEnd(AUDIO), Augmentation(config, AUDIO, noise)
    draws = uniforms(seeds, tf.zeros_like(seeds, tf.int32), before.draws + 1)
    features = before.frames(front_end.frames(before.waveforms(clips(), draws)), draws)
    variation = Variation(config, front_end, noise)
    more = uniforms(seeds, tf.zeros_like(seeds, tf.int32), variation.draws)
    found = variation(tf.constant(clips()), more)
    np.testing.assert_array_equal(found.features, features)
    np.testing.assert_array_equal(found.free, draws[:, -1])
    assert found.shares is None
