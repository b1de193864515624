import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from textapps.core.errors import DataError
from textapps.evaluation.metrics.mixing import mixed_at, voiced_rms

RATE = 8_000


def clips(n, seed=0, loudness=0.05):
    """Words of 300 ms in clips of 700 ms, padded with zeros: float32[n, 5600]."""
    random = np.random.default_rng(seed)
    waveforms = np.zeros([n, 5_600], np.float32)
    waveforms[:, 1_600:4_000] = loudness * random.normal(size=[n, 2_400])
    return waveforms


def noises():
    random = np.random.default_rng(9)
    return [0.2 * random.normal(size=9_001), 0.02 * random.normal(size=1_003)]


@pytest.mark.parametrize("snr_db", [20, 5, 0, -5])
def test_the_ratio_is_that_of_the_word_to_the_noise(snr_db):
    quiet = clips(3)
    added = mixed_at(quiet, noises(), snr_db, sample_rate_hz=RATE) - quiet
    for clip, noise in zip(quiet, added, strict=True):
        word, background = np.mean(clip[1_600:4_000] ** 2), np.mean(noise**2)
        assert 10 * np.log10(word / background) == pytest.approx(snr_db, abs=0.1)


def test_the_noise_is_the_same_at_every_ratio():
    quiet = clips(2)
    loud, faint = (mixed_at(quiet, noises(), snr, sample_rate_hz=RATE) - quiet for snr in (0, 20))
    np.testing.assert_allclose(loud, 10 * faint, atol=1e-6)


@given(st.integers(0, 7), st.integers(0, 3))
def test_a_clip_has_its_noise_whatever_its_neighbours(cut, seed):
    quiet = clips(7)
    whole = mixed_at(quiet, noises(), 5, seed=seed)
    parts = [
        mixed_at(part, noises(), 5, seed=seed, first=first)
        for part, first in ((quiet[:cut], 0), (quiet[cut:], cut))
    ]
    np.testing.assert_array_equal(np.concatenate(parts), whole)


def test_the_seed_and_the_number_of_the_clip_decide():
    same = np.repeat(clips(1), 2, axis=0)
    mixed = mixed_at(same, noises(), 5)
    assert not np.array_equal(mixed[0], mixed[1])
    assert not np.array_equal(mixed, mixed_at(same, noises(), 5, seed=1))


def test_what_would_clip_is_made_quieter_as_a_whole():
    loud = clips(1, loudness=0.3)
    mixed = mixed_at(loud, noises(), 0, sample_rate_hz=RATE)
    assert np.abs(mixed).max() == pytest.approx(1.0)
    quiet = mixed_at(loud / 4, noises(), 0, sample_rate_hz=RATE)
    np.testing.assert_allclose(mixed / mixed.std(), quiet / quiet.std(), rtol=1e-4, atol=1e-5)


def test_silence_has_no_ratio():
    nothing = np.zeros([1, 50], np.float32)
    np.testing.assert_array_equal(mixed_at(nothing, noises(), 10), nothing)
    np.testing.assert_array_equal(mixed_at(clips(1), [np.zeros(7)], 10), clips(1))
    assert mixed_at(np.zeros([2, 0]), noises(), 10).shape == (2, 0)


def test_pauses_do_not_count():
    word = np.tile([0.5, -0.5], 2_000)
    faint = np.tile([0.01, -0.01], 2_000)  # 34 dB below
    assert voiced_rms(np.r_[faint, word, np.zeros(999)], 16_000) == pytest.approx(0.5)
    assert voiced_rms(np.zeros(333)) == 0.0
    assert voiced_rms([]) == 0.0


@pytest.mark.parametrize(
    ("waveforms", "recordings", "message"),
    [
        (np.zeros(5), [np.ones(3)], "waveforms"),
        (np.zeros([1, 5]), [], "noise"),
        (np.zeros([1, 5]), [np.zeros(0)], "noise"),
    ],
)
def test_bad_input(waveforms, recordings, message):
    with pytest.raises(DataError, match=message):
        mixed_at(waveforms, recordings, 10)
