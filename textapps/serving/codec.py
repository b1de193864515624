"""JSON to tensors, by the rules of TensorFlow Serving's REST interface.

It imports neither TensorFlow nor pydantic, because reader_process.py uses it too.
"""

import base64
from collections.abc import Mapping, Sequence
from itertools import chain
from typing import Any, NamedTuple, TypeVar

import numpy as np

from textapps.savedmodel.errors import BadInput
from textapps.serving.json_body import Repeated, check_exponents, parse_object

DEFAULT_SIGNATURE = "serving_default"
T = TypeVar("T")

# The largest finite numbers.
_FLOATS = {
    "bfloat16": (2 - 2.0**-7) * 2.0**127,
    "float16": 65504.0,
    "float32": float(np.finfo(np.float32).max),
    "float64": float(np.finfo(np.float64).max),
}
_INTEGERS = ("int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64")


class ModelSpec(NamedTuple):
    """What is needed of a model to parse requests: signature → input → data type."""

    name: str
    signatures: Mapping[str, Mapping[str, str]]


class Predict(NamedTuple):
    """A parsed predict request; its strings are bytes."""

    signature: str
    row_format: bool
    inputs: dict[str, np.ndarray]


def read_predict(body: bytes, max_depth: int, model: ModelSpec) -> Predict:
    """Parses a predict request to a model. Raises BadInput for an invalid one."""
    return finish_predict(body, parse_object(body, max_depth), model)


def finish_predict(body: bytes, request: Mapping[str, Any], model: ModelSpec) -> Predict:
    """The same for a body that `parse_object` has parsed."""
    predict = decode_request(request, model)
    floats = (array for array in predict.inputs.values() if array.dtype.name in _FLOATS)
    if any(np.isinf(array).any() for array in floats):
        check_exponents(body)  # an infinity may be a number that TensorFlow Serving refuses
    return predict


def signature_name(request: Mapping[str, Any]) -> str:
    """The signature that a request names, or the default one. Raises BadInput for no string."""
    name = request.get("signature_name", "")
    if not isinstance(name, str):
        raise BadInput("'signature_name' should be a string")
    return name or DEFAULT_SIGNATURE


def signature_dtypes(request: Mapping[str, Any], model: ModelSpec) -> tuple[str, Mapping[str, str]]:
    """The signature that a request names, and the data types of its inputs.

    Raises BadInput if the model has no such signature.
    """
    name = signature_name(request)
    return name, find_signature(name, model.name, model.signatures)


def find_signature(name: str, model: str, signatures: Mapping[str, T]) -> T:
    """One of the signatures of a model. Raises BadInput if it has none of that name."""
    if name not in signatures:
        has = ", ".join(f"'{signature}'" for signature in signatures) or "none"
        raise BadInput(f"no signature '{name[:200]}'; model '{model}' has {has}")
    return signatures[name]


def decode_request(request: Mapping[str, Any], model: ModelSpec) -> Predict:
    """The signature and the inputs of a request to a model.

    Row format is a list `instances`, of values for a signature of one input, else of objects
    by input name; column format is `inputs`, a value for each input by its name or for the only
    one. Raises BadInput where the request is neither or a value does not fit its input's type.
    """
    signature, dtypes = signature_dtypes(request, model)
    if ("instances" in request) == ("inputs" in request):
        raise BadInput("the request should have one of 'instances' and 'inputs'")
    names = list(dtypes)
    if not names:
        raise BadInput(f"signature '{signature}' has no inputs")
    row_format = "instances" in request
    columns = (
        _columns(request["instances"], names) if row_format else _named(request["inputs"], names)
    )
    arrays = {name: _to_array(values, dtypes[name], name) for name, values in columns.items()}
    return Predict(signature, row_format, arrays)


def _columns(instances: Any, names: list[str]) -> dict[str, list[Any]]:
    if not isinstance(instances, list) or not instances:
        raise BadInput("'instances' should be a list of at least one")
    objects = _is_object(instances[0])
    if any(_is_object(instance) != objects for instance in instances):
        raise BadInput("'instances' should be all objects or all values")
    if not objects:
        if len(names) > 1:
            raise BadInput(f"'instances' should be objects with the keys {_listed(names)}")
        return {names[0]: instances}
    for number, instance in enumerate(instances):
        if instance.keys() != set(names):
            raise BadInput(f"instance {number} should have the keys {_listed(names)}")
    return {name: [instance[name] for instance in instances] for name in names}


def _named(inputs: Any, names: list[str]) -> dict[str, Any]:
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
    single = value.keys() == {"b64"} and not isinstance(value, Repeated)
    return single and isinstance(value["b64"], str)


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
        array[:] = [read_string(leaf, f"input '{name}'") for leaf in leaves]
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
    too_large = BadInput(f"input '{name}' has a number beyond the range of {dtype}")
    try:
        array = np.array(leaves, dtype=np.float64)
    except OverflowError:
        raise too_large from None
    largest = np.abs(array, where=np.isfinite(array), out=np.zeros_like(array)).max(initial=0)
    if largest > _FLOATS[dtype]:
        raise too_large
    return array.astype(dtype)


def read_string(value: Any, where: str) -> bytes:
    """A string from text or {"b64": "…"}. Raises BadInput if it is neither."""
    if isinstance(value, str):
        try:
            return value.encode()
        except UnicodeEncodeError:  # half of a surrogate pair, which JSON can spell
            raise BadInput(f"{where} holds text that is not Unicode") from None
    if not _is_base64(value):
        raise BadInput(f"""an object in {where} is not of the form {{"b64": "…"}}""")
    try:
        return _decode_base64(value["b64"])
    except ValueError:
        raise BadInput(f"{where} has a 'b64' that is not base64") from None


def _decode_base64(text: str) -> bytes:
    """As TensorFlow Serving decodes it: with white space anywhere, padded by = or . or not.

    >>> _decode_base64("aGVs\\nbG8"), _decode_base64("aGk=")
    (b'hello', b'hi')
    """
    try:
        return base64.b64decode(text, validate=True)
    except ValueError:
        data = text.encode("ascii").translate(None, b" \t\n\v\f\r")
    digits = data.rstrip(b"=.")
    padding = b"=" * (-len(digits) % 4)
    if len(data) not in (len(digits), len(digits) + len(padding)):
        raise ValueError("wrong padding")
    return base64.b64decode(digits + padding, validate=True)
