"""Trimming, against the words of its docstring and an oracle in NumPy."""

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given
from hypothesis import strategies as st

from textapps.preprocessing.trimming import trimmed

RATE_HZ = 4_100
BLOCK, MARGIN = 41, 410  # 10 and 100 ms
sizes = st.integers(0, 3 * MARGIN)


def trim(*waveforms):
    """Each recording as it is trimmed among the others."""
    samples = np.array([len(each) for each in waveforms], np.int32)
    batch = np.zeros((len(waveforms), samples.max(initial=0)), np.float32)
    for row, waveform in zip(batch, waveforms, strict=True):
        row[: len(waveform)] = waveform
    moved, left = trimmed(tf.constant(batch), tf.constant(samples), RATE_HZ)
    assert moved.shape == batch.shape
    for row, count in zip(moved.numpy(), left.numpy(), strict=True):
        assert not row[count:].any()
    return [row[:count] for row, count in zip(moved.numpy(), left.numpy(), strict=True)]


def sound(samples, seed=0, level=0.3):
    """As loud in every block, and nowhere zero."""
    drawn = np.random.RandomState(seed)
    return (level * drawn.uniform(0.5, 1, samples) * drawn.choice([-1, 1], samples)).astype(
        np.float32
    )


def silence(samples):
    return np.zeros(samples, np.float32)


def oracle(waveform):
    """From the definition, block by block."""
    blocks = [waveform[start : start + BLOCK] for start in range(0, len(waveform), BLOCK)]
    energies = np.array([np.sum(np.square(block, dtype=np.float64)) for block in blocks])
    loud = [i for i, energy in enumerate(energies) if energy >= energies.max() / 1_000]
    start = max(loud[0] * BLOCK - MARGIN, 0)
    return waveform[start : min((loud[-1] + 1) * BLOCK + MARGIN, len(waveform))]


@given(st.integers(0, 60), st.integers(1, 900), sizes, st.integers(0, 9))
def test_a_padded_clip_gives_its_stretch(before, samples, after, seed):
    """Whatever the silence around it is: up to 100 ms of that stay."""
    clip = sound(samples, seed)
    (found,) = trim(np.concatenate([silence(before * BLOCK), clip, silence(after)]))
    start = min(before * BLOCK, MARGIN)
    np.testing.assert_array_equal(found[:start], 0)
    np.testing.assert_array_equal(found[start : start + samples], clip)
    end = -(-samples // BLOCK) * BLOCK + MARGIN  # the end of the last block, then 100 ms
    assert len(found) == start + min(samples + after, end)
    np.testing.assert_array_equal(found[start + samples :], 0)


@given(st.lists(st.floats(-60, 0), min_size=1, max_size=30), st.integers(1, BLOCK))
def test_it_is_what_the_definition_says(levels_db, last):
    blocks = [sound(BLOCK, seed, 0.9 * 10 ** (db / 20)) for seed, db in enumerate(levels_db)]
    waveform = np.concatenate([*blocks[:-1], blocks[-1][:last]])
    (found,) = trim(waveform)
    np.testing.assert_array_equal(found, oracle(waveform))


@given(st.integers(-9, 9), sizes, sizes, st.integers(0, 9))
def test_the_level_does_not_matter(power, before, after, seed):
    """Nor does what else is in the batch, and trimming again changes nothing."""
    drawn = np.random.RandomState(seed)
    ends = [(0.004 * drawn.normal(size=size)).astype(np.float32) for size in (before, after)]
    waveform = np.concatenate([ends[0], sound(500, seed), ends[1]])
    scale = np.float32(2.0**power)
    (found,) = trim(waveform)
    scaled, _ = trim(scale * waveform, sound(2_000))
    np.testing.assert_array_equal(scaled, scale * found)
    (again,) = trim(found)
    np.testing.assert_array_equal(again, found)


@pytest.mark.parametrize("samples", [0, 1, BLOCK, 1_000])
def test_silence_stays_whole(samples):
    hiss = sound(samples, level=1e-4)
    still, noise, _ = trim(silence(samples), hiss, sound(1_500))
    np.testing.assert_array_equal(still, silence(samples))
    np.testing.assert_array_equal(noise, hiss)


def test_loud_noise_stays():
    """20 dB below the word, where it cannot be told from one that is spoken softly."""
    noise = sound(1_200, 1, level=0.03)
    waveform = np.concatenate([noise, sound(500), noise])
    (found,) = trim(waveform)
    np.testing.assert_array_equal(found, waveform)


def test_no_recording():
    moved, left = trimmed(tf.zeros([0, 5]), tf.zeros([0], tf.int32), RATE_HZ)
    assert (moved.shape, left.shape) == ((0, 5), (0,))
