"""Tensors to JSON, by the rules of TensorFlow Serving's REST interface.

A response is encoded in pieces, so that one that is too large is noticed before it is complete.
"""

import base64
import json
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import orjson

from textapps.savedmodel.errors import BadInput
from textapps.savedmodel.tensors import shortest, string_bytes

_VALUES = 4096  # of a piece: a millisecond or two
_ENCODER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))
# From 1e-4 up to these, orjson and Python write a number alike, without an exponent.
_WITHOUT_EXPONENT = {"float32": 1e13, "float64": 1e16}


def encode_response(
    outputs: Mapping[str, np.ndarray], row_format: bool, most_bytes: int
) -> list[bytes]:
    """The pieces of a predict response: `predictions` row by row, or `outputs` by name.

    A single output is not wrapped in an object. Strings are text, or {"b64": …} where the
    output's name ends in _bytes; a float32 has the fewest digits that identify it. Raises BadInput
    if an output cannot be encoded or the response is too large.
    """
    return _limited(_rows(outputs) if row_format else _columns(outputs), most_bytes)


def encode_classes(labels: np.ndarray, scores: np.ndarray, most_bytes: int) -> list[bytes]:
    """The pieces of a classify response: a list of [label, score] for each example.

    `labels` is object[examples, classes] of bytes, `scores` float32[examples, classes]. Raises
    BadInput if the response is too large.
    """
    return _limited(_results(_pairs(labels, scores)), most_bytes)


def encode_values(values: np.ndarray, most_bytes: int) -> list[bytes]:
    """The pieces of a regress response: a value for each example. Raises as `encode_classes`."""
    return _limited(_results(_array(values, "")), most_bytes)


def _limited(answer: Iterator[bytes], most_bytes: int) -> list[bytes]:
    pieces, length = [], 0
    for piece in answer:
        pieces.append(piece)
        length += len(piece)
        _check_length(length, most_bytes)
    return pieces


def check_outputs(outputs: Mapping[str, np.ndarray], most_bytes: int) -> None:
    """Raises BadInput for outputs that need more than `most_bytes`, however they are encoded."""
    # A number needs a digit and a comma, a string its bytes, quotes and a comma.
    _check_length(
        sum(
            string_bytes(array) + 3 * array.size if array.dtype == object else 2 * array.size
            for array in outputs.values()
        ),
        most_bytes,
    )


def count_values(outputs: Mapping[str, np.ndarray]) -> int:
    """The work of encoding: the number of values, with long strings counted as several."""
    return sum(
        array.size
        + (string_bytes(array) // 64 if array.dtype == object and array.size <= _VALUES else 0)
        for array in outputs.values()
    )


def _check_length(length: int, most_bytes: int) -> None:
    if length > most_bytes:
        raise BadInput(f"the answer is larger than {most_bytes:,} bytes: send fewer rows at a time")


def _columns(outputs: Mapping[str, np.ndarray]) -> Iterator[bytes]:
    yield b'{"outputs":'
    yield from _object(outputs) if len(outputs) != 1 else _array(*_only(outputs))
    yield b"}"


def _rows(outputs: Mapping[str, np.ndarray]) -> Iterator[bytes]:
    for name, array in outputs.items():
        if array.ndim == 0:
            raise BadInput(f"output '{name}' has no rows: ask in column format, by 'inputs'")
    if len({len(array) for array in outputs.values()}) != 1:
        raise BadInput("the outputs differ in their number of rows: ask in column format")
    yield b'{"predictions":'
    yield from _objects(outputs) if len(outputs) != 1 else _array(*_only(outputs))
    yield b"}"


def _results(pieces: Iterator[bytes]) -> Iterator[bytes]:
    yield b'{"results":'
    yield from pieces
    yield b"}"


def _pairs(labels: np.ndarray, scores: np.ndarray) -> Iterator[bytes]:
    opening = b"["
    for start in range(0, len(labels), step := max(1, _VALUES // max(1, labels.shape[1]))):
        rows = zip(
            _values(labels[start : start + step], ""),
            _values(scores[start : start + step], ""),
            strict=True,
        )
        pairs = [list(zip(names, numbers, strict=True)) for names, numbers in rows]
        yield opening + _ENCODER.encode(pairs)[1:-1].encode()
        opening = b","
    yield b"]"


def _objects(outputs: Mapping[str, np.ndarray]) -> Iterator[bytes]:
    """A list of objects, one a row."""
    rows = len(next(iter(outputs.values())))
    step = max(1, _VALUES * rows // max(1, count_values(outputs)))
    yield b"["
    for start in range(0, rows, step):
        if start:
            yield b","
        part = {name: array[start : start + step] for name, array in outputs.items()}
        if step == 1:
            yield from _object({name: array[0, ...] for name, array in part.items()})
            continue
        columns = {name: _values(array, name) for name, array in part.items()}
        objects = [
            dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)
        ]
        yield _ENCODER.encode(objects)[1:-1].encode()
    yield b"]"


def _object(outputs: Mapping[str, np.ndarray]) -> Iterator[bytes]:
    opening = "{"
    for name, array in outputs.items():
        yield f"{opening}{_ENCODER.encode(name)}:".encode()
        yield from _array(array, name)
        opening = ","
    yield b"}"


def _array(array: np.ndarray, name: str) -> Iterator[bytes]:
    """An array as nested lists; one without dimensions as its value."""
    if array.ndim == 0 or count_values({name: array}) <= _VALUES:
        yield _text(array, name)
        return
    step = max(1, _VALUES * len(array) // count_values({name: array}))
    yield b"["
    for start in range(0, len(array), step):
        if start:
            yield b","
        if step == 1:
            yield from _array(array[start, ...], name)
        else:
            yield _text(array[start : start + step], name)[1:-1]
    yield b"]"


def _text(array: np.ndarray, name: str) -> bytes:
    most = _WITHOUT_EXPONENT.get(array.dtype.name)
    if array.ndim and array.size and most is not None:
        size = np.abs(array)
        if ((size >= 1e-4) & (size < most) | (size == 0)).all():
            return _numbers(array)
    return _ENCODER.encode(_values(array, name)).encode()


def _values(array: np.ndarray, name: str) -> Any:
    """Nested lists; of an array without dimensions the value."""
    if array.dtype.kind == "O":
        convert = _as_base64 if name.endswith("_bytes") else _as_text
        flat = np.empty(array.size, dtype=object)
        flat[:] = [convert(item) for item in array.flat]
        return flat.reshape(array.shape).tolist()
    if array.dtype.name in ("bfloat16", "float16"):
        array = array.astype(np.float32)
    if array.dtype == np.float32:
        if array.ndim and array.size and np.isfinite(array).all():
            return orjson.loads(_numbers(array))  # the number that has these digits
        return shortest(array).tolist()
    if array.dtype.kind in "biuf":
        return array.tolist()
    raise BadInput(f"output '{name}' is {array.dtype.name}, which JSON cannot stand for here")


def _numbers(array: np.ndarray) -> bytes:
    text: bytes = orjson.dumps(np.ascontiguousarray(array), option=orjson.OPT_SERIALIZE_NUMPY)
    return text


def _as_base64(item: bytes) -> dict[str, str]:
    return {"b64": base64.b64encode(item).decode()}


def _as_text(item: bytes) -> str:
    return item.decode(errors="replace")  # JSON is UTF-8, whatever a model says


def _only(outputs: Mapping[str, np.ndarray]) -> tuple[np.ndarray, str]:
    ((name, array),) = outputs.items()
    return array, name
