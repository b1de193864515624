"""Requests and answers under /v1, as TensorFlow Serving's documentation and tests have them."""

import base64
import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.serving.asking import Asker, Built, error_of, repository_of
from textapps.serving.app import create_app
from textapps.serving.repository import Repository
from textapps.serving.settings import Settings

GOLDEN = Path(__file__).parent.parent / "golden"


@pytest.fixture(scope="module")
def repository(built: Built, tmp_path_factory: pytest.TempPathFactory) -> Repository:
    directory = tmp_path_factory.mktemp("models")
    shutil.copytree(GOLDEN / "sentiment", directory / "sentiment")
    return repository_of(
        directory,
        built,
        lengths="lengths",
        sums="sums",
        typed="typed",
        writer="generator",
        **{"a model.v2": ("lengths", 3)},
    )


B64 = {"b64": base64.b64encode(b"\xff\x00\xfe").decode()}
TYPED = {
    "bool": [True, False],
    "uint8": [0, 255],
    "int8": [-128, 127],
    "int64": [-(2**63), 2**63 - 1],
    "uint64": [0, 2**64 - 1],
    "float16": [0.5, -65504.0],
    "float64": [0.1, 1e300],
    "bfloat16": [0.5, 3.0],
    "image_bytes": B64,
}

ANSWERS: list[tuple[str, Any, Any]] = [
    # Row format, one input: bare values, or objects of one key; a single output is not wrapped.
    ("lengths", {"instances": ["ab", "ü"]}, {"predictions": [2, 2]}),
    ("lengths", {"instances": [{"text": "ab"}, {"text": B64}]}, {"predictions": [2, 3]}),
    ("lengths", {"instances": [B64]}, {"predictions": [3]}),
    ("lengths", {"signature_name": "serving_default", "instances": [""]}, {"predictions": [0]}),
    ("lengths", {"signature_name": "", "instances": [""], "more": 1}, {"predictions": [0]}),
    # Column format.
    ("lengths", {"inputs": ["ab", "ü"]}, {"outputs": [2, 2]}),
    ("lengths", {"inputs": {"text": ["ab", "", "c"]}}, {"outputs": [2, 0, 1]}),
    ("sums", {"signature_name": "whole", "inputs": 3}, {"outputs": 9.0}),
    ("sums", {"signature_name": "whole", "inputs": {"number": -1.5}}, {"outputs": 2.25}),
    # Several inputs and outputs.
    (
        "sums",
        {
            "instances": [
                {"ids": [1, 2], "weights": [0.5, 0, 0]},
                {"weights": [1, 1, 1], "ids": [3, -4]},
            ]
        },
        {"predictions": [{"total": 3.5, "doubled": [2, 4]}, {"total": 2.0, "doubled": [6, -8]}]},
    ),
    (
        "sums",
        {"inputs": {"ids": [[1]], "weights": [[0.1, 0, 0]], "more": 1}},
        {"outputs": {"total": [1.1], "doubled": [[2]]}},
    ),
    ("sums", {"inputs": {"ids": [[]], "weights": [[0.5, 0, 0]]}}, None),
    ("typed", {"instances": [TYPED]}, None),
    # Another model by a name that a path has to escape, and a version by its number.
    ("a%20model.v2", {"instances": ["ab"]}, {"predictions": [5]}),
    ("a%20model.v2/versions/1", {"instances": ["ab"]}, {"predictions": [5]}),
    ("lengths/versions/0000000000000000001", {"instances": ["ab"]}, {"predictions": [2]}),
    ("writer", {"signature_name": "score", "instances": ["abc"]}, None),
]


@pytest.mark.parametrize(("path", "body", "answer"), ANSWERS)
def test_answers(ask: Asker, path: str, body: Any, answer: Any) -> None:
    response = ask.post(f"/v1/models/{path}:predict", body)
    assert response.status_code == 200, response.text
    assert response.headers["content-type"] == "application/json"
    if answer is not None:
        assert response.json() == answer


