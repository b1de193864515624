"""WAV files of any kind to waveforms of one rate, a batch at a time."""

from typing import Any

import tensorflow as tf

from textapps.preprocessing.resampling import resample
from textapps.preprocessing.riff import parse_wav


def read_recordings(contents: Any, sample_rate: int, max_seconds: float) -> tuple[Any, Any, Any]:
    """Files as bytes to waveforms at `sample_rate`; a bad one never fails its neighbours.

    Args:
        contents: string[batch], as `parse_wav` reads them.
        max_seconds: a longer recording is an error.

    Returns:
        float32[batch, samples], padded with zeros on the right; int32[batch], how many of the
        samples count; string[batch], empty or why there are none.
    """

    def read(content: Any) -> tuple[Any, Any, Any]:
        waveform, rate, error = parse_wav(content)
        seconds = tf.size(waveform) / tf.maximum(rate, 1)
        too_long = tf.strings.join(
            [
                "the recording has ",
                tf.strings.as_string(seconds, precision=1),
                f" s and may have {max_seconds:g} s at most",
            ]
        )
        error = tf.where(seconds > max_seconds, too_long, error)
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
    """float32[batch, any] → float32[batch, samples]: zeros after the end, or the end cut off."""
    waveform = waveform[:, :samples]
    missing = samples - tf.shape(waveform)[1]
    waveform = tf.pad(waveform, [[0, 0], [0, missing]])
    return tf.ensure_shape(waveform, [None, samples])
