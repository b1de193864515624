"""Rotary position embedding."""

from typing import Any

import numpy as np
from keras import ops


def rotate(x: Any, positions: Any) -> Any:
    """Rotates pairs of features by angles that grow with the position.

    So the dot product of two rotated vectors depends on the distance of their positions only
    (Su et al. 2021, "RoFormer", section 3.2.2; feature i is paired with feature i + depth / 2).

    Args:
        x: float[batch, heads, time, depth], `depth` even.
        positions: int32[time].

    Returns:
        float[batch, heads, time, depth], of the dtype of `x`.
    """
    return turn(x, *cosines_and_sines(positions, x.shape[-1]))


def cosines_and_sines(positions: Any, depth: int, base: float = 10_000.0) -> tuple[Any, Any]:
    """Cosines and sines of the angles at positions int32[time], each float32[time, depth / 2]."""
    half = depth // 2
    frequencies = np.power(base, -np.arange(half) / half).astype("float32")
    angles = ops.cast(positions, "float32")[:, None] * frequencies
    return ops.cos(angles), ops.sin(angles)


def turn(x: Any, cosines: Any, sines: Any) -> Any:
    """As `rotate`, with the result of `cosines_and_sines`."""
    cosines, sines = ops.cast(cosines, x.dtype), ops.cast(sines, x.dtype)
    first, second = ops.split(x, 2, axis=-1)  # its gradient is cheaper than that of two slices
    return ops.concatenate(
        [first * cosines - second * sines, first * sines + second * cosines], axis=-1
    )


def rotate_to(x: Any, positions: Any) -> Any:
    """As `rotate`, but rotates one vector of each head to many positions; heads come last but one.

    Args:
        x: float[batch, 1, heads, depth], `depth` even.
        positions: int32[time].

    Returns:
        float[batch, time, heads, depth], of the dtype of `x`.
    """
    half = x.shape[-1] // 2
    cosines, sines = (
        ops.cast(ops.concatenate([part, part], axis=-1)[:, None], x.dtype)  # [time, 1, depth]
        for part in cosines_and_sines(positions, x.shape[-1])
    )
    across = ops.concatenate([-x[..., half:], x[..., :half]], axis=-1)
    return x * cosines + across * sines