def test_every_type_comes_back(ask: Asker) -> None:
    (echo,) = ask.post("/v1/models/typed:predict", {"instances": [TYPED]}).json()["predictions"]
    assert echo == {f"echo_{name}": value for name, value in TYPED.items()}


def test_numbers_that_json_has_not(ask: Asker) -> None:
    weights = "[[NaN, 0, 0], [Infinity, 0, 0], [-Infinity, 0, 0]]"
    body = f'{{"inputs": {{"ids": [[1], [1], [1]], "weights": {weights}}}}}'
    text = ask.post("/v1/models/sums:predict", body).text
    assert '"total":[NaN,Infinity,-Infinity]' in text


def test_sentiment_answers_as_when_it_was_exported(ask: Asker) -> None:
    (case,) = json.loads((GOLDEN / "sentiment.json").read_text(encoding="utf-8"))["cases"]
    expected = {name: tensor["values"] for name, tensor in case["outputs"].items()}
    response = ask.post(
        "/v1/models/sentiment:predict", {"instances": case["inputs"]["text"]["values"]}
    )
    rows = response.json()["predictions"]
    assert [row["label"] for row in rows] == expected["label"]
    assert [row["probability"] for row in rows] == pytest.approx(expected["probability"], abs=1e-5)
    assert [p for row in rows for p in row["scores"]] == pytest.approx(expected["scores"], abs=1e-5)


