"""Arrays of strings in parts, and tensors as JSON that gives back every bit."""

import base64
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

# No other thread runs while C code goes through Python's objects: this many take a millisecond.
PART = 16_384


def in_parts(array: np.ndarray) -> Iterator[np.ndarray]:
    """All items of an array, a few at once.

    >>> [len(part) for part in in_parts(np.zeros([3, 10_000]))]
    [16384, 13616]
    """
    flat = array.ravel()
    return (flat[start : start + PART] for start in range(0, len(flat), PART))


def string_bytes(array: np.ndarray) -> int:
    """How many bytes the strings of an array have together."""
    return sum(sum(map(len, part)) for part in in_parts(array))


def shortest(array: np.ndarray) -> np.ndarray:
    """Float32 as the float64 that is printed with the fewest digits; other types as they are.

    >>> array = np.array([[0.1, 0.9741977]], np.float32)
    >>> array.tolist(), shortest(array).tolist()
    ([[0.10000000149011612, 0.9741976857185364]], [[0.1, 0.9741977]])
    """
    return array.astype(str).astype(np.float64) if array.dtype == np.float32 else array


def as_array(value: Any) -> np.ndarray:
    """`value` as an array; strings as objects, because NumPy's strings drop final NULs."""
    array = np.asarray(value)
    return np.asarray(value, dtype=object) if array.dtype.kind in "US" else array


def encode(value: Any) -> dict[str, Any]:
    """A tensor as JSON.

    >>> encode([["a", "ü"]])
    {'dtype': 'string', 'shape': [1, 2], 'values': ['a', 'ü']}
    """
    array = as_array(value)
    strings = array.dtype == object
    return {
        "dtype": "string" if strings else array.dtype.name,
        "shape": list(array.shape),
        "values": [_encode_string(item) for item in array.flat]
        if strings
        else array.ravel().tolist(),
    }


def decode(tensor: Mapping[str, Any]) -> np.ndarray:
    """The array that `encode` was given, strings as UTF-8 bytes."""
    values = tensor["values"]
    if tensor["dtype"] == "string":
        array = np.empty(len(values), dtype=object)
        array[:] = [_decode_string(item) for item in values]
    else:
        array = np.asarray(values, dtype=tensor["dtype"])
    return array.reshape(tensor["shape"])


def encode_all(tensors: Mapping[str, Any]) -> dict[str, Any]:
    """Tensors by name as JSON."""
    return {name: encode(value) for name, value in tensors.items()}


def decode_all(tensors: Mapping[str, Any]) -> dict[str, np.ndarray]:
    """The arrays that `encode_all` was given."""
    return {name: decode(tensor) for name, tensor in tensors.items()}


def _encode_string(item: str | bytes) -> str | dict[str, str]:
    raw = item.encode() if isinstance(item, str) else item
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return {"b64": base64.b64encode(raw).decode()}


def _decode_string(item: str | dict[str, str]) -> bytes:
    return item.encode() if isinstance(item, str) else base64.b64decode(item["b64"])
