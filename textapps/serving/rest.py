"""The routes under /v1, as TensorFlow Serving has them, and what textapps adds to them."""

import asyncio
import json
import re
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple, TypeVar
from urllib.parse import unquote

import numpy as np

from textapps.core.errors import TextappsError
from textapps.savedmodel.errors import BadInput
from textapps.savedmodel.signature import Arrays
from textapps.serving.codec import Predict, find_signature, finish_predict, signature_name
from textapps.serving.compression import gunzip
from textapps.serving.deadline import within
from textapps.serving.encoder import count_values, encode_classes, encode_response, encode_values
from textapps.serving.errors import NotFound
from textapps.serving.examples import Verb, classes_of, example_inputs, values_of
from textapps.serving.exchange import (
    Message,
    Receive,
    Refusal,
    Scope,
    Send,
    header,
    read_body,
    send_answer,
    unless_gone,
)
from textapps.serving.failures import Failures
from textapps.serving.frames import release
from textapps.serving.json_body import parse_object
from textapps.serving.json_examples import Examples, read_examples
from textapps.serving.model_version import ModelVersion
from textapps.serving.readers import Readers
from textapps.serving.repository import Repository
from textapps.serving.settings import Settings
from textapps.serving.stream_request import StreamRequest
from textapps.serving.streaming import TextStream

T = TypeVar("T")

# As in TensorFlow Serving, a path may be written in any case, but not the verb. It answers a
# request for METADATA with the status.
_MODEL = r"(?i:/v1/models/([^/:]+)(?:/versions/([0-9]+)|/labels/([^/:]+))?"
_GET = re.compile(_MODEL + r"(?:/(metadata|manifest))?)")
_POST = re.compile(_MODEL + r"):(predict|classify|regress|stream)")
_METHODS = ("GET", "POST", "HEAD", "PUT", "DELETE", "OPTIONS", "PATCH")
_LARGEST_VERSION = 2**63 - 1
_EVENTS = ((b"content-type", b"text/event-stream"), (b"cache-control", b"no-store"))

# From here on another process reads a body or writes an answer, and a thread handles the inputs:
# other requests would have to wait.
_LARGE_BYTES = 64 * 1024
_LARGE_VALUES = 8 * 1024
_THREADS = 2  # more would only take the interpreter from the one that answers the others


class Target(NamedTuple):
    """What a path names: a model, perhaps one version of it, and what to do with it."""

    model: str
    version: int | None
    action: str


