"""What a reader process does with the body of a request, and with the outputs of a model."""

from pickle import PickleBuffer
from typing import Any, Literal

from textapps.savedmodel.errors import BadInput
from textapps.serving.codec import ModelSpec, read_predict
from textapps.serving.encoder import encode_response
from textapps.serving.frames import packed, unpacked
from textapps.serving.grpc.messages import MessageKind
from textapps.serving.json_body import parse_object
from textapps.serving.json_examples import read_examples

# A predict request to a model, one to classify or regress examples, or any object in JSON, or a
# message of gRPC.
Kind = ModelSpec | Literal["examples", "object"] | MessageKind

_KEYS = 100  # more than any valid request has


def read(body: memoryview, max_depth: int, kind: Kind) -> tuple[str, Any]:
    """Parses a request.

    Returns:
        "arrays" and a `Predict`, `Examples` or `Inference` with packed arrays; "object" and the
        object, in which a list keeps one item at most and an object none; or "bad" and the reason.
    """
    try:
        if kind == "object":
            return "object", _outside(parse_object(bytes(body), max_depth))
        request: Any
        if isinstance(kind, MessageKind):
            # The classes of the messages, which few processes need.
            from textapps.serving.grpc.requests import read_inference

            request = read_inference(bytes(body), kind)
        elif kind == "examples":
            request = read_examples(bytes(body), max_depth)
        else:
            request = read_predict(bytes(body), max_depth, kind)
    except BadInput as error:
        return "bad", str(error)
    return "arrays", request._replace(inputs=packed(request.inputs))


def write(outputs: dict[str, Any], row_format: bool, most_bytes: int) -> tuple[str, Any]:
    """Encodes packed outputs as JSON.

    Returns:
        "body" and the answer, or "bad" and the reason.
    """
    try:
        pieces = encode_response(unpacked(outputs), row_format, most_bytes)
    except BadInput as error:
        return "bad", str(error)
    return "body", PickleBuffer(b"".join(pieces))


def _outside(value: dict[str, Any]) -> dict[str, Any]:
    return {key: _emptied(item) for key, item in list(value.items())[:_KEYS]}


def _emptied(item: Any) -> Any:
    if isinstance(item, list):
        return [None] if item else []
    return {} if isinstance(item, dict) else item
