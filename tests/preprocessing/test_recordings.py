"""A batch of files, good ones and bad ones."""

import numpy as np
import pytest
import tensorflow as tf

from tests.preprocessing.wav_files import wav
from textapps.preprocessing.recordings import fit_length, loudest, read_recordings
from textapps.preprocessing.resampling import resample


@tf.function(input_signature=[tf.TensorSpec([None], tf.string)])
def read(contents):
    return read_recordings(contents, sample_rate=8_000)


def values(samples, seed):
    return np.random.default_rng(seed).integers(-9_000, 9_000, samples).astype("int16")


def test_a_bad_file_does_not_fail_its_neighbours():
    one, two = values(131, seed=1), values(451, seed=2)
    long = values(30 * 4_000 + 60, seed=3)
    files = [
        wav(one, rate=8_000),
        b"text",
        wav(two, rate=44_100),
        wav(long, rate=4_000),
        b"",
        wav(one[:41], rate=8_000),
    ]
    waveforms, samples, errors = read(files)
    assert samples.numpy().tolist() == [131, 0, 82, 0, 0, 0]
    assert waveforms.shape == (6, 131)
    np.testing.assert_array_equal(waveforms[0], one / np.float32(2**15))
    expected = resample(two / np.float32(2**15), 44_100, 8_000)
    np.testing.assert_allclose(waveforms[2, :82], expected, atol=1e-6)
    assert not waveforms[2, 82:].numpy().any()
    messages = [error.decode() for error in errors.numpy()]
    assert messages[0] == messages[2] == ""
    assert "no audio that can be read" in messages[1]
    assert messages[3].startswith("30.0 s long, the limit is 30 s")
    assert messages[4] == "the file is empty"
    assert messages[5] == "too short, 41 samples (5.1 ms), 10 ms are the least"


@pytest.mark.slow
@pytest.mark.parametrize("files", [[], [b"text"]])
def test_nothing_to_read_gives_no_samples(files):
    waveforms, samples, errors = read(tf.constant(files, tf.string))
    assert waveforms.shape == (len(files), 0)
    assert len(samples) == len(errors) == len(files)


@pytest.mark.parametrize(("there", "wanted"), [(5, 8), (8, 5), (5, 5), (0, 3)])
def test_a_clip_is_filled_up_or_cut(there, wanted):
    clips = np.arange(1, 2 * there + 1, dtype="float32").reshape(2, there)
    fitted = fit_length(tf.constant(clips), wanted).numpy()
    assert fitted.shape == (2, wanted)
    kept = min(there, wanted)
    np.testing.assert_array_equal(fitted[:, :kept], clips[:, :kept])
    assert not fitted[:, kept:].any()


@pytest.mark.parametrize("place", [0, 3, 41, 70])
def test_the_loudest_stretch_has_most_energy(place):
    """Against the energies of all stretches, which begin at whole blocks of 10 ms."""
    clip, rate = 30, 300  # a block has three samples
    drawn = np.random.default_rng(place)
    waveform = 0.1 * drawn.normal(size=100).astype("float32")
    waveform[place : place + 25] *= 9
    short = np.append(waveform[:17], np.zeros(83, "float32"))
    batch = np.stack([waveform, short])
    found = loudest(tf.constant(batch), tf.constant([100, 17]), clip, rate).numpy()
    starts = range(0, 71, 3)
    best = max(starts, key=lambda start: np.square(waveform[start : start + clip]).sum())
    np.testing.assert_array_equal(found[0], waveform[best : best + clip])
    np.testing.assert_array_equal(found[1], np.append(waveform[:17], np.zeros(13)))
