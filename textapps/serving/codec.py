"""JSON values to tensors and back, by the rules of TensorFlow Serving's REST interface."""

import base64
import json
from collections.abc import Mapping, Sequence
from itertools import chain
from typing import Any

import numpy as np

from textapps.savedmodel.errors import BadInput
from textapps.savedmodel.signature import Signature

DEFAULT_SIGNATURE = "serving_default"

# Bits of the significand, which say up to where TensorFlow Serving takes a whole number for one
# of a floating-point tensor, and the largest finite number.
_FLOATS = {
    "bfloat16": (8, (2 - 2.0**-7) * 2.0**127),
    "float16": (11, 65504.0),
    "float32": (24, float(np.finfo(np.float32).max)),
    "float64": (53, float(np.finfo(np.float64).max)),
}
_INTEGERS = ("int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64")
_ENCODER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))


def signature_name(request: Mapping[str, Any]) -> str:
    """The signature that a request asks for. Raises BadInput where its name is no string."""
    name = request.get("signature_name", "")
    if not isinstance(name, str):
        raise BadInput("'signature_name' should be a string")
    return name or DEFAULT_SIGNATURE


def decode_request(
    request: Mapping[str, Any], signature: Signature
) -> tuple[bool, dict[str, np.ndarray]]:
    """Whether a predict request is in row format, and its inputs, strings as str or bytes.

    Row format is a list `instances`, of values for a signature of one input, else of objects
    by input name; column format is `inputs`, a value for each input by its name or for the only
    one. Raises BadInput where the request is neither or a value does not fit its input's type.
    """
    if ("instances" in request) == ("inputs" in request):
        raise BadInput("the request should have one of 'instances' and 'inputs'")
    if not signature.inputs:
        raise BadInput(f"signature '{signature.name}' has no inputs")
    if "instances" in request:
        columns = _columns(request["instances"], signature)
    else:
        columns = _named(request["inputs"], signature)
    return "instances" in request, {
        name: _to_array(values, signature.inputs[name].dtype, name)
        for name, values in columns.items()
    }