class Rest:
    """ASGI application of all paths under /v1.

    Whatever is wrong with a request is raised: as TextappsError, Refusal or ClientGone. Model
    and version, once found, are left in `scope["served"]` for the log and the metrics.
    """

    def __init__(self, settings: Settings, repository: Repository, failures: Failures) -> None:
        self._settings = settings
        self._repository = repository
        self._failures = failures
        self._readers = Readers(settings.max_depth, settings.deadline_ms / 1000)
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="rest")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        path = scope["raw_path"].decode("ascii", errors="replace")
        method = scope["method"]
        if method == "POST" and (match := _POST.fullmatch(path)):
            await self._post(scope, receive, send, _target(*match.groups()))
        elif method == "GET" and path.lower() == "/v1/models":
            await send_answer(send, 200, self._models())
        elif method == "GET" and (match := _GET.fullmatch(path)):
            await send_answer(send, 200, self._describe(scope, _target(*match.groups())))
        elif method == "OPTIONS" and (header(scope, b"origin") or b"").startswith(b"http"):
            await send_answer(send, 200, b"")
        elif method in _METHODS:
            raise BadInput(f"Malformed request: {method} {path[:200]}")
        else:
            raise Refusal(501, f"the method {method[:20]} is not implemented")

    async def _post(self, scope: Scope, receive: Receive, send: Send, target: Target) -> None:
        limit, seconds = self._settings.max_body_bytes, self._settings.deadline_ms / 1000
        body = await read_body(scope, receive, limit, seconds)
        if b"gzip" in (header(scope, b"content-encoding") or b"").lower():
            plain = self._run(True, gunzip, body, limit)
            body = await within(self._settings.deadline_ms, plain)
            scope["share"].add(len(body))
        if target.action == "stream":
            await unless_gone(receive, self._stream(scope, send, target, body))
            return
        work = self._predict if target.action == "predict" else self._infer
        answer = within(self._settings.deadline_ms, work(scope, target, body))
        await send_answer(send, 200, *await unless_gone(receive, answer))

    def _find(self, scope: Scope, target: Target) -> ModelVersion:
        version = self._repository.find(target.model, target.version)
        scope["served"] = (version.name, str(version.version))
        return version

    async def _predict(
        self, scope: Scope, target: Target, body: bytearray
    ) -> Sequence[bytes | memoryview]:
        version, request = await self._read_predict(scope, target, body)
        scope["inputs"] = request.inputs
        large = len(body) > _LARGE_BYTES
        outputs = await self._call(version, request.signature, request.inputs, large)
        most = self._settings.max_answer_bytes
        if count_values(outputs) > _LARGE_VALUES:
            return await self._readers.encode(outputs, request.row_format, most)
        return encode_response(outputs, request.row_format, most)

    async def _call(
        self, version: ModelVersion, signature: str, inputs: Arrays, large: bool
    ) -> dict[str, np.ndarray]:
        call = await self._run(large, version.prepare, signature, inputs)
        outputs = await version.answer(signature, call)
        if large:
            await self._run(True, release, inputs)
        return outputs

    async def _read_predict(
        self, scope: Scope, target: Target, body: bytearray
    ) -> tuple[ModelVersion, Predict]:
        if len(body) > _LARGE_BYTES:
            version = self._find(scope, target)
            return version, await self._readers.predict(body, version.spec)
        request = parse_object(bytes(body), self._settings.max_depth)
        signature_name(request)  # of which TensorFlow Serving complains first
        version = self._find(scope, target)
        return version, finish_predict(bytes(body), request, version.spec)

    async def _infer(self, scope: Scope, target: Target, body: bytearray) -> list[bytes]:
        """Classify or regress examples."""
        request = await self._read_examples(body)
        version = self._find(scope, target)
        verb: Verb = "classify" if target.action == "classify" else "regress"
        signature = find_signature(request.signature, version.name, version.signatures)
        scope["inputs"] = request.inputs
        examples = request.inputs["inputs"]
        inputs = example_inputs(signature, verb, examples)
        outputs = await self._call(version, signature.name, inputs, len(body) > _LARGE_BYTES)
        large = count_values(outputs) > _LARGE_VALUES
        most = self._settings.max_answer_bytes
        if verb == "classify":
            classes = classes_of(outputs, len(examples))
            return await self._run(large, encode_classes, *classes, most)
        return await self._run(large, encode_values, values_of(outputs, len(examples)), most)

    async def _read_examples(self, body: bytearray) -> Examples:
        if len(body) > _LARGE_BYTES:
            return await self._readers.examples(body)
        return read_examples(bytes(body), self._settings.max_depth)

    async def _read_object(self, body: bytearray) -> dict[str, Any]:
        if len(body) > _LARGE_BYTES:
            return await self._readers.outside(body)
        return parse_object(bytes(body), self._settings.max_depth)

    async def _stream(self, scope: Scope, send: Send, target: Target, body: bytearray) -> None:
        """Server-sent events; what fails before the first is an ordinary error."""
        begun = self._begin_stream(scope, target, body)
        stream = await within(self._settings.deadline_ms, begun)
        await send({"type": "http.response.start", "status": 200, "headers": _EVENTS})
        characters = 0
        try:
            async for text in stream.chunks():
                characters += len(text)
                await send(_event({"text": text}))
        except TextappsError as error:
            self._failures.write(scope, error)
            await send(_event({"error": str(error)}, "error"))
        else:
            await send(_event({"characters": characters}, "done"))
        await send({"type": "http.response.body", "body": b""})

    async def _begin_stream(self, scope: Scope, target: Target, body: bytearray) -> TextStream:
        request = await self._read_object(body)
        scope["inputs"] = request
        version = self._find(scope, target)
        stream = TextStream(version, StreamRequest.parse(request, version.manifest))
        await stream.start()
        return stream

    async def _run(self, in_thread: bool, function: Callable[..., T], *arguments: Any) -> T:
        if not in_thread:
            return function(*arguments)
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, function, *arguments)

    def _models(self) -> bytes:
        models = []
        for name in self._repository.names():
            try:
                serving = self._repository.find(name)
            except NotFound:
                serving = None
            manifest = serving.manifest if serving else {}
            models.append(
                {
                    "name": name,
                    "task": manifest.get("task"),
                    "version": str(serving.version) if serving else None,
                    "versions": [
                        {"version": str(status.version), "state": status.state}
                        for status in self._repository.statuses(name)
                    ],
                }
            )
        return _json({"models": models})

    def _describe(self, scope: Scope, target: Target) -> bytes:
        if target.action == "metadata":
            return self._find(scope, target).metadata
        if target.action.lower() == "manifest":
            return _json(self._find(scope, target).manifest)
        statuses = self._repository.statuses(target.model)
        if target.version is not None:
            statuses = [status for status in statuses if status.version == target.version]
            if not statuses:
                raise NotFound(f"model '{target.model}' has no version {target.version}")
        return _json(
            {
                "model_version_status": [
                    {
                        "version": str(status.version),
                        "state": status.state,
                        "status": {
                            "error_code": status.error_code,
                            "error_message": status.message,
                        },
                    }
                    for status in statuses
                ]
            }
        )


def _target(model: str, version: str | None, label: str | None, action: str | None) -> Target:
    name = unquote(model)
    if label is not None and action is not None:  # TensorFlow Serving's status ignores a label
        raise BadInput(f"model '{name[:200]}' has no version label '{unquote(label)[:200]}'")
    if version is None:
        return Target(name, None, action or "status")
    digits = version.lstrip("0") or "0"
    if len(digits) > 19 or int(digits) > _LARGEST_VERSION:
        raise BadInput(f"Failed to convert version: {version[:50]} to numeric.")
    return Target(name, int(digits), action or "status")


def _json(value: Any) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()


def _event(data: dict[str, Any], kind: str | None = None) -> Message:
    name = f"event: {kind}\n" if kind else ""
    body = f"{name}data: {json.dumps(data, ensure_ascii=False)}\n\n".encode(errors="replace")
    return {"type": "http.response.body", "body": body, "more_body": True}
