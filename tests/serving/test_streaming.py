"""Tests of streaming: the same text as `generate`, whatever becomes of the client."""

import asyncio
import json
import re
from collections.abc import AsyncIterator
from types import SimpleNamespace
from typing import Any

import httpx
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.serving.asking import Asker, Loaded, error_of
from tests.serving.models import continued, strings
from textapps.decoding.config import DecodingConfig, option_schemas
from textapps.savedmodel.errors import BadInput
from textapps.savedmodel.manifest import TensorInfo
from textapps.serving.app import create_app
from textapps.serving.repository import Repository
from textapps.serving.settings import Settings
from textapps.serving.stream_request import StreamRequest
from textapps.serving.streaming import CHUNK_CHARACTERS, TextStream

PATH = "/v1/models/writer:stream"


@pytest.fixture(scope="module")
def repository(loaded: Loaded) -> Repository:
    return loaded("lengths", writer="generator")


def events_of(response: httpx.Response) -> list[tuple[str, dict[str, Any]]]:
    """Kind and data of each event."""
    assert response.status_code == 200, response.text
    assert response.headers["content-type"] == "text/event-stream"
    events = []
    for block in response.text.removesuffix("\n\n").split("\n\n"):
        fields = dict(line.split(": ", 1) for line in block.split("\n"))
        events.append((fields.pop("event", "message"), json.loads(fields.pop("data"))))
        assert not fields
    return events


