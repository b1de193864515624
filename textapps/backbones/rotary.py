"""Rotary position embedding."""

from typing import Any

import numpy as np
from keras import ops


def rotate(x: Any, positions: Any, base: float = 10_000.0) -> Any:
    """Turns pairs of features by angles that grow with the position.

    The dot product of two rotated vectors depends on the distance of their positions only
    (Su et al. 2021, "RoFormer", section 3.2.2; feature i is paired with feature i + depth / 2).

    Args:
        x: float[batch, heads, time, depth], `depth` even.
        positions: int32[time].

    Returns:
        float[batch, heads, time, depth], of the dtype of `x`.
    """
    half = x.shape[-1] // 2
    frequencies = np.power(base, -np.arange(half) / half).astype("float32")
    angles = ops.cast(positions, "float32")[:, None] * frequencies  # float32[time, depth / 2]
    cos, sin = ops.cast(ops.cos(angles), x.dtype), ops.cast(ops.sin(angles), x.dtype)
    first, second = x[..., :half], x[..., half:]
    return ops.concatenate([first * cos - second * sin, first * sin + second * cos], axis=-1)
