"""What a reader process does with a body."""

from typing import Any

from textapps.savedmodel.errors import BadInput
from textapps.serving.codec import ModelSpec, read_predict
from textapps.serving.frames import packed
from textapps.serving.json_body import parse_object

_KEYS = 100  # more than any valid request has


def read(body: memoryview, max_depth: int, model: ModelSpec | None) -> tuple[str, Any]:
    """Parses a predict request to a model or, without a model, any JSON object.

    Returns:
        "predict" and a `Predict` with packed arrays; "object" and the object, in which a list keeps
        one item at most and an object none; or "bad" and the reason.
    """
    try:
        if model is None:
            return "object", _outside(parse_object(bytes(body), max_depth))
        request = read_predict(bytes(body), max_depth, model)
    except BadInput as error:
        return "bad", str(error)
    return "predict", request._replace(inputs=packed(request.inputs))


def _outside(value: dict[str, Any]) -> dict[str, Any]:
    return {key: _emptied(item) for key, item in list(value.items())[:_KEYS]}


def _emptied(item: Any) -> Any:
    if isinstance(item, list):
        return [None] if item else []
    return {} if isinstance(item, dict) else item