DEEP = "[" * 40 + "]" * 40
ERRORS: list[tuple[str, str, Any, int, str]] = [
    # Routes.
    ("GET", "/v1/", None, 400, "Malformed request: GET /v1/"),
    ("GET", "/v1/foo", None, 400, "Malformed request: GET /v1/foo"),
    ("POST", "/v1/foo", "{}", 400, "Malformed request: POST /v1/foo"),
    ("POST", "/v1/models", "{}", 400, "Malformed request"),
    ("GET", "/v1/models/", None, 400, "Malformed request"),
    ("GET", "/v1/models/lengths/", None, 400, "Malformed request"),
    ("GET", "/v1/models/lengths:predict", None, 400, "Malformed request"),
    ("POST", "/v1/models/lengths", "{}", 400, "Malformed request"),
    ("PUT", "/v1/models/lengths:predict", "{}", 400, "Malformed request: PUT"),
    ("OPTIONS", "/v1/models/lengths:predict", None, 400, "Malformed request"),
    ("POST", "/v1/models/lengths:PREDICT", "{}", 400, "Malformed request"),
    ("POST", "/v1/models/lengths:predict/", "{}", 400, "Malformed request"),
    ("POST", "/v1/models/lengths:explain", "{}", 400, "Malformed request"),
    ("POST", "/v1/models/lengths/version/1:predict", "{}", 400, "Malformed request"),
    ("POST", "/v1/models/lengths/versions/one:predict", "{}", 400, "Malformed request"),
    ("POST", "/v1/models/lengths/versions/-1:predict", "{}", 400, "Malformed request"),
    ("GET", "/v1/models/lengths/versions/²", None, 400, "Malformed request"),
    ("GET", "/v1/models/lengths%2Fversions%2F1", None, 404, "no model 'lengths/versions/1'"),
    ("GET", "/v1/models/..%2F..%2Fetc", None, 404, "no model '../../etc'"),
    ("GET", "/v1/models/%2e%2e/metadata", None, 404, "no model '..'"),
    ("GET", "/v1/models/%00%ff", None, 404, "no model"),
    # Models, versions, labels.
    ("GET", "/v1/models/none", None, 404, "no model 'none'"),
    ("GET", "/v1/models/none/metadata", None, 404, "no model 'none'"),
    ("GET", "/v1/models/none/manifest", None, 404, "no model 'none'"),
    ("GET", "/v1/models/lengths/versions/9", None, 404, "has no version 9"),
    ("GET", "/v1/models/lengths/versions/9/metadata", None, 404, "has no loaded version 9"),
    ("GET", "/v1/models/lengths/labels/stable/metadata", None, 400, "no version label 'stable'"),
    ("GET", f"/v1/models/lengths/versions/{2**63}", None, 400, "Failed to convert version"),
    ("GET", f"/v1/models/lengths/versions/{'9' * 4400}", None, 400, "Failed to convert version"),
    ("POST", "/v1/models/none:predict", {"instances": [1]}, 404, "no model 'none'"),
    ("POST", "/v1/models/none:predict", "", 400, "JSON parse error: the body is empty"),
    ("POST", "/v1/models/lengths/versions/9:predict", {"instances": [1]}, 404, "version 9"),
    ("POST", "/v1/models/lengths/labels/stable:predict", {"instances": [1]}, 400, "label"),
    # Bodies.
    ("POST", "/v1/models/lengths:predict", "instances = [1, 2]", 400, "JSON parse error"),
    ("POST", "/v1/models/lengths:predict", '{"instances": ' + DEEP + "}", 400, "nested more than"),
    ("POST", "/v1/models/lengths:predict", {}, 400, "one of 'instances' and 'inputs'"),
    ("POST", "/v1/models/lengths:predict", {"instances": [1, 2]}, 400, "values of type string"),
    ("POST", "/v1/models/lengths:predict", {"instances": ["a", ["b"]]}, 400, "of type string"),
    ("POST", "/v1/models/lengths:predict", {"instances": [["a"], ["b", "c"]]}, 400, "length"),
    ("POST", "/v1/models/lengths:predict", {"instances": [["a"]]}, 400, "shape [1, 1]"),
    ("POST", "/v1/models/lengths:predict", {"inputs": "a"}, 400, "shape []"),
    ("POST", "/v1/models/sentiment:predict", {"inputs": []}, 400, "a request without rows"),
    ("POST", "/v1/models/lengths:predict", {"instances": ["bad"]}, 400, "a bad text"),
    ("POST", "/v1/models/lengths:predict", '{"instances": ["\\ud800"]}', 400, "not Unicode"),
    (
        "POST",
        "/v1/models/lengths:predict",
        {"signature_name": "x", "instances": ["a"]},
        400,
        "no signature 'x'; model 'lengths' has 'serving_default'",
    ),
    (
        "POST",
        "/v1/models/lengths:predict",
        {"signature_name": 1, "instances": ["a"]},
        400,
        "'signature_name' should be a string",
    ),
    (
        "POST",
        "/v1/models/sums:predict",
        {"inputs": {"ids": [[1]], "weights": [[1, 2, 3], [1, 2, 3]]}},
        400,
        "differ in their number of rows",
    ),
    (
        "POST",
        "/v1/models/sums:predict",
        {"signature_name": "whole", "instances": [1, 2]},
        400,
        "shape [2], the signature takes []",
    ),
    # Methods that want a signature of another kind.
    ("POST", "/v1/models/lengths:classify", "{}", 400, "should have 'examples'"),
    ("POST", "/v1/models/lengths:regress", {"examples": []}, 400, "should have 'examples'"),
    ("POST", "/v1/models/none:classify", {"examples": [{"x": 1}]}, 404, "no model 'none'"),
    (
        "POST",
        "/v1/models/lengths:classify",
        {"examples": [{"x": 1}]},
        400,
        "'serving_default' is not one of tensorflow/serving/classify: use :predict",
    ),
    (
        "POST",
        "/v1/models/lengths:regress",
        {"signature_name": "y", "examples": [{"x": 1}]},
        400,
        "no signature 'y'",
    ),
]


@pytest.mark.parametrize(("method", "path", "body", "status", "problem"), ERRORS)
def test_errors(ask: Asker, method: str, path: str, body: Any, status: int, problem: str) -> None:
    response = ask.post(path, body) if method == "POST" else ask(method, path)
    assert problem in error_of(response)
    assert response.status_code == status
    assert response.headers["content-type"] == "application/json"


@pytest.mark.parametrize("path", ["/v1/models/lengths", "/v1/models/lengths/versions/1"])
def test_status(ask: Asker, path: str) -> None:
    assert ask("GET", path).json() == {
        "model_version_status": [
            {
                "version": "1",
                "state": "AVAILABLE",
                "status": {"error_code": "OK", "error_message": ""},
            }
        ]
    }


