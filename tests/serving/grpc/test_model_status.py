"""Tests of ModelService."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from google.protobuf.json_format import MessageToDict
from tensorflow_serving.apis import get_model_status_pb2

from tests.serving import models
from tests.serving.asking import Built
from tests.serving.grpc.asking import Served, of
from textapps.serving.repository import Repository

SERVICE = "/tensorflow.serving.ModelService/"


@pytest.fixture(scope="module")
def served(built: Built, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    directory = tmp_path_factory.mktemp("models")
    models.copy(built("lengths"), directory / "m" / "1")
    (directory / "m" / "2").mkdir()
    (directory / "m" / "2" / "saved_model.pb").write_bytes(b"damaged")
    repository = Repository(directory)
    repository.poll()
    with Served(repository) as served:
        yield served


def status(served: Served, model: str, **spec: Any) -> list[dict[str, Any]]:
    request = of(get_model_status_pb2.GetModelStatusRequest(), model, **spec)
    answer = get_model_status_pb2.GetModelStatusResponse.FromString(
        served.ask(SERVICE + "GetModelStatus", request)
    )
    found = MessageToDict(answer, preserving_proto_field_name=True)["model_version_status"]
    assert isinstance(found, list)
    return found


def test_status(served: Served) -> None:
    broken, loaded = status(served, "m")
    assert loaded == {"version": "1", "state": "AVAILABLE", "status": {}}
    assert (broken["version"], broken["state"]) == ("2", "END")
    assert broken["status"]["error_code"] != "OK"
    assert broken["status"]["error_message"]
    assert status(served, "m", version=1) == [loaded]


@pytest.mark.parametrize(
    ("spec", "code"),
    [
        ({"model": "none"}, "NOT_FOUND"),
        ({"model": "m", "version": 3}, "NOT_FOUND"),
        ({"model": "m", "label": "stable"}, "INVALID_ARGUMENT"),
        ({"model": ""}, "INVALID_ARGUMENT"),
    ],
)
def test_no_status(served: Served, spec: dict[str, Any], code: str) -> None:
    request = of(get_model_status_pb2.GetModelStatusRequest(), **spec)
    assert served.refusal(SERVICE + "GetModelStatus", request)[0] == code


def test_reloading_is_refused(served: Served) -> None:
    code, message = served.refusal(SERVICE + "HandleReloadConfigRequest", b"")
    assert code == "UNIMPLEMENTED"
    assert "add or remove them there" in message


def test_the_path_of_the_directory_is_not_shown(served: Served, tmp_path: Path) -> None:
    assert str(tmp_path.parent) not in str(status(served, "m"))
