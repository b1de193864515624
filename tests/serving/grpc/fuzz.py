"""Messages that nobody would send, and what must hold for the answer to any."""

from typing import Any

import grpc
from hypothesis import strategies as st
from tensorflow.core.framework import tensor_pb2, types_pb2
from tensorflow_serving.apis import (
    classification_pb2,
    get_model_metadata_pb2,
    get_model_status_pb2,
    predict_pb2,
    regression_pb2,
)

from tests.serving.grpc.asking import Served

CODES = {"OK", "INVALID_ARGUMENT", "NOT_FOUND", "RESOURCE_EXHAUSTED", "UNIMPLEMENTED"}
PREDICTION = "/tensorflow.serving.PredictionService/"
STATUS = "/tensorflow.serving.ModelService/"
KINDS: dict[str, type[Any]] = {
    PREDICTION + "Predict": predict_pb2.PredictRequest,
    PREDICTION + "Classify": classification_pb2.ClassificationRequest,
    PREDICTION + "Regress": regression_pb2.RegressionRequest,
    PREDICTION + "GetModelMetadata": get_model_metadata_pb2.GetModelMetadataRequest,
    STATUS + "GetModelStatus": get_model_status_pb2.GetModelStatusRequest,
}
MODELS = ("lengths", "lengths", "sums", "typed", "flowers", "none", "")
INPUTS = ("text", "ids", "weights", "number", "bool", "image_bytes", "int8", "")
SIGNATURES = ("", "", "serving_default", "whole", "together", "length", "scores_only", "none")
sizes = st.integers(0, 3) | st.sampled_from([-1, 2**40, 2**62])
scalars = st.integers(-300, 300) | st.integers(-(2**63), 2**63 - 1)


@st.composite
def tensors(draw: st.DrawFn) -> tensor_pb2.TensorProto:
    """Mostly with fields that belong together, of shapes that fit their values or not."""
    field, dtypes = draw(
        st.sampled_from(
            [
                ("string_val", ["DT_STRING"]),
                ("float_val", ["DT_FLOAT"]),
                ("int_val", ["DT_INT32", "DT_INT8", "DT_UINT8"]),
                ("int64_val", ["DT_INT64"]),
                ("half_val", ["DT_HALF", "DT_BFLOAT16"]),
                ("bool_val", ["DT_BOOL"]),
            ]
        )
    )
    dtype = draw(st.sampled_from(dtypes) | st.sampled_from(types_pb2.DataType.keys()))
    proto = tensor_pb2.TensorProto(dtype=dtype)
    values = draw(st.lists(st.integers(-9, 9), max_size=4))
    if field == "string_val":
        proto.string_val.extend(str(value).encode() for value in values)
    else:
        getattr(proto, field).extend(bool(v) if field == "bool_val" else v for v in values)
    fitting = st.just([len(values)]) | st.just([1, len(values)]) | st.just([])
    for size in draw(fitting | fitting | st.lists(sizes, max_size=4)):
        proto.tensor_shape.dim.add(size=size)
    if draw(st.integers(0, 9)) == 0:
        proto.tensor_content = draw(st.binary(max_size=16))
    return proto


@st.composite
def messages(draw: st.DrawFn, path: str) -> bytes:
    """A message of the kind that a method takes, and sometimes spoiled."""
    message = KINDS[path]()
    spec = message.model_spec
    spec.name, spec.signature_name = draw(st.sampled_from(MODELS)), ""
    if hasattr(spec, "signature_name"):
        spec.signature_name = draw(st.sampled_from(SIGNATURES))
    match draw(st.integers(0, 9)):
        case 0:
            spec.version.value = draw(st.integers(-1, 2) | scalars)
        case 1:
            spec.version_label = draw(st.text(max_size=3))
    if path.endswith("Predict"):
        for name in draw(st.lists(st.sampled_from(INPUTS), max_size=2)):
            message.inputs[name].CopyFrom(draw(tensors()))
        message.output_filter.extend(
            draw(st.just([]) | st.lists(st.sampled_from(["length", "total", "a"]), max_size=2))
        )
    elif path.endswith("GetModelMetadata"):
        message.metadata_field.extend(
            draw(st.just(["signature_def"]) | st.lists(st.text(max_size=3), max_size=2))
        )
    elif path.startswith(PREDICTION):
        listed = draw(st.sampled_from(["example_list", "example_list_with_context"]))
        for value in draw(st.lists(st.floats(width=32) | st.binary(max_size=3), max_size=3)):
            feature = getattr(message.input, listed).examples.add().features.feature["size"]
            if isinstance(value, bytes):
                feature.bytes_list.value.append(value)
            else:
                feature.float_list.value.append(value)
    body: bytes = message.SerializeToString()
    if draw(st.integers(0, 3)):
        return body
    cut, junk = draw(st.integers(0, len(body))), draw(st.binary(max_size=6))
    return body[:cut] + junk + body[cut + draw(st.integers(0, 2)) :]


calls = st.sampled_from(sorted(KINDS)).flatmap(
    lambda path: st.tuples(st.just(path), messages(path) | st.binary(max_size=60))
)


def check_answer(served: Served, path: str, body: bytes) -> str:
    """Ask, and fail for an answer that is none of the expected; the name of its code."""
    try:
        served.ask(path, body)
    except grpc.RpcError as error:
        code, message = error.code().name, error.details()
        assert code in CODES, (code, message)
        assert "Traceback" not in message
        assert "\n" not in message
        return str(code)
    return "OK"
