"""TensorFlow's `TensorProto` to arrays and back.

TensorFlow's own functions are slow for small tensors, create arrays of any size that a client
writes into a shape, and put the numbers of an answer where many clients do not look for them.
It is not imported here, because reader_process.py uses this module too.
"""

import math
from typing import Any, NamedTuple

import ml_dtypes  # noqa: F401  registers bfloat16 with NumPy
import numpy as np
from tensorflow.core.framework import tensor_pb2, types_pb2

from textapps.savedmodel.errors import BadInput
from textapps.savedmodel.tensors import PART
from textapps.serving.json_examples import delimited

_MOST_DIMENSIONS = 32
_LARGEST_SHIFT = 28  # of the last byte of a length of 32 bits
_STRING_BYTES = 64  # what a string takes in an array and in a tensor, besides its own bytes


class _Kind(NamedTuple):
    """A data type: its number in a proto, the field with its values, and how that stores them."""

    number: int
    field: str
    stored: str


_KINDS = {
    "float32": _Kind(types_pb2.DT_FLOAT, "float_val", "float32"),
    "float64": _Kind(types_pb2.DT_DOUBLE, "double_val", "float64"),
    "float16": _Kind(types_pb2.DT_HALF, "half_val", "uint16"),
    "bfloat16": _Kind(types_pb2.DT_BFLOAT16, "half_val", "uint16"),
    "int8": _Kind(types_pb2.DT_INT8, "int_val", "int8"),
    "int16": _Kind(types_pb2.DT_INT16, "int_val", "int16"),
    "int32": _Kind(types_pb2.DT_INT32, "int_val", "int32"),
    "int64": _Kind(types_pb2.DT_INT64, "int64_val", "int64"),
    "uint8": _Kind(types_pb2.DT_UINT8, "int_val", "uint8"),
    "uint16": _Kind(types_pb2.DT_UINT16, "int_val", "uint16"),
    "uint32": _Kind(types_pb2.DT_UINT32, "uint32_val", "uint32"),
    "uint64": _Kind(types_pb2.DT_UINT64, "uint64_val", "uint64"),
    "bool": _Kind(types_pb2.DT_BOOL, "bool_val", "bool"),
    "complex64": _Kind(types_pb2.DT_COMPLEX64, "scomplex_val", "float32"),
    "complex128": _Kind(types_pb2.DT_COMPLEX128, "dcomplex_val", "float64"),
    "object": _Kind(types_pb2.DT_STRING, "string_val", "object"),
}
# A message has these one after another as NumPy has them in memory.
_AS_STORED = {"float32": "<f4", "float64": "<f8", "bool": "bool"}
_DTYPES = {kind.number: dtype for dtype, kind in _KINDS.items()}


def read_tensor(proto: tensor_pb2.TensorProto, name: str, most_bytes: int) -> np.ndarray:
    """The array of a tensor; strings are an object array of bytes.

    As in TensorFlow, the last of the values stands for those that are missing, and zeros or empty
    strings for all if there are none.

    Args:
        name: of the input, for errors.
        most_bytes: that the array may take.

    Raises:
        BadInput: the proto is not a valid tensor, or it is too large.
    """
    dtype = _DTYPES.get(proto.dtype)
    if dtype is None:
        raise BadInput(
            f"input '{name}' has the data type {_named(proto.dtype)}, not supported here"
        )
    shape = _shape_of(proto, name)
    count, item_bytes = math.prod(shape), _item_bytes(dtype)
    # A tensor without values may have large sizes too, which NumPy refuses.
    if math.prod(filter(None, shape)) * item_bytes > most_bytes:
        raise BadInput(f"input '{name}' has the shape {list(shape)}: send fewer or shorter rows")
    if proto.tensor_content:
        return _from_content(proto, name, dtype, count).reshape(shape)
    kind = _KINDS[dtype]
    values = getattr(proto, kind.field)
    parts = _stored_items(dtype)
    given, rest = divmod(len(values), parts)
    if given > count or rest:
        raise BadInput(
            f"input '{name}' has {len(values):,} values in {kind.field} for the shape {list(shape)}"
        )
    flat = np.empty(count, dtype)
    missing = b"" if dtype == "object" else 0
    flat[:given] = _values(values, kind.stored, name).view(dtype)
    flat[given:] = flat[given - 1] if given else missing
    return flat.reshape(shape)


