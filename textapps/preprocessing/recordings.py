"""Reads batches of WAV files into waveforms with one sample rate."""

from collections.abc import Callable
from typing import Any

import tensorflow as tf

from textapps.core.recording_faults import (
    HIGHEST_RATE_HZ,
    LONGEST_SECONDS,
    SHORTEST_MS,
    TOO_LONG,
    TOO_SHORT,
)
from textapps.preprocessing.resampling import resample
from textapps.preprocessing.riff import filled, parse_wav

_BLOCK_MS = 10  # the step in which the loudest stretch is searched
_FRAME_BYTES = 16  # of two channels of 64 bits; a file with larger frames is not read at all
_MOST_BYTES = round(LONGEST_SECONDS * HIGHEST_RATE_HZ * _FRAME_BYTES)


def read_recordings(
    contents: Any, sample_rate: int, shorten: Callable[[Any], Any] = lambda waveform: waveform
) -> tuple[Any, Any, Any]:
    """Files as bytes to waveforms at `sample_rate`; a bad one does not affect the others.

    Args:
        contents: string[batch], in the formats that `parse_wav` reads, from 10 ms to 30 s long.
        shorten: called with each waveform, float32[samples]; returns the part to keep. Otherwise a
            single long recording makes all rows of the batch long.

    Returns:
        float32[batch, samples], padded with zeros on the right; int32[batch], the number of valid
        samples; string[batch], empty, or the reason why there are none.
    """

    def read(content: Any) -> tuple[Any, Any, Any]:
        too_large = tf.strings.length(content) > _MOST_BYTES
        waveform, rate, error = parse_wav(tf.where(too_large, "", content))
        samples = tf.size(waveform)
        seconds = samples / tf.maximum(rate, 1)
        length_ms = tf.strings.as_string(1000 * seconds, precision=1)
        too_long = filled(TOO_LONG, tf.strings.as_string(seconds, precision=1))
        too_short = (error == "") & (1000 * seconds < SHORTEST_MS)
        error = tf.where(too_short, filled(TOO_SHORT, samples, length_ms), error)
        error = tf.where(seconds > LONGEST_SECONDS, too_long, error)
        error = tf.where(too_large, f"the file is larger than {_MOST_BYTES:,} bytes", error)
        waveform = waveform[: tf.where(error == "", tf.size(waveform), 0)]
        waveform = resample(waveform, tf.where(error == "", rate, sample_rate), sample_rate)
        waveform = shorten(waveform)
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


def loudest(waveform: Any, samples: Any, clip: int, sample_rate: int) -> Any:
    """The loudest stretch of each recording longer than a clip; a shorter one as it is.

    When people record two seconds by hand, the word may be anywhere.

    Args:
        waveform: float32[batch, any].
        samples: int32[batch], the number of valid samples; the others are 0.
        clip: the samples of a clip.

    Returns:
        float32[batch, clip], padded with zeros.
    """
    first = loudest_start(waveform, samples, clip, sample_rate)
    padded = tf.pad(waveform, [[0, 0], [0, clip]])
    table = tf.range(clip)[None] + first[:, None]
    return fit_length(tf.gather(padded, table, batch_dims=1), clip)


def loudest_start(waveform: Any, samples: Any, clip: int, sample_rate: int) -> Any:
    """int32[batch]: the sample with which `loudest` begins."""
    block = max(1, sample_rate * _BLOCK_MS // 1_000)
    rows, there = tf.unstack(tf.shape(waveform))
    # a whole stretch, also after an empty recording
    silence = clip + block + -(clip + there) % block
    padded = tf.pad(waveform, [[0, 0], [0, silence]])
    energies = tf.reduce_sum(tf.reshape(padded, [rows, -1, block]) ** 2, axis=2)
    sums = tf.cumsum(tf.cast(energies, tf.float64), axis=1, exclusive=True)
    blocks = -(-clip // block)
    stretches = sums[:, blocks:] - sums[:, :-blocks]
    # A stretch ends within the recording, unless the recording is shorter than a clip.
    starts = tf.range(tf.shape(stretches)[1])[None] * block
    inside = starts <= tf.maximum(samples - clip, 0)[:, None]
    return block * tf.argmax(tf.where(inside, stretches, -1), axis=1, output_type=tf.int32)


def fit_length(waveform: Any, samples: int) -> Any:
    """float32[batch, any] → float32[batch, samples]: padded with zeros, or the end cut off."""
    waveform = waveform[:, :samples]
    missing = samples - tf.shape(waveform)[1]
    waveform = tf.pad(waveform, [[0, 0], [0, missing]])
    return tf.ensure_shape(waveform, [None, samples])
