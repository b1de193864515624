"""What is logged of a failure, and what the client hears of it."""

import logging
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.serving.asking import Asker, Built, Loaded, error_of, repository_of
from tests.serving.models import strings
from textapps.savedmodel.errors import BadInput, ModelFailed
from textapps.serving.app import create_app
from textapps.serving.failures import Failures
from textapps.serving.repository import Repository
from textapps.serving.settings import Settings

SECRETS = ["topsecret words", "31415.5"]
FAILS = "/v1/models/fails:predict"


@pytest.fixture(scope="module")
def repository(loaded: Loaded) -> Repository:
    return loaded(fails="failing")


@pytest.fixture
def log(caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setattr(logging.getLogger("textapps"), "propagate", True)
    return caplog


def body() -> dict[str, Any]:
    return {"instances": [{"text": SECRETS[0], "number": float(SECRETS[1])}]}


def test_a_failure_in_the_model_is_logged_with_its_traceback(
    repository: Repository, log: pytest.LogCaptureFixture
) -> None:
    ask = Asker(create_app(Settings(), repository))
    response = ask("POST", FAILS, json=body(), headers={"x-request-id": "mine-1"})
    assert response.status_code == 500
    assert error_of(response) == "topsecret words; No such file or directory"
    (record,) = log.records
    assert record.levelno == logging.ERROR
    first, *_ = record.message.splitlines()
    assert first == "request mine-1 to model 'fails' version 1 failed"
    assert "NotFoundError" in record.message
    assert "signature.py" in record.message  # a frame of the traceback
    assert "ModelFailed" in record.message
    for secret in ("topsecret", "words", *SECRETS):
        assert secret not in record.message


def test_the_inputs_are_logged_if_asked_for(
    repository: Repository, log: pytest.LogCaptureFixture
) -> None:
    ask = Asker(create_app(Settings(log_inputs=True), repository))
    assert ask.post(FAILS, body()).status_code == 500
    assert "input 'text': [b'topsecret words']" in log.text
    assert "input 'number': [31415.5]" in log.text
    assert "topsecret words; No such file" in log.text


def test_what_is_wrong_with_a_request_is_not_logged(
    repository: Repository, log: pytest.LogCaptureFixture
) -> None:
    ask = Asker(create_app(Settings(), repository))
    assert ask.post(FAILS, {"instances": [1]}).status_code == 400
    assert not log.records


def test_an_error_of_the_server_says_nothing_of_its_inside(
    repository: Repository, monkeypatch: pytest.MonkeyPatch, log: pytest.LogCaptureFixture
) -> None:
    async def fail(*arguments: Any) -> None:
        raise RuntimeError("secret of the inside")

    monkeypatch.setattr(repository.find("fails"), "answer", fail)
    response = Asker(create_app(Settings(), repository)).post(FAILS, body())
    identity = response.headers["x-request-id"]
    assert error_of(response) == f"internal error: the server's log has request {identity}"
    assert response.status_code == 500
    assert f"request {identity} to model 'fails' version 1 failed" in log.text
    assert "RuntimeError: secret of the inside" in log.text


def test_a_failure_half_way_through_a_stream_is_logged(
    built: Built, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, log: pytest.LogCaptureFixture
) -> None:
    repository = repository_of(tmp_path, built, writer="generator")
    version = repository.find("writer")
    predict, calls = version.predict, []

    async def fail_later(name: str, inputs: Any) -> Any:
        calls.append(name)
        if len(calls) > 2:
            raise ModelFailed("no memory for topsecret")
        return await predict(name, inputs)

    monkeypatch.setattr(version, "predict", fail_later)
    ask = Asker(create_app(Settings(), repository))
    response = ask.post("/v1/models/writer:stream", {"seed": "topsecret", "length": 100})
    assert 'event: error\ndata: {"error": "no memory for topsecret"}' in response.text
    assert "to model 'writer' version 1 failed" in log.text
    assert "ModelFailed: no memory for <input>" in log.text


@pytest.mark.parametrize(
    ("inputs", "message", "logged"),
    [
        ({"x": strings(b"the text")}, "cannot take the text", "cannot take <input> <input>"),
        ({"x": strings(b"a")}, "a file", "a file"),
        ({"x": np.array([2.5, 7])}, "2.5 and 7.0 of 27, x7", "<input> and <input> of 27, x7"),
        ({"seed": "Täxt", "stop": None, "length": 9}, "Täxt: 9", "<input>: <input>"),
        ({"x": strings(b"long " * 30_000)}, "long", "(message withheld"),
        ({"x": np.arange(20_000)}, "123", "(message withheld"),
    ],
    ids=range(6),
)
def test_inputs_in_a_message(
    inputs: dict[str, Any], message: str, logged: str, log: pytest.LogCaptureFixture
) -> None:
    scope = {"request_id": "one", "served": ("m", "3"), "inputs": inputs}
    Failures(log_inputs=False).write(scope, ModelFailed(message))
    assert f"ModelFailed: {logged}" in log.text
    Failures(log_inputs=False).write(scope, BadInput(message))
    assert len(log.records) == 1
