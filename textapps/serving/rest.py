"""The routes under /v1, as TensorFlow Serving has them, and what textapps adds to them."""

import asyncio
import json
import re
from collections.abc import Callable
from typing import Any, NamedTuple, TypeVar
from urllib.parse import unquote
from weakref import WeakKeyDictionary

from textapps.core.errors import TextappsError
from textapps.savedmodel.errors import BadInput
from textapps.savedmodel.signature import Signature
from textapps.serving.codec import decode_request, encode_response, signature_name
from textapps.serving.errors import NotFound
from textapps.serving.exchange import (
    Message,
    Receive,
    Scope,
    Send,
    read_body,
    send_answer,
    unless_gone,
)
from textapps.serving.json_body import parse_object
from textapps.serving.metadata import signature_defs
from textapps.serving.model_version import ModelVersion
from textapps.serving.repository import Repository
from textapps.serving.settings import Settings
from textapps.serving.stream_request import StreamRequest
from textapps.serving.streaming import TextStream

T = TypeVar("T")

_MODEL = r"/v1/models/([^/:]+)(?:/versions/([0-9]+)|/labels/([^/:]+))?"
_GET = re.compile(_MODEL + r"(?:/(metadata|manifest))?")
_POST = re.compile(_MODEL + r":(predict|classify|regress|stream)")
_LARGEST_VERSION = 2**63 - 1
_EVENTS = [(b"content-type", b"text/event-stream"), (b"cache-control", b"no-store")]

# From here on JSON is read and written in a thread, since others would have to wait for it.
_LARGE_BYTES = 256 * 1024
_LARGE_VALUES = 16 * 1024


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

    def __init__(self, settings: Settings, repository: Repository) -> None:
        self._settings = settings
        self._repository = repository
        self._metadata: WeakKeyDictionary[ModelVersion, bytes] = WeakKeyDictionary()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        path = scope["raw_path"].decode("ascii", errors="replace")
        if scope["method"] == "POST" and (match := _POST.fullmatch(path)):
            target = _target(*match.groups())
            body = await read_body(
                scope, receive, self._settings.max_body_bytes, self._settings.deadline_ms / 1000
            )
            if target.action == "stream":
                await unless_gone(receive, self._stream(scope, send, target, body))
            elif target.action == "predict":
                answer = await unless_gone(receive, self._predict(scope, target, body))
                await send_answer(send, 200, answer)
            else:
                self._refuse_examples(scope, target, body)
        elif scope["method"] == "GET" and path == "/v1/models":
            await send_answer(send, 200, self._models())
        elif scope["method"] == "GET" and (match := _GET.fullmatch(path)):
            await send_answer(send, 200, await self._describe(scope, _target(*match.groups())))
        else:
            raise BadInput(f"Malformed request: {scope['method']} {path[:200]}")

    def _find(self, scope: Scope, target: Target) -> ModelVersion:
        version = self._repository.find(target.model, target.version)
        scope["served"] = (version.name, str(version.version))
        return version

    async def _predict(self, scope: Scope, target: Target, body: bytes) -> bytes:
        large = len(body) > _LARGE_BYTES
        request = await _run(large, parse_object, body, self._settings.max_depth)
        name = signature_name(request)
        version = self._find(scope, target)
        signature = _signature(version, name)
        row_format, inputs = await _run(large, decode_request, request, signature)
        outputs = await version.predict(name, inputs)
        large = sum(array.size for array in outputs.values()) > _LARGE_VALUES
        return await _run(large, encode_response, outputs, row_format)

    async def _stream(self, scope: Scope, send: Send, target: Target, body: bytes) -> None:
        """Server-sent events; what fails before the first is an ordinary error."""
        request = parse_object(body, self._settings.max_depth)
        version = self._find(scope, target)
        stream = TextStream(version, StreamRequest.parse(request, version.manifest))
        await stream.start()
        await send({"type": "http.response.start", "status": 200, "headers": _EVENTS})
        characters = 0
        try:
            async for text in stream.chunks():
                characters += len(text)
                await send(_event({"text": text}))
        except TextappsError as error:
            await send(_event({"error": str(error)}, "error"))
        else:
            await send(_event({"characters": characters}, "done"))
        await send({"type": "http.response.body", "body": b""})

    def _refuse_examples(self, scope: Scope, target: Target, body: bytes) -> None:
        """classify and regress want signatures of their own kind, which no export of ours has."""
        request = parse_object(body, self._settings.max_depth)
        if not isinstance(request.get("examples"), list) or not request["examples"]:
            raise BadInput(f"'{target.action}' takes 'examples', a list of at least one")
        version = self._find(scope, target)
        signature = _signature(version, signature_name(request))
        raise BadInput(
            f"signature '{signature.name}' is not one of tensorflow/serving/{target.action}: "
            "use :predict"
        )

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

    async def _describe(self, scope: Scope, target: Target) -> bytes:
        if target.action == "metadata":
            return await self._describe_signatures(self._find(scope, target))
        if target.action == "manifest":
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

    async def _describe_signatures(self, version: ModelVersion) -> bytes:
        if version not in self._metadata:
            try:
                signatures = await _run(True, signature_defs, version.directory)
            except OSError:
                raise NotFound(f"the files of model '{version.name}' are gone") from None
            spec = {
                "name": version.name,
                "signature_name": "",
                "version": str(version.version),
            }
            metadata = {"signature_def": {"signature_def": signatures}}
            self._metadata[version] = _json({"model_spec": spec, "metadata": metadata})
        return self._metadata[version]


def _target(model: str, version: str | None, label: str | None, action: str | None) -> Target:
    name = unquote(model)
    if label is not None:
        raise BadInput(f"model '{name[:200]}' has no version label '{unquote(label)[:200]}'")
    if version is not None and (len(version) > 19 or int(version) > _LARGEST_VERSION):
        raise BadInput(f"Failed to convert version: {version[:50]} to numeric.")
    return Target(name, None if version is None else int(version), action or "status")


def _signature(version: ModelVersion, name: str) -> Signature:
    if name not in version.signatures:
        has = ", ".join(f"'{known}'" for known in version.signatures) or "none"
        raise BadInput(f"no signature '{name[:200]}'; model '{version.name}' has {has}")
    return version.signatures[name]


async def _run(in_thread: bool, function: Callable[..., T], *arguments: Any) -> T:
    if not in_thread:
        return function(*arguments)
    return await asyncio.to_thread(function, *arguments)


def _json(value: Any) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()


def _event(data: dict[str, Any], kind: str | None = None) -> Message:
    name = f"event: {kind}\n" if kind else ""
    body = f"{name}data: {json.dumps(data, ensure_ascii=False)}\n\n".encode(errors="replace")
    return {"type": "http.response.body", "body": body, "more_body": True}
