"""Tests of PredictionService, asked by a client."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import ml_dtypes
import numpy as np
import pytest
import tensorflow as tf
from google.protobuf.json_format import MessageToDict
from tensorflow_serving.apis import (
    classification_pb2,
    get_model_metadata_pb2,
    input_pb2,
    predict_pb2,
    regression_pb2,
)

from tests.serving import models
from tests.serving.asking import Built, repository_of
from tests.serving.grpc.asking import PREDICT, Served, of, predict_request
from textapps.serving.batching import Batching
from textapps.serving.repository import Repository
from textapps.serving.settings import Settings

SERVICE = "/tensorflow.serving.PredictionService/"
GOLDEN = Path(__file__).parents[2] / "golden" / "sentiment" / "1"
LIMIT = 4000


@pytest.fixture(scope="module")
def repository(built: Built, tmp_path_factory: pytest.TempPathFactory) -> Repository:
    directory = tmp_path_factory.mktemp("models")
    models.copy(built("lengths", 100), directory / "lengths" / "3")
    models.copy(GOLDEN, directory / "sentiment" / "2")
    return repository_of(
        directory,
        built,
        writer="generator",
        sums="sums",
        typed="typed",
        zeros="zeros",
        flowers="flowers",
        half=("half_plus", 2),
    )


@pytest.fixture(scope="module")
def served(repository: Repository) -> Iterator[Served]:
    with Served(repository, Settings(max_answer_mb=LIMIT / 2**20)) as served:
        yield served


def test_predict(served: Served) -> None:
    request = predict_request("lengths", {"text": ["ab", "äöß"]})
    answer = predict_pb2.PredictResponse.FromString(served.ask(PREDICT, request))
    assert tf.make_ndarray(answer.outputs["length"]).tolist() == [102, 106]
    assert MessageToDict(answer.model_spec) == {
        "name": "lengths",
        "version": "3",
        "signatureName": "serving_default",
    }
    assert list(answer.outputs["length"].int_val) == [102, 106]  # where clients look for it


def test_an_export_answers_as_it_does_in_python(served: Served, repository: Repository) -> None:
    texts = ["a good film", "", "bad " * 50]
    saved = tf.saved_model.load(str(GOLDEN))
    expected = saved.signatures["serving_default"](text=tf.constant(texts))
    found = served.predict(predict_request("sentiment", {"text": texts}))
    assert found.keys() == expected.keys()
    for name, tensor in expected.items():
        if tensor.dtype == tf.string:
            assert found[name].tolist() == tensor.numpy().tolist()
        else:
            np.testing.assert_allclose(found[name], tensor, rtol=1e-5)


def test_signatures_versions_and_the_output_filter(served: Served) -> None:
    named = {"ids": [[1, 2]], "weights": [[0.5, 0.25, 4.0]]}
    assert served.predict(predict_request("sums", named, only=["total"])) == {"total": [7.75]}
    both = served.predict(predict_request("sums", named, only=["doubled", "total"], version=1))
    assert both["doubled"].tolist() == [[2, 4]]
    whole = predict_request("sums", {"number": 3.0}, signature="whole")
    assert served.predict(whole)["square"] == 9.0
    texts = predict_request("writer", {"text": ["abc"]}, signature="score")
    assert served.predict(texts)["characters"].tolist() == [3]


def test_every_data_type(served: Served) -> None:
    inputs: dict[str, Any] = {
        "bool": [[True, False]],
        "uint8": np.array([[0, 255]], np.uint8),
        "int8": np.array([[-128, 127]], np.int8),
        "int64": np.array([[-(2**63), 2**63 - 1]]),
        "uint64": np.array([[0, 2**64 - 1]], np.uint64),
        "float16": np.array([[-0.0, 65504]], np.float16),
        "float64": np.array([[1e308, np.inf]]),
        "bfloat16": np.array([[1.5, -np.inf]], ml_dtypes.bfloat16),
        "image_bytes": models.strings(b"\xff\x00"),
    }
    found = served.predict(predict_request("typed", inputs))
    for name, values in inputs.items():
        assert found[f"echo_{name}"].tolist() == np.asarray(values).tolist(), name


@pytest.mark.parametrize(
    ("request_", "code", "problem"),
    [
        (predict_pb2.PredictRequest(), "INVALID_ARGUMENT", "Missing ModelSpec"),
        (predict_request("", {}), "INVALID_ARGUMENT", "ModelSpec has no name specified"),
        (predict_request("none", {"text": ["a"]}), "NOT_FOUND", "there is no model 'none'"),
        (predict_request("lengths", {}, version=2), "NOT_FOUND", "has no loaded version 2"),
        (predict_request("lengths", {}, version=-1), "NOT_FOUND", "has no loaded version -1"),
        (predict_request("lengths", {}, label="x"), "INVALID_ARGUMENT", "no version label 'x'"),
        (predict_request("lengths", {}, signature="s"), "INVALID_ARGUMENT", "no signature 's'"),
        (predict_request("lengths", {}), "INVALID_ARGUMENT", "lacks the input 'text'"),
        (predict_request("lengths", {"a": [1]}), "INVALID_ARGUMENT", "lacks the input 'text'"),
        (predict_request("lengths", {"text": [1]}), "INVALID_ARGUMENT", "takes strings"),
        (predict_request("lengths", {"text": "a"}), "INVALID_ARGUMENT", "has shape []"),
        (predict_request("lengths", {"text": ["bad"]}), "INVALID_ARGUMENT", "a bad text"),
        (predict_request("sums", {}, only=["a"]), "INVALID_ARGUMENT", "no output 'a'; signature"),
        (predict_request("sums", {}, only=["total"] * 2), "INVALID_ARGUMENT", "asked for twice"),
        (
            predict_request("zeros", {"count": [LIMIT // 4]}),
            "INVALID_ARGUMENT",
            "the answer is larger than 4,000 bytes: send fewer rows",
        ),
        (predict_request("zeros", {"count": [LIMIT + 1]}), "INVALID_ARGUMENT", "larger than"),
        (b"\xff", "INVALID_ARGUMENT", "the message is not a tensorflow.serving.PredictRequest"),
    ],
    ids=str,
)
def test_what_is_wrong(served: Served, request_: Any, code: str, problem: str) -> None:
    found, message = served.refusal(PREDICT, request_)
    assert found == code
    assert problem in message


def test_large_messages(repository: Repository) -> None:
    rows = 100_000
    request = predict_request("lengths", {"text": [b"ab"] * rows})
    with Served(repository, Settings(max_body_mb=1)) as served:
        assert served.predict(request)["length"].tolist() == [102] * rows
        empty_entries = b"\x12\x00" * 100_000
        assert served.refusal(PREDICT, empty_entries) == ("INVALID_ARGUMENT", "Missing ModelSpec")
        code, message = served.refusal(PREDICT, b"\xff" * 100_000)
        assert (code, message[:16]) == ("INVALID_ARGUMENT", "the message is n")


def test_the_limits_of_an_export_hold(served: Served) -> None:
    request = predict_request("sentiment", {"text": ["a" * 1_000_001]})
    code, message = served.refusal(PREDICT, request)
    assert (code, "the limit is 1,000,000" in message) == ("INVALID_ARGUMENT", True)
    # A shape costs nothing to send; the memory for it is not even asked for.
    request = predict_request("zeros", {"count": [1]})
    request.inputs["count"].tensor_shape.dim[0].size = 2**40
    assert "has the shape [1099511627776]" in served.refusal(PREDICT, request)[1]


@pytest.mark.parametrize("kind", ["mean", "size"])
def test_rows_that_depend_on_each_other(built: Built, tmp_path: Path, kind: str) -> None:
    repository = repository_of(tmp_path, built, Batching(), foreign=("dependent", kind))
    random = np.random.default_rng(3)
    questions = [random.normal(size=size).astype(np.float32) for size in range(1, 40)]
    with Served(repository) as served, ThreadPoolExecutor(10) as pool:
        requests = [predict_request("foreign", {"number": question}) for question in questions]
        answers = list(pool.map(served.predict, requests))
    for question, answer in zip(questions, answers, strict=True):
        expected = models.DEPENDENT[kind](question)
        np.testing.assert_allclose(answer["answer"], expected, rtol=1e-5, atol=1e-5)


def test_metadata_is_that_of_rest(served: Served, repository: Repository) -> None:
    request = of(get_model_metadata_pb2.GetModelMetadataRequest(), "sums", version=1)
    request.metadata_field.append("signature_def")
    answer = get_model_metadata_pb2.GetModelMetadataResponse.FromString(
        served.ask(SERVICE + "GetModelMetadata", request)
    )
    assert MessageToDict(answer.model_spec) == {"name": "sums", "version": "1"}
    signatures = get_model_metadata_pb2.SignatureDefMap()
    assert answer.metadata["signature_def"].Unpack(signatures)
    found = MessageToDict(
        signatures, preserving_proto_field_name=True, always_print_fields_with_no_presence=True
    )
    by_rest = json.loads(repository.find("sums").metadata)
    assert found == by_rest["metadata"]["signature_def"]


def test_metadata_that_there_is_not(served: Served) -> None:
    path = SERVICE + "GetModelMetadata"
    request = of(get_model_metadata_pb2.GetModelMetadataRequest(), "sums")
    assert served.refusal(path, request) == (
        "INVALID_ARGUMENT",
        "GetModelMetadataRequest must specify at least one metadata_field",
    )
    request.metadata_field.append("other")
    assert "Metadata field other is not supported" in served.refusal(path, request)[1]
    request = get_model_metadata_pb2.GetModelMetadataRequest(metadata_field=["signature_def"])
    assert served.refusal(path, request) == ("INVALID_ARGUMENT", "Missing ModelSpec")


def example(**features: Any) -> tf.train.Example:
    made = tf.train.Example()
    for name, value in features.items():
        feature = made.features.feature[name]
        if isinstance(value, bytes):
            feature.bytes_list.value.append(value)
        else:
            feature.float_list.value.append(value)
    return made


def listed(*examples: tf.train.Example, context: tf.train.Example | None = None) -> Any:
    if context is None:
        return input_pb2.Input(example_list=input_pb2.ExampleList(examples=examples))
    return input_pb2.Input(
        example_list_with_context=input_pb2.ExampleListWithContext(
            examples=examples, context=context
        )
    )


def test_classify(served: Served) -> None:
    examples = listed(example(size=2.5), example(size=3.0))
    request = of(classification_pb2.ClassificationRequest(input=examples), "flowers")
    answer = classification_pb2.ClassificationResponse.FromString(
        served.ask(SERVICE + "Classify", request)
    )
    found = [
        [(each.label, each.score) for each in row.classes] for row in answer.result.classifications
    ]
    assert found == [[("small", 2.5), ("large", 5.0)], [("small", 3.0), ("large", 6.0)]]
    assert (answer.model_spec.name, answer.model_spec.version.value) == ("flowers", 1)
    request.model_spec.signature_name = "scores_only"
    answer.ParseFromString(served.ask(SERVICE + "Classify", request))
    assert [each.label for each in answer.result.classifications[0].classes] == ["", ""]


def test_regress(served: Served) -> None:
    request = of(
        regression_pb2.RegressionRequest(input=listed(example(x=3.0), example(x=-1.0))),
        "half",
        signature="regress_x_to_y",
    )
    answer = regression_pb2.RegressionResponse.FromString(served.ask(SERVICE + "Regress", request))
    assert [each.value for each in answer.result.regressions] == [3.5, 1.5]
    assert answer.model_spec.signature_name == "regress_x_to_y"


def test_an_example_has_the_features_of_the_context_and_its_own(served: Served) -> None:
    context = example(size=1.0, name=b"abc")
    examples = listed(example(name=b"a"), example(size=2.0), context=context)
    request = of(regression_pb2.RegressionRequest(input=examples), "flowers", signature="length")
    answer = regression_pb2.RegressionResponse.FromString(served.ask(SERVICE + "Regress", request))
    assert [each.value for each in answer.result.regressions] == [1.0, 3.0]


@pytest.mark.parametrize(
    ("method", "signature", "examples", "problem"),
    [
        ("Classify", "", None, "Input is empty."),
        ("Classify", "", [], "Input is empty."),
        ("Classify", "length", [example(size=1.0)], "is not one of tensorflow/serving/classify"),
        ("Regress", "", [example(size=1.0)], "is not one of tensorflow/serving/regress"),
        ("Regress", "whole", [example(size=1.0)], "output 'outputs' is int32"),
        ("Classify", "flat", [example(size=1.0)], "output 'scores' has shape [1]"),
        ("Classify", "none", [example(size=1.0)], "no signature 'none'"),
        ("Classify", "", [example(name=b"a")], "size"),
    ],
)
def test_examples_that_are_refused(
    served: Served, method: str, signature: str, examples: Any, problem: str
) -> None:
    kinds: dict[str, type[Any]] = {
        "Classify": classification_pb2.ClassificationRequest,
        "Regress": regression_pb2.RegressionRequest,
    }
    request = of(kinds[method](), "flowers", signature=signature)
    if examples is not None:
        request.input.CopyFrom(listed(*examples))
    code, message = served.refusal(SERVICE + method, request)
    assert code == "INVALID_ARGUMENT"
    assert problem in message


def test_large_requests_and_answers_of_examples(repository: Repository) -> None:
    rows = 20_000
    examples = listed(*[example(size=float(number)) for number in range(rows)])
    request = of(classification_pb2.ClassificationRequest(input=examples), "flowers")
    with Served(repository) as served:
        answer = classification_pb2.ClassificationResponse.FromString(
            served.ask(SERVICE + "Classify", request)
        )
    found = [row.classes[1].score for row in answer.result.classifications]
    assert found == [2.0 * number for number in range(rows)]
