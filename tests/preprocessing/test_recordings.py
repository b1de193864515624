"""A batch of files, good ones and bad ones."""

import numpy as np
import pytest
import tensorflow as tf

from tests.preprocessing.wav_files import wav
from textapps.preprocessing.recordings import fit_length, read_recordings
from textapps.preprocessing.resampling import resample


@tf.function(input_signature=[tf.TensorSpec([None], tf.string)])
def read(contents):
    return read_recordings(contents, sample_rate=8_000, max_seconds=0.5)


def values(samples, seed):
    return np.random.default_rng(seed).integers(-9_000, 9_000, samples).astype("int16")


def test_a_bad_file_does_not_fail_its_neighbours():
    one, two = values(31, seed=1), values(101, seed=2)
    long = values(8_001, seed=3)
    files = [wav(one, rate=8_000), b"text", wav(two, rate=44_100), wav(long, rate=16_000), b""]
    waveforms, samples, errors = read(files)
    assert samples.numpy().tolist() == [31, 0, 19, 0, 0]
    assert waveforms.shape == (5, 31)
    np.testing.assert_array_equal(waveforms[0], one / np.float32(2**15))
    expected = resample(two / np.float32(2**15), 44_100, 8_000)
    np.testing.assert_allclose(waveforms[2, :19], expected, atol=1e-6)
    assert not waveforms[2, 19:].numpy().any()
    messages = [error.decode() for error in errors.numpy()]
    assert messages[0] == messages[2] == ""
    assert "not a WAV file" in messages[1]
    assert messages[3] == "the recording is 0.5 s long, the limit is 0.5 s"
    assert messages[4] == "the file is empty"


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