def encode_response(outputs: Mapping[str, np.ndarray], row_format: bool) -> bytes:
    """A predict response: `predictions` row by row, or `outputs` by name.

    A single output is not wrapped in an object. Strings are text, or {"b64": …} where the
    output's name ends in _bytes; float32 has the fewest digits that tell it from its neighbours.
    Raises BadInput where an output cannot be written so.
    """
    if not row_format:
        values = {name: _to_json(array, name) for name, array in outputs.items()}
        return _ENCODER.encode({"outputs": _unwrapped(values)}).encode()
    for name, array in outputs.items():
        if array.ndim == 0:
            raise BadInput(f"output '{name}' has no rows: ask in column format, by 'inputs'")
    if len({len(array) for array in outputs.values()}) != 1:
        raise BadInput("the outputs differ in their number of rows: ask in column format")
    columns = {name: _to_json(array, name) for name, array in outputs.items()}
    if len(columns) == 1:
        rows = _unwrapped(columns)
    else:
        rows = [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
    return _ENCODER.encode({"predictions": rows}).encode()


def _columns(instances: Any, signature: Signature) -> dict[str, list[Any]]:
    if not isinstance(instances, list) or not instances:
        raise BadInput("'instances' should be a list of at least one")
    objects = _is_object(instances[0])
    if any(_is_object(instance) != objects for instance in instances):
        raise BadInput("'instances' should be all objects or all values")
    names = list(signature.inputs)
    if not objects:
        if len(names) > 1:
            raise BadInput(f"'instances' should be objects with the keys {_listed(names)}")
        return {names[0]: instances}
    for number, instance in enumerate(instances):
        if instance.keys() != signature.inputs.keys():
            raise BadInput(f"instance {number} should have the keys {_listed(names)}")
    return {name: [instance[name] for instance in instances] for name in names}


def _named(inputs: Any, signature: Signature) -> dict[str, Any]:
    names = list(signature.inputs)
    if not _is_object(inputs):
        if len(names) > 1:
            raise BadInput(f"'inputs' should be an object with the keys {_listed(names)}")
        return {names[0]: inputs}
    for name in names:
        if name not in inputs:
            raise BadInput(f"'inputs' lacks '{name}'")
    return {name: inputs[name] for name in names}


def _is_object(value: Any) -> bool:
    return isinstance(value, dict) and not _is_base64(value)


def _is_base64(value: dict[str, Any]) -> bool:
    return value.keys() == {"b64"} and isinstance(value["b64"], str)


def _listed(names: Sequence[str]) -> str:
    return ", ".join(f"'{name}'" for name in names)


def _to_array(value: Any, dtype: str, name: str) -> np.ndarray:
    shape = []
    leaves = [value]
    while leaves and isinstance(leaves[0], list):
        size = len(leaves[0])
        if any(not isinstance(leaf, list) or len(leaf) != size for leaf in leaves):
            raise BadInput(f"the lists of input '{name}' differ in length or depth")
        shape.append(size)
        leaves = list(chain.from_iterable(leaves))
    return _flat_array(leaves, dtype, name).reshape(shape)


def _flat_array(leaves: list[Any], dtype: str, name: str) -> np.ndarray:
    kinds = set(map(type, leaves))
    if dtype == "string" and kinds <= {str, dict}:
        array = np.empty(len(leaves), dtype=object)
        array[:] = leaves if dict not in kinds else [_string(leaf, name) for leaf in leaves]
        return array
    if dtype == "bool" and kinds <= {bool}:
        return np.array(leaves, dtype=bool)
    if dtype in _INTEGERS and kinds <= {int}:
        bounds = np.iinfo(dtype)
        if leaves and not bounds.min <= min(leaves) <= max(leaves) <= bounds.max:
            raise BadInput(f"input '{name}' has a number beyond the range of {dtype}")
        return np.array(leaves, dtype=dtype)
    if dtype in _FLOATS and kinds <= {int, float}:
        return _float_array(leaves, dtype, name)
    if dtype not in ("string", "bool", *_INTEGERS, *_FLOATS):
        raise BadInput(f"input '{name}' is {dtype}, which JSON cannot stand for here")
    raise BadInput(f"input '{name}' should hold values of type {dtype} and no others")


def _float_array(leaves: list[Any], dtype: str, name: str) -> np.ndarray:
    bits, largest = _FLOATS[dtype]
    if any(type(leaf) is int and abs(leaf) >= 2**bits for leaf in leaves):
        raise BadInput(f"input '{name}' has a whole number that {dtype} cannot hold without loss")
    array = np.array(leaves, dtype=np.float64)
    if np.abs(array, where=np.isfinite(array), out=np.zeros_like(array)).max(initial=0) > largest:
        raise BadInput(f"input '{name}' has a number beyond the range of {dtype}")
    return array.astype(dtype)


def _string(leaf: str | dict[str, Any], name: str) -> str | bytes:
    if isinstance(leaf, str):
        return leaf
    if not _is_base64(leaf):
        raise BadInput(f"""an object in input '{name}' is not of the form {{"b64": "…"}}""")
    text = leaf["b64"]
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except ValueError:
        raise BadInput(f"input '{name}' has a 'b64' that is not base64") from None


def _to_json(array: np.ndarray, name: str) -> Any:
    """Nested lists; of an array without dimensions the value."""
    if array.dtype.kind == "O":
        convert = _as_base64 if name.endswith("_bytes") else _as_text
        flat = np.empty(array.size, dtype=object)
        flat[:] = [convert(item) for item in array.flat]
        return flat.reshape(array.shape).tolist()
    if array.dtype.name in ("bfloat16", "float16"):
        array = array.astype(np.float32)
    if array.dtype == np.float32:
        return array.astype(str).astype(np.float64).tolist()
    if array.dtype.kind in "biuf":
        return array.tolist()
    raise BadInput(f"output '{name}' is {array.dtype.name}, which JSON cannot stand for here")


def _as_base64(item: bytes) -> dict[str, str]:
    return {"b64": base64.b64encode(item).decode()}


def _as_text(item: bytes) -> str:
    return item.decode(errors="replace")  # JSON is UTF-8, whatever a model says


def _unwrapped(values: dict[str, Any]) -> Any:
    return next(iter(values.values())) if len(values) == 1 else values
