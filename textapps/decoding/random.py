"""Random numbers as a function of a seed and a position."""

from typing import Any

import tensorflow as tf

_GOLDEN = 0x9E3779B97F4A7C15  # 2^64 divided by the golden ratio, odd
_FACTORS = ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB))
_BITS = 24  # a float32 has no more between 0 and 1


def uniforms(random_seed: Any, position: Any, steps: Any) -> Any:
    """Numbers in [0, 1): for each row, those of `steps` positions from its own position on.

    SplitMix64 (Steele, Lea and Flood 2014, figure 16) without its state: number i of a seed is
    mix(mix(seed) + (i + 1) · γ). So the numbers of a row depend on its seed and position only, and
    because they come from integers, they are the same on every machine. Each is a multiple of
    2^-24.

    Args:
        random_seed: int64[batch].
        position: int32[batch], at least 0.
        steps: int or int32[].

    Returns:
        float32[batch, steps].

    >>> uniforms([0], [0], 3).numpy().round(4)
    array([[0.8833, 0.4315, 0.0264]], dtype=float32)
    >>> uniforms([0], [2], 1).numpy().round(4)
    array([[0.0264]], dtype=float32)
    """
    seed = tf.bitcast(tf.cast(random_seed, tf.int64), tf.uint64)
    count = tf.cast(position, tf.int64)[:, None] + tf.range(1, tf.cast(steps, tf.int64) + 1)
    counter = tf.cast(count, tf.uint64) * _constant(_GOLDEN)
    bits = _mix(_mix(seed)[:, None] + counter)
    top = tf.cast(tf.bitwise.right_shift(bits, _constant(64 - _BITS)), tf.int32)
    return tf.cast(top, tf.float32) * 2.0**-_BITS


def _mix(value: Any) -> Any:
    """Flips every bit of a uint64 with probability one half when one bit of the input flips."""
    for shift, factor in _FACTORS:
        value = _xor_shift(value, shift) * _constant(factor)
    return _xor_shift(value, 31)


def _xor_shift(value: Any, shift: int) -> Any:
    return tf.bitwise.bitwise_xor(value, tf.bitwise.right_shift(value, _constant(shift)))


def _constant(value: int) -> Any:
    return tf.constant(value, tf.uint64)