@pytest.mark.parametrize("path", ["/v1/models/sums", "/v1/models/sums/versions/1"])
def test_metadata(ask: Asker, path: str) -> None:
    body = ask("GET", f"{path}/metadata").json()
    assert body["model_spec"] == {"name": "sums", "signature_name": "", "version": "1"}
    signatures = body["metadata"]["signature_def"]["signature_def"]
    assert {name for name in signatures if not name.startswith("__")} == {
        "serving_default",
        "together",
        "whole",
    }
    default = signatures["serving_default"]
    assert default["method_name"] == "tensorflow/serving/predict"
    assert set(default["outputs"]) == {"total", "doubled"}
    assert default["inputs"]["weights"] == {
        "dtype": "DT_FLOAT",
        "tensor_shape": {
            "dim": [{"size": "-1", "name": ""}, {"size": "3", "name": ""}],
            "unknown_rank": False,
        },
        "name": default["inputs"]["weights"]["name"],
    }
    assert ask("GET", f"{path}/metadata").json() == body


def test_models_and_manifests(ask: Asker) -> None:
    models = {model["name"]: model for model in ask("GET", "/v1/models").json()["models"]}
    assert list(models) == ["a model.v2", "lengths", "sentiment", "sums", "typed", "writer"]
    versions = [{"version": "1", "state": "AVAILABLE"}]
    assert models["writer"] == {
        "name": "writer",
        "task": "generate",
        "version": "1",
        "versions": versions,
    }
    assert models["lengths"]["task"] is None
    assert ask("GET", "/v1/models/lengths/manifest").json() == {}
    manifest = ask("GET", "/v1/models/sentiment/versions/1/manifest").json()
    assert (manifest["task"], manifest["labels"]) == ("sentiment", ["neg", "pos"])


@pytest.fixture
def changing(built: Built, tmp_path: Path) -> tuple[Repository, Asker, Path]:
    repository = repository_of(tmp_path, built, lengths="lengths")
    return repository, Asker(create_app(Settings(), repository)), tmp_path


def test_a_version_that_does_not_load_shows_in_the_status(
    changing: tuple[Repository, Asker, Path],
) -> None:
    repository, ask, directory = changing
    (directory / "lengths" / "2").mkdir()
    (directory / "lengths" / "2" / "saved_model.pb").write_bytes(b"damaged")
    (directory / "broken" / "7").mkdir(parents=True)
    (directory / "broken" / "7" / "saved_model.pb").write_bytes(b"damaged")
    repository.poll()
    newest, loaded = ask("GET", "/v1/models/lengths").json()["model_version_status"]
    assert (newest["version"], newest["state"]) == ("2", "END")
    assert newest["status"]["error_code"] != "OK"
    assert "\n" not in newest["status"]["error_message"] != ""
    assert (loaded["version"], loaded["state"]) == ("1", "AVAILABLE")
    assert ask.post("/v1/models/lengths:predict", {"instances": ["ab"]}).status_code == 200
    assert ask.post("/v1/models/broken:predict", {"instances": ["ab"]}).status_code == 404
    broken, lengths = ask("GET", "/v1/models").json()["models"]
    assert (broken["version"], broken["task"], lengths["version"]) == (None, None, "1")


def test_metadata_are_those_of_what_is_loaded(
    changing: tuple[Repository, Asker, Path], built: Built
) -> None:
    _, ask, directory = changing
    shutil.copy(built("sums") / "saved_model.pb", directory / "lengths" / "1")
    before = ask("GET", "/v1/models/lengths/metadata").json()
    shutil.rmtree(directory / "lengths")
    assert ask("GET", "/v1/models/lengths/metadata").json() == before
    default = before["metadata"]["signature_def"]["signature_def"]["serving_default"]
    assert list(default["inputs"]) == ["text"]
    assert ask.post("/v1/models/lengths:predict", {"instances": ["ab"]}).status_code == 200
