"""Weights in fewer bytes: half precision, or 8 bits with one float scale for each row."""

from collections.abc import Mapping
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

Weights = Literal["int8", "float16"]

_LEVELS = 127
_FEWEST = 256  # numbers; smaller arrays are kept as they are
_NARROW = 16  # of an array with shorter rows each column has a scale instead of each row
_SCALE = "scale"


def compacted(array: NDArray[Any], weights: Weights) -> tuple[str, dict[str, NDArray[Any]]]:
    """The encoding of an array and its parts by suffix; "" is the array as it is.

    Only matrices are encoded: biases, scales of normalisations and integers are few or must be
    exact. A row is what the last axis holds.

    >>> compacted(np.ones(3, np.float32), "int8")
    ('', {'': array([1., 1., 1.], dtype=float32)})
    """
    whole = array.ndim < 2 or array.size < _FEWEST or array.dtype.kind != "f"
    if whole:
        return "", {"": array}
    if weights == "float16":
        if np.abs(array).max() > np.finfo(np.float16).max:
            return "", {"": array}
        return "float16", {"": array.astype(np.float16)}
    rows = array.reshape(-1, array.shape[-1]).astype(np.float32)
    axis = 0 if array.shape[-1] < _NARROW else 1
    scale = np.abs(rows).max(axis=axis, keepdims=True) / _LEVELS
    levels = np.rint(rows / np.where(scale > 0, scale, 1)).astype(np.int8)
    encoding = "int8-columns" if axis == 0 else "int8-rows"
    return encoding, {"": levels.reshape(array.shape), _SCALE: scale.ravel()}


def suffixes(encoding: str) -> tuple[str, ...]:
    """The suffixes of the parts of an encoding.

    Raises:
        ValueError: it is unknown.
    """
    if encoding in ("", "float16"):
        return ("",)
    if encoding in ("int8-rows", "int8-columns"):
        return ("", _SCALE)
    raise ValueError(f"unknown encoding of weights {encoding!r}")


def restored(encoding: str, parts: Mapping[str, NDArray[Any]]) -> NDArray[Any]:
    """The array of an encoding and its parts, float32 if it was encoded."""
    array = parts[""]
    if not encoding:
        return array
    if encoding == "float16":
        return array.astype(np.float32)
    axis = 0 if encoding == "int8-columns" else 1
    scale = np.expand_dims(parts[_SCALE], axis)
    rows: NDArray[Any] = array.reshape(-1, array.shape[-1]).astype(np.float32) * scale
    return rows.reshape(array.shape)
