"""Converts waveforms to another sample rate."""

import math
from typing import Any

import tensorflow as tf

_MARGIN = 1_024  # samples of silence after the end, because the FFT wraps around


def resample(waveform: Any, rate_from: Any, rate_to: Any) -> Any:
    """The same audio with `rate_to` samples per second instead of `rate_from`.

    Exact for frequencies below half of both rates; all others are removed (the sampling theorem,
    applied with the discrete Fourier transform). Beyond the ends there is silence. In a graph the
    rates may be tensors.

    Args:
        waveform: float32[…, samples].
        rate_from, rate_to: int or int32[], in Hz or any other unit; above 0.

    Returns:
        float32[…, ceil(samples · rate_to / rate_from)].

    >>> resample(tf.ones([3, 8]), 16_000, 8_000).shape
    TensorShape([3, 4])
    """
    waveform = tf.convert_to_tensor(waveform, tf.float32)
    if isinstance(rate_from, int) and isinstance(rate_to, int):
        if rate_from == rate_to:
            return waveform
        common = math.gcd(rate_from, rate_to)
        return _change(waveform, rate_from // common, rate_to // common)
    rate_from, rate_to = tf.cast(rate_from, tf.int32), tf.cast(rate_to, tf.int32)
    common = _greatest_common_divisor(rate_from, rate_to)
    return tf.cond(
        rate_from == rate_to,
        lambda: waveform,
        lambda: _change(waveform, rate_from // common, rate_to // common),
    )


def _change(waveform: Any, old: Any, new: Any) -> Any:
    """`new` samples for every `old` ones; the two have no common divisor."""
    samples = tf.shape(waveform, tf.int64)[-1]
    old, new = tf.cast(old, tf.int64), tf.cast(new, tf.int64)
    blocks = (samples + _MARGIN + old - 1) // old
    # an FFT of a length with large prime factors takes twice as long
    blocks = tf.where(blocks >= 64, (blocks + 7) // 8 * 8, blocks)
    before, after = tf.cast(blocks * old, tf.int32), tf.cast(blocks * new, tf.int32)
    wanted = tf.cast((samples * new + old - 1) // old, tf.int32)
    outer = [[0, 0]] * (len(waveform.shape) - 1)
    padded = tf.pad(waveform, [*outer, [0, before - tf.cast(samples, tf.int32)]])
    spectrum = tf.signal.rfft(padded, before[None])
    # strictly below half of both rates: at half of a rate the phase is unknown
    kept = (tf.minimum(before, after) + 1) // 2
    missing = tf.maximum(after // 2 + 1 - kept, 0)
    spectrum = tf.pad(spectrum[..., :kept], [*outer, [0, missing]])
    changed = tf.signal.irfft(spectrum, after[None])[..., :wanted]
    return changed * tf.cast(new / old, tf.float32)


def _greatest_common_divisor(one: Any, other: Any) -> Any:
    """Euclid's algorithm for int32[]."""
    return tf.while_loop(
        lambda a, b: b > 0, lambda a, b: (b, tf.math.floormod(a, b)), (one, other)
    )[0]
