"""Reads batches of WAV files into waveforms with one sample rate."""

from typing import Any

import tensorflow as tf

from textapps.core.recording_faults import LONGEST_SECONDS, SHORTEST_MS, TOO_LONG, TOO_SHORT
from textapps.preprocessing.resampling import resample
from textapps.preprocessing.riff import filled, parse_wav


def read_recordings(contents: Any, sample_rate: int) -> tuple[Any, Any, Any]:
    """Files as bytes to waveforms at `sample_rate`; a bad one does not affect the others.

    Args:
        contents: string[batch], in the formats that `parse_wav` reads, from 10 ms to 30 s long.

    Returns:
        float32[batch, samples], padded with zeros on the right; int32[batch], the number of valid
        samples; string[batch], empty, or the reason why there are none.
    """

    def read(content: Any) -> tuple[Any, Any, Any]:
        waveform, rate, error = parse_wav(content)
        samples = tf.size(waveform)
        seconds = samples / tf.maximum(rate, 1)
        length_ms = tf.strings.as_string(1000 * seconds, precision=1)
        too_long = filled(TOO_LONG, tf.strings.as_string(seconds, precision=1))
        too_short = (error == "") & (1000 * seconds < SHORTEST_MS)
        error = tf.where(too_short, filled(TOO_SHORT, samples, length_ms), error)
        error = tf.where(seconds > LONGEST_SECONDS, too_long, error)
        waveform = waveform[: tf.where(error == "", tf.size(waveform), 0)]
        waveform = resample(waveform, tf.where(error == "", rate, sample_rate), sample_rate)
        return waveform, tf.size(waveform), error

    waveforms, samples, errors = tf.map_fn(
        read,
        contents,
        fn_output_signature=(
            tf.RaggedTensorSpec([None], tf.float32, ragged_rank=0),
            tf.TensorSpec([], tf.int32),
            tf.TensorSpec([], tf.string),
        ),
    )
    return waveforms.to_tensor(), samples, errors


def fit_length(waveform: Any, samples: int) -> Any:
    """float32[batch, any] → float32[batch, samples]: padded with zeros, or the end cut off."""
    waveform = waveform[:, :samples]
    missing = samples - tf.shape(waveform)[1]
    waveform = tf.pad(waveform, [[0, 0], [0, missing]])
    return tf.ensure_shape(waveform, [None, samples])