@pytest.mark.parametrize("length", [1, CHUNK_CHARACTERS - 1, CHUNK_CHARACTERS, 100, 330])
def test_events(ask: Asker, length: int) -> None:
    *texts, last = events_of(ask.post(PATH, {"seed": "ab", "length": length, "random_seed": 3}))
    assert [kind for kind, _ in texts] == ["message"] * -(-length // CHUNK_CHARACTERS)
    assert "".join(data["text"] for _, data in texts) == continued("ab", length, 3)
    assert last == ("done", {"characters": length})


def test_the_deadline_is_that_of_the_start(
    repository: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    ask = Asker(create_app(Settings(deadline_ms=30), repository))
    start = TextStream.start

    async def late(self: TextStream) -> None:
        await asyncio.sleep(5)
        await start(self)

    monkeypatch.setattr(TextStream, "start", late)
    response = ask.post(PATH, {"seed": "ab", "length": 3})
    assert response.status_code == 504
    assert "no answer within 30 ms" in error_of(response)


@pytest.mark.slow
def test_no_stream_leaves_anything_to_the_next(ask: Asker) -> None:
    responses = [ask.post(PATH, {"seed": "a", "length": 1}) for _ in range(500)]
    headers = [response.headers.multi_items() for response in responses]
    names = [name for name, _ in headers[0]]
    assert [[name for name, _ in each] for each in headers] == [names] * 500
    assert len({response.headers["x-request-id"] for response in responses}) == 500


def test_the_same_text_as_generate(ask: Asker) -> None:
    options = {"temperature": 0.5, "top_k": 3, "top_p": 0.5, "repetition_penalty": 2.0}
    request = {"seed": "seed", "length": 80, "random_seed": 5, **options}
    body = {"signature_name": "generate", "instances": [request]}
    (whole,) = ask.post("/v1/models/writer:predict", body).json()["predictions"]
    *texts, _ = events_of(ask.post("/v1/models/writer/versions/1:stream", request))
    assert "".join(data["text"] for _, data in texts) == whole


def test_the_defaults_are_those_of_the_export(ask: Asker) -> None:
    *texts, last = events_of(ask.post(PATH, {}))
    assert last == ("done", {"characters": 50})
    assert "".join(data["text"] for _, data in texts) == continued("", 50)


def test_options_of_a_request_come_before_the_exports() -> None:
    manifest = {"decoding": {"length": 7, "top_k": 5, "stop": None, "of a later version": 1}}
    request = StreamRequest.parse({"top_k": 2}, manifest)
    assert (request.length, request.top_k, request.stop) == (7, 2, None)
    for nonsense in ({}, {"decoding": None}, {"decoding": []}):
        assert StreamRequest.parse({}, nonsense).model_dump() == FORMER


FORMER = {
    "seed": "",
    "length": 500,
    "temperature": 0.8,
    "top_k": 0,
    "top_p": 1.0,
    "repetition_penalty": 1.0,
    "random_seed": 0,
    "stop": None,
}


def test_an_export_says_itself_what_may_be_asked_for() -> None:
    """Every option of `generate`, with its range and the default of the export."""
    manifest = {"options": option_schemas(DecodingConfig(length=7, min_p=0.25, stop="x"))}
    request = StreamRequest.parse({"top_p": 0.5, "stop": None}, manifest)
    expected = {"seed": "", **DecodingConfig(length=7, min_p=0.25, top_p=0.5).model_dump()}
    assert request.model_dump() == {**expected, "random_seed": 0}
    for body, problem in (
        ({"min_p": 1.5}, "'min_p': input should be less than or equal to 1"),
        ({"top_k": 2**31}, "'top_k': input should be less than"),
        ({"random_seed": 2**63}, "'random_seed': input should be"),
        ({"stop": ""}, "'stop': string should have at least 1 character"),
        ({"max_p": 1}, "'max_p': extra inputs are not permitted"),
    ):
        with pytest.raises(BadInput, match=re.escape(problem)):
            StreamRequest.parse(body, manifest)
    with pytest.raises(BadInput, match="'min_p': extra inputs"):  # an export from before it
        StreamRequest.parse({"min_p": 0.5}, {"decoding": {"length": 7}})


@pytest.mark.parametrize(
    ("body", "status", "problem"),
    [
        ("", 400, "the body is empty"),
        ({"length": 0}, 400, "'length': input should be greater than or equal to 1"),
        ({"length": 100_001}, 400, "'length'"),
        ({"length": "7"}, 400, "'length': input should be a valid integer"),
        ({"length": True}, 400, "'length'"),
        ({"seed": None}, 400, "'seed': input should be a valid string"),
        ('{"seed": "\\ud800"}', 400, "'seed'"),
        ({"temperature": -0.1}, 400, "'temperature'"),
        ('{"temperature": NaN}', 400, "'temperature'"),
        ({"top_k": 2**31}, 400, "'top_k'"),
        ({"top_p": 0}, 400, "'top_p'"),
        ({"repetition_penalty": 0.5}, 400, "'repetition_penalty'"),
        ({"random_seed": 2**63}, 400, "'random_seed'"),
        ({"stop": ""}, 400, "'stop'"),
        ({"sed": "a"}, 400, "'sed': extra inputs are not permitted"),
    ],
)
def test_wrong_options(ask: Asker, body: Any, status: int, problem: str) -> None:
    response = ask.post(PATH, body)
    assert problem in error_of(response)
    assert response.status_code == status


@pytest.mark.parametrize(
    ("model", "status", "problem"),
    [
        ("none", 404, "no model 'none'"),
        ("writer/versions/2", 404, "version 2"),
        ("lengths", 400, "model 'lengths' does not stream: no signature 'start'"),
    ],
)
def test_models_that_do_not_stream(ask: Asker, model: str, status: int, problem: str) -> None:
    response = ask.post(f"/v1/models/{model}:stream", {})
    assert problem in error_of(response)
    assert response.status_code == status


def test_an_error_half_way_is_an_event(ask: Asker) -> None:
    text, error = events_of(ask.post(PATH, {"length": CHUNK_CHARACTERS + 13}))
    assert text == ("message", {"text": continued("", CHUNK_CHARACTERS)})
    assert error[0] == "error"
    assert "an unlucky length" in error[1]["error"]


class Scripted:
    """A model version that says what it is told."""

    name = "scripted"

    def __init__(self, text: str) -> None:
        specs = {
            "length": TensorInfo(dtype="int32", shape=(None,)),
            "state_0_h": TensorInfo(dtype="int64", shape=(None,)),
            "top_p": TensorInfo(dtype="float32", shape=(None,)),
        }
        self.signatures = {"start": None, "continue": SimpleNamespace(inputs=specs)}
        self._text = text

    async def predict(self, name: str, inputs: dict[str, Any]) -> dict[str, Any]:
        if name == "start":
            return {"state_0_h": np.array([0])}
        assert inputs["top_p"].tolist() == [0.5]
        begin = int(inputs["state_0_h"][0])
        size = int(inputs["length"][0])
        piece = self._text[begin : begin + size]
        return {"text": strings(piece.encode()), "state_0_h": np.array([begin + size])}


async def collect(stream: TextStream) -> list[str]:
    await stream.start()
    return [text async for text in stream.chunks()]


@given(
    text=st.text("ab ", max_size=3 * CHUNK_CHARACTERS),
    stop=st.text("ab", min_size=1, max_size=4),
    length=st.integers(1, 3 * CHUNK_CHARACTERS),
)
def test_a_text_ends_before_the_stop(text: str, stop: str, length: int) -> None:
    request = StreamRequest.parse({"length": length, "stop": stop, "top_p": 0.5}, {})
    stream = TextStream(Scripted(text), request)  # type: ignore[arg-type]
    pieces = asyncio.run(collect(stream))
    assert "".join(pieces) == text[:length].partition(stop)[0]
    assert all(pieces)


def test_what_may_become_the_stop_is_held_back() -> None:
    text = "x" * (CHUNK_CHARACTERS - 2) + "ab" + "cd"
    request = StreamRequest.parse({"length": 99, "stop": "abd", "top_p": 0.5}, {})
    stream = TextStream(Scripted(text), request)  # type: ignore[arg-type]
    assert asyncio.run(collect(stream)) == ["x" * (CHUNK_CHARACTERS - 2), "abcd"]


def test_a_client_that_goes_away_stops_the_generation(
    repository: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    version = repository.find("writer")
    predict = version.predict
    calls: list[str] = []

    async def counted(name: str, inputs: Any) -> Any:
        calls.append(name)
        return await predict(name, inputs)

    monkeypatch.setattr(version, "predict", counted)
    app = create_app(Settings(), repository)

    async def leave_after_two_pieces() -> bytes:
        sent: list[bytes] = []
        gone = asyncio.Event()

        async def messages() -> AsyncIterator[dict[str, Any]]:
            yield {"type": "http.request", "body": b'{"length": 100000}'}
            await gone.wait()
            yield {"type": "http.disconnect"}

        async def send(message: dict[str, Any]) -> None:
            sent.append(message.get("body", b""))
            if len(sent) == 3:
                gone.set()
            await asyncio.sleep(0)

        scope: dict[str, Any] = {"method": "POST", "path": PATH, "raw_path": PATH.encode()}
        scope["headers"] = [(b"host", b"localhost")]
        await asyncio.wait_for(app(scope, messages().__anext__, send), 30)
        return b"".join(sent)

    sent = asyncio.run(leave_after_two_pieces())
    assert sent.count(b"data: ") >= 2
    assert b"event: done" not in sent
    assert len(calls) < 20


def test_start_needs_the_signatures(repository: Repository) -> None:
    with pytest.raises(BadInput, match="does not stream"):
        TextStream(repository.find("lengths"), StreamRequest.parse({}, {}))
