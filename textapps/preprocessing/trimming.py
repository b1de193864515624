"""Cuts silence from both ends of recordings, in the graph."""

from typing import Any

import tensorflow as tf

BLOCK_MS = 10
MARGIN_MS = 100  # what is kept before and after the sound, such as a soft consonant
RANGE_DB = 30  # below the loudest block; measured on spoken commands, see docs/speech.md


def trimmed(waveform: Any, samples: Any, sample_rate: int) -> tuple[Any, Any]:
    """Recordings from 100 ms before their first sound to 100 ms after their last.

    Blocks of 10 ms are sound if their energy is at most 30 dB below that of the loudest block, so
    the level of a recording does not matter. Where noise is louder than that, or where there is no
    sound at all, the whole recording stays. Trimming twice is trimming once.

    Args:
        waveform: float32[batch, any], 0 where there is no sample.
        samples: int32[batch], the number of samples of each recording.
        sample_rate: in Hz.

    Returns:
        float32[batch, any], moved to the left, with zeros at the right; int32[batch], the number
        of samples that are left.
    """
    there = tf.shape(waveform)[1]
    start, left = sound_bounds(waveform, samples, sample_rate)
    places = tf.range(there)[None]
    table = tf.minimum(places + start[:, None], there - 1)
    moved = tf.gather(waveform, table, batch_dims=1)
    return tf.where(places < left[:, None], moved, 0), left


def sound_bounds(waveform: Any, samples: Any, sample_rate: int) -> tuple[Any, Any]:
    """int32[batch] each: the first sample that `trimmed` keeps, and how many it keeps."""
    block = max(1, sample_rate * BLOCK_MS // 1_000)
    margin = MARGIN_MS // BLOCK_MS * block
    rows, there = tf.unstack(tf.shape(waveform))
    blocks = there // block + 1
    padded = tf.pad(waveform, [[0, 0], [0, blocks * block - there]])
    starts = tf.range(blocks)[None] * block
    energies = tf.reduce_sum(tf.reshape(padded, [rows, blocks, block]) ** 2, axis=2)
    least = tf.reduce_max(energies, axis=1, keepdims=True) * 10 ** (-RANGE_DB / 10)
    sound = tf.cast((energies >= least) & (starts < samples[:, None]), tf.float32)
    first = tf.argmax(sound, axis=1, output_type=tf.int32)
    after = blocks - tf.argmax(tf.reverse(sound, [1]), axis=1, output_type=tf.int32)
    start = tf.maximum(first * block - margin, 0)
    return start, tf.minimum(after * block + margin, samples) - start
