"""Requests to predict, classify and regress: protobuf messages to arrays.

It imports neither TensorFlow nor pydantic, because reader_process.py uses it too.
"""

from typing import Any, NamedTuple

import numpy as np
from tensorflow_serving.apis import classification_pb2, predict_pb2, regression_pb2

from textapps.savedmodel.errors import BadInput
from textapps.serving.codec import DEFAULT_SIGNATURE
from textapps.serving.grpc.messages import Inferring, MessageKind, Target, parse, target_of
from textapps.serving.grpc.tensors import read_tensor

_MESSAGES: dict[Inferring, type[Any]] = {
    "Predict": predict_pb2.PredictRequest,
    "Classify": classification_pb2.ClassificationRequest,
    "Regress": regression_pb2.RegressionRequest,
}


class Inference(NamedTuple):
    """A parsed request; its strings are bytes. `outputs` is empty for all of the signature."""

    target: Target
    signature: str
    outputs: tuple[str, ...]
    inputs: dict[str, np.ndarray]


def read_inference(body: bytes, kind: MessageKind) -> Inference:
    """Parses a request. Raises BadInput for an invalid one.

    That to classify or regress has one input, `inputs`, of serialized tf.Examples.
    """
    request = parse(_MESSAGES[kind.method], body)
    target = target_of(request)
    signature = request.model_spec.signature_name or DEFAULT_SIGNATURE
    if kind.method != "Predict":
        return Inference(target, signature, (), {"inputs": _examples(request.input)})
    left, inputs = kind.most_bytes, {}
    for name, tensor in request.inputs.items():
        inputs[name] = read_tensor(tensor, name, left)
        left -= inputs[name].nbytes
    return Inference(target, signature, tuple(request.output_filter), inputs)


def _examples(request_input: Any) -> np.ndarray:
    """object[examples] of bytes from an `Input`.

    The features of a context are those of every example, unless it has its own of the name.
    """
    kind = request_input.WhichOneof("kind")
    listed = getattr(request_input, kind).examples if kind else ()
    if not listed:
        raise BadInput("Input is empty.")
    context = b""
    if kind == "example_list_with_context":
        context = request_input.example_list_with_context.context.SerializeToString()
    examples = np.empty(len(listed), dtype=object)
    # Messages after one another are one that has the fields of both, and the later ones count.
    examples[:] = [context + example.SerializeToString() for example in listed]
    return examples
