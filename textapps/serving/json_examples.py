"""JSON to serialized tf.Examples, by the rules of TensorFlow Serving's REST interface.

The examples are written in protobuf's wire format here, because reader_process.py uses this module
too and would have to import TensorFlow for its classes.
"""

import math
import struct
from typing import Any, NamedTuple

import numpy as np

from textapps.savedmodel.errors import BadInput
from textapps.serving.codec import read_string, signature_name
from textapps.serving.json_body import Repeated, check_exponents, parse_object

_LARGEST_FLOAT = float(np.finfo(np.float32).max)
# The field of each kind of list in a Feature.
_BYTES, _FLOATS, _INTEGERS = 1, 2, 3


class Examples(NamedTuple):
    """A parsed request to classify or regress: object[examples] of serialized tf.Examples."""

    signature: str
    inputs: dict[str, np.ndarray]


def read_examples(body: bytes, max_depth: int) -> Examples:
    """Parses a request to classify or regress. Raises BadInput for an invalid one.

    The features in `context` are those of every example, unless it has its own of the name.
    """
    request = parse_object(body, max_depth)
    signature = signature_name(request)
    context = _example(request["context"]) if "context" in request else b""
    examples = request.get("examples")
    if not isinstance(examples, list) or not examples:
        raise BadInput("the request should have 'examples', a list of at least one")
    array = np.empty(len(examples), dtype=object)
    # Messages after one another are one that has the fields of both, and the later ones count.
    array[:] = [context + _example(example) for example in examples]
    check_exponents(body)
    return Examples(signature, {"inputs": array})


def _example(value: Any) -> bytes:
    if not isinstance(value, dict):
        raise BadInput("an example should be an object of features")
    features = value.last if isinstance(value, Repeated) else value
    entries = [
        delimited(1, delimited(1, _utf8(name)) + delimited(2, _feature(name, content)))
        for name, content in features.items()
    ]
    return delimited(1, b"".join(entries))


def _feature(name: str, content: Any) -> bytes:
    values = content if isinstance(content, list) else [content]
    kinds = {_kind(name, value) for value in values}
    if not kinds:
        return b""
    if len(kinds) > 1:
        raise BadInput(f"feature '{name}' mixes whole numbers, decimal numbers and strings")
    (kind,) = kinds
    if kind == _BYTES:
        items = b"".join(delimited(1, read_string(value, f"feature '{name}'")) for value in values)
    elif kind == _FLOATS:
        items = delimited(1, struct.pack(f"<{len(values)}f", *values))
    else:
        items = delimited(1, b"".join(_varint(value & (2**64 - 1)) for value in values))
    return delimited(kind, items)


def _kind(name: str, value: Any) -> int:
    if isinstance(value, str | dict):
        return _BYTES
    if isinstance(value, int) and -(2**63) <= value < 2**63:
        return _INTEGERS
    if isinstance(value, int | float):
        if isinstance(value, int) and 2**63 <= value < 2**64:
            raise BadInput(f"feature '{name}' has a whole number beyond the range of int64")
        if _LARGEST_FLOAT < abs(value) != math.inf:
            raise BadInput(f"feature '{name}' has a number beyond the range of float32")
        return _FLOATS
    raise BadInput(f"feature '{name}' should hold numbers or strings")


def _utf8(name: str) -> bytes:
    try:
        return name.encode()
    except UnicodeEncodeError:  # half of a surrogate pair, which JSON can spell
        raise BadInput("the name of a feature is not Unicode") from None


def delimited(number: int, content: bytes) -> bytes:
    """A field of a protobuf message that has a length: a message, bytes, or packed numbers."""
    return bytes([number << 3 | 2]) + _varint(len(content)) + content


def _varint(number: int) -> bytes:
    """
    >>> _varint(300).hex()
    'ac02'
    """
    digits = bytearray()
    while number > 127:
        digits.append(number & 127 | 128)
        number >>= 7
    digits.append(number)
    return bytes(digits)
