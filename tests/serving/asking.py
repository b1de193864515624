"""Asking an application in this process, as a client would over HTTP."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import httpx

from tests.serving import models
from textapps.serving.batching import Batching
from textapps.serving.exchange import Application
from textapps.serving.model_version import OnBatch
from textapps.serving.repository import Repository

PATIENCE_SECONDS = 60
Built = Callable[..., Path]
Loaded = Callable[..., Repository]


def repository_of(
    directory: Path,
    built: Built,
    batching: Batching | None = None,
    on_batch: OnBatch = lambda *call: None,
    versions: int = 1,
    **served: str | tuple[Any, ...],
) -> Repository:
    """A repository that has loaded models: `m="lengths"`, or `m=("lengths", 3)`, version 1 each."""
    for name, model in served.items():
        arguments = (model,) if isinstance(model, str) else model
        models.copy(built(*arguments), directory / name / "1")
    # As if each had been named by --batch: the models of the tests have independent rows.
    batching = batching or Batching(all_models=True)
    repository = Repository(directory, batching, on_batch=on_batch, versions=versions)
    repository.poll()
    assert repository.ready
    return repository


class Asker:
    """`ask("GET", "/v1/models")` gives an httpx.Response."""

    def __init__(self, app: Application) -> None:
        self._app = app

    def client(self) -> httpx.AsyncClient:
        transport = httpx.ASGITransport(self._app)
        return httpx.AsyncClient(transport=transport, base_url="http://localhost", timeout=60)

    def __call__(self, method: str, path: str, **arguments: Any) -> httpx.Response:
        async def ask() -> httpx.Response:
            async with self.client() as client:
                return await client.request(method, path, **arguments)

        return asyncio.run(ask())

    def post(self, path: str, body: Any) -> httpx.Response:
        """Bytes and text as they are, anything else as JSON."""
        if isinstance(body, str | bytes):
            return self("POST", path, content=body)
        return self("POST", path, json=body)

    def raw(
        self,
        method: str,
        path: str,
        body: bytes,
        headers: Sequence[tuple[bytes, bytes]] = ((b"host", b"localhost"),),
        http_version: str = "1.1",
    ) -> tuple[int, dict[str, str], bytes]:
        """Status, headers and body for a path as it stands in a request line."""
        raw_path = path.encode("ascii", "ignore").partition(b"?")[0]
        scope = {
            "type": "http",
            "http_version": http_version,
            "method": method,
            "path": unquote(raw_path.decode()),
            "raw_path": raw_path,
            "query_string": b"",
            "root_path": "",
            "headers": list(headers),
        }
        sent: list[dict[str, Any]] = []

        async def ask() -> None:
            done = asyncio.Event()

            async def messages() -> AsyncIterator[dict[str, Any]]:
                yield {"type": "http.request", "body": body}
                await done.wait()

            async def send(message: dict[str, Any]) -> None:
                sent.append(message)

            async with asyncio.timeout(PATIENCE_SECONDS):
                await self._app(scope, messages().__anext__, send)

        asyncio.run(ask())
        start, *rest = sent
        given = {name.decode(): value.decode() for name, value in start["headers"]}
        return start["status"], given, b"".join(message.get("body", b"") for message in rest)


def error_of(response: httpx.Response) -> str:
    """The message of an error, which is all that its body has."""
    body = response.json()
    assert list(body) == ["error"]
    message: str = body["error"]
    assert "Traceback" not in message
    assert "\n" not in message
    return message