def write_tensor(array: np.ndarray, proto: tensor_pb2.TensorProto) -> None:
    """Writes an array into an empty proto, its values into the field of their type.

    Raises BadInput for a data type that is not supported.
    """
    kind = _KINDS.get(array.dtype.name)
    if kind is None:
        raise BadInput(f"an output is {array.dtype.name}, which is not supported over gRPC")
    proto.dtype = kind.number
    for size in array.shape:
        proto.tensor_shape.dim.add().size = size
    flat = np.ascontiguousarray(array).reshape(-1).view(kind.stored)
    if len(flat) > PART and kind.stored in _AS_STORED:
        # Faster, and no other thread waits long.
        number = proto.DESCRIPTOR.fields_by_name[kind.field].number
        stored = flat.astype(_AS_STORED[kind.stored], copy=False)
        proto.MergeFromString(delimited(number, stored.tobytes()))
        return
    field = getattr(proto, kind.field)
    for start in range(0, len(flat), PART):
        field.extend(flat[start : start + PART].tolist())


def _shape_of(proto: tensor_pb2.TensorProto, name: str) -> tuple[int, ...]:
    dimensions = proto.tensor_shape.dim
    if proto.tensor_shape.unknown_rank or len(dimensions) > _MOST_DIMENSIONS:
        raise BadInput(f"input '{name}' should have a shape of up to {_MOST_DIMENSIONS} dimensions")
    shape = tuple(dimension.size for dimension in dimensions)
    if min(shape, default=0) < 0:
        raise BadInput(f"input '{name}' has the shape {list(shape)}, with a negative size")
    return shape


def _values(values: Any, stored: str, name: str) -> np.ndarray:
    """What a field holds, as the data type that it stores."""
    flat = np.empty(len(values), stored)
    try:
        for start in range(0, len(values), PART):
            flat[start : start + PART] = values[start : start + PART]
    except OverflowError:
        raise BadInput(f"input '{name}' has a number beyond the range of {stored}") from None
    return flat


def _from_content(proto: tensor_pb2.TensorProto, name: str, dtype: str, count: int) -> np.ndarray:
    """The values in `tensor_content`, in a row."""
    content = proto.tensor_content
    if dtype == "object":
        return _strings(content, name, count)
    if len(content) != count * _item_bytes(dtype):
        raise BadInput(
            f"input '{name}' has {len(content):,} bytes of tensor_content; its shape needs "
            f"{count * _item_bytes(dtype):,}"
        )
    values = np.frombuffer(content, "uint8" if dtype == "bool" else dtype)
    return values != 0 if dtype == "bool" else values  # a byte other than 0 and 1 would stay


def _strings(content: bytes, name: str, count: int) -> np.ndarray:
    """Strings in `tensor_content`: the length of each as a varint, then all one after another."""
    wrong = BadInput(f"input '{name}' has a tensor_content that is not one of strings")
    place, lengths = 0, []
    for _ in range(count):
        length = shift = 0
        more = True
        while more:
            if place == len(content) or shift > _LARGEST_SHIFT:
                raise wrong
            length |= (content[place] & 127) << shift
            more = content[place] > 127
            shift += 7
            place += 1
        lengths.append(length)
    if place + sum(lengths) != len(content):
        raise wrong
    flat = np.empty(count, dtype=object)
    for number, length in enumerate(lengths):
        flat[number] = content[place : place + length]
        place += length
    return flat


def _stored_items(dtype: str) -> int:
    """How many items of its field a value takes: two for a complex number."""
    return 2 if dtype.startswith("complex") else 1


def _item_bytes(dtype: str) -> int:
    return _STRING_BYTES if dtype == "object" else np.dtype(dtype).itemsize


def _named(number: int) -> str:
    try:
        return str(types_pb2.DataType.Name(number))
    except ValueError:
        return str(number)
