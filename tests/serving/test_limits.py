"""Tests of what a server does not take: too much, too many, too slow, too late."""

import asyncio
import gzip
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest

from tests.serving.asking import Asker, Built, Loaded, error_of, repository_of
from textapps.serving import app as app_module
from textapps.serving.app import create_app
from textapps.serving.batching import Batching
from textapps.serving.held import Held
from textapps.serving.repository import Repository
from textapps.serving.settings import Settings

LIMIT = 1000
LIMIT_MB = LIMIT / 2**20
PREDICT = "/v1/models/lengths:predict"
SLEEP = "/v1/models/sleeper:predict"
Receive = Callable[[], Any]


@pytest.fixture(scope="module")
def repository(loaded: Loaded) -> Repository:
    return loaded("lengths")


@pytest.fixture(scope="module")
def ask(repository: Repository) -> Asker:
    return Asker(create_app(Settings(max_body_mb=LIMIT_MB, max_depth=3), repository))


def body_of(size: int) -> bytes:
    empty = b'{"instances": [""]}'
    return empty.replace(b'""', b'"' + b"a" * (size - len(empty)) + b'"')


@pytest.mark.parametrize("chunk", [None, 1, 300, LIMIT])
def test_the_size_of_a_body(ask: Asker, chunk: int | None) -> None:
    for size, status in ((LIMIT, 200), (LIMIT + 1, 413), (3 * LIMIT, 413)):
        body = body_of(size)
        assert len(body) == size

        async def pieces(body: bytes = body) -> AsyncIterator[bytes]:
            assert chunk is not None
            for start in range(0, len(body), chunk):
                yield body[start : start + chunk]

        response = ask("POST", PREDICT, content=body if chunk is None else pieces())
        assert response.status_code == status
        if status == 413:
            assert error_of(response) == "the body has more than 1,000 bytes"
            assert response.headers["connection"] == "close"


def test_the_depth_of_a_body(ask: Asker) -> None:
    assert "shape [1, 1]" in error_of(ask.post(PREDICT, {"instances": [["a"]]}))
    response = ask.post(PREDICT, {"instances": [[["a"]]]})
    assert error_of(response) == "JSON parse error: nested more than 3 deep"
    assert response.status_code == 400


def call(
    repository: Repository, receive: Receive, path: str = PREDICT, **settings: Any
) -> tuple[list[dict[str, Any]], Any]:
    """Messages sent and the coroutine of a call by ASGI itself."""
    sent: list[dict[str, Any]] = []

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    headers = [(b"host", b"localhost"), *settings.pop("headers", [])]
    scope = {"method": "POST", "path": path, "raw_path": path.encode(), "headers": headers}
    app = create_app(Settings(max_body_mb=LIMIT_MB, **settings), repository)
    return sent, app(scope, receive, send)


def test_a_body_that_never_ends_is_not_read_to_its_end(repository: Repository) -> None:
    taken = 0

    async def receive() -> dict[str, Any]:
        nonlocal taken
        taken += 100
        return {"type": "http.request", "body": b"x" * 100, "more_body": True}

    sent, answer = call(repository, receive)
    asyncio.run(answer)
    assert sent[0]["status"] == 413
    assert taken <= 2 * LIMIT + 100


def test_a_body_that_is_announced_as_too_large_is_not_asked_for(repository: Repository) -> None:
    async def receive() -> dict[str, Any]:
        raise AssertionError("read")

    headers = [(b"content-length", b"%d" % (LIMIT + 1)), (b"expect", b"100-continue")]
    sent, answer = call(repository, receive, headers=headers)
    asyncio.run(answer)
    assert sent[0]["status"] == 413


def test_a_body_that_does_not_come(repository: Repository) -> None:
    async def receive() -> dict[str, Any]:
        await asyncio.sleep(60)
        raise AssertionError("waited")

    sent, answer = call(repository, receive, deadline_ms=20)
    asyncio.run(answer)
    assert sent[0]["status"] == 408
    assert (b"connection", b"close") in sent[0]["headers"]


def test_a_client_that_goes_away_in_the_middle_of_its_body(repository: Repository) -> None:
    messages = iter(
        [
            {"type": "http.request", "body": b'{"inst', "more_body": True},
            {"type": "http.disconnect"},
        ]
    )

    async def receive() -> dict[str, Any]:
        return next(messages)

    sent, answer = call(repository, receive)
    asyncio.run(answer)
    assert sent == []


def test_large_bodies_together_have_a_limit(repository: Repository) -> None:
    """Forty clients send half of a large body each, and then nothing."""
    settings = Settings(max_body_mb=0.2, max_answer_mb=0.05)  # 16 times both: 4 MB
    app = create_app(settings, repository)
    scope = {"method": "POST", "path": PREDICT, "raw_path": PREDICT.encode()}
    large = body_of(190_000)

    async def hold(gone: asyncio.Event) -> list[dict[str, Any]]:
        sent: list[dict[str, Any]] = []

        async def messages() -> AsyncIterator[dict[str, Any]]:
            yield {"type": "http.request", "body": large[:180_000], "more_body": True}
            await gone.wait()
            yield {"type": "http.disconnect"}

        async def send(message: dict[str, Any]) -> None:
            sent.append(message)

        await app({**scope, "headers": [(b"host", b"localhost")]}, messages().__anext__, send)
        return sent

    async def ask() -> tuple[list[int], list[int]]:
        gone = asyncio.Event()
        async with Asker(app).client() as client:
            holding = [asyncio.create_task(hold(gone)) for _ in range(40)]
            await asyncio.sleep(0)
            refused = await client.post(PREDICT, content=large)
            answered = await client.post(PREDICT, json={"instances": ["small"]})
            assert error_of(refused).startswith("other large requests take up the memory")
            gone.set()
            sent = [each[0]["status"] for each in await asyncio.gather(*holding) if each]
            after = await client.post(PREDICT, content=large)
        return sent, [refused.status_code, answered.status_code, after.status_code]

    sent, statuses = asyncio.run(ask())
    assert set(sent) == {503}
    assert len(sent) == 40 - 4_194_304 // (180_000 - 65_536)
    assert statuses == [503, 200, 200]


def test_a_body_counts_as_large_as_it_is_after_decompression(repository: Repository) -> None:
    ask = Asker(create_app(Settings(max_body_mb=0.1, max_answer_mb=0.01), repository))
    headers = {"content-encoding": "gzip"}
    assert ask("POST", PREDICT, content=gzip.compress(body_of(99_000)), headers=headers).is_success
    held = Held(most_bytes=30_000)
    with patch.object(app_module, "Held", lambda most: held):
        ask = Asker(create_app(Settings(max_body_mb=0.1), repository))
    response = ask("POST", PREDICT, content=gzip.compress(body_of(99_000)), headers=headers)
    assert response.status_code == 503


def test_an_error_is_sent_while_the_memory_is_taken(repository: Repository) -> None:
    held = Held(most_bytes=30_000)
    with patch.object(app_module, "Held", lambda most: held):
        app = create_app(Settings(max_body_mb=0.1), repository)
    held.add(20_000)
    body = b"[" * (2**16 + 9_990)
    response = Asker(app).post(PREDICT, body)
    assert "nested" in error_of(response)
    assert response.status_code == 400
    held.add(30_000 - 20_000)  # the request has given back what it held


def test_large_answers_together_have_a_limit(built: Built, tmp_path: Path) -> None:
    repository = repository_of(tmp_path, built, zeros="zeros")
    app = create_app(Settings(max_body_mb=0.02, max_answer_mb=0.2), repository)  # 3.7 MB
    path = "/v1/models/zeros:predict"
    scope = {"method": "POST", "path": path, "raw_path": path.encode()}
    request = {"type": "http.request", "body": b'{"instances": [45000]}'}

    begun: list[int] = []  # statuses

    async def ask(read: asyncio.Event) -> int:
        sent: list[int] = []

        async def send(message: dict[str, Any]) -> None:
            sent.append(message.get("status", 0))
            begun.extend(sent if len(sent) == 1 else ())
            await read.wait()

        async def messages() -> AsyncIterator[dict[str, Any]]:
            yield request
            await asyncio.sleep(60)

        await app({**scope, "headers": [(b"host", b"localhost")]}, messages().__anext__, send)
        return sent[0]

    async def ask_many() -> list[int]:
        read = asyncio.Event()
        asking = [asyncio.create_task(ask(read)) for _ in range(45)]
        await until(lambda: len(begun) == 45)
        assert not any(task.done() for task in asking)
        read.set()
        return await asyncio.gather(*asking)

    statuses = asyncio.run(ask_many())
    assert set(statuses) == {200, 503}
    # an answer has 180,014 bytes and a request 22, of which 65,536 are free
    assert statuses.count(200) >= 3_690_987 // (180_036 - 65_536)


class Slow:
    """The model `sleeper`; `calls` are those that have begun."""

    def __init__(self, directory: Path, built: Built, **batching: Any) -> None:
        self.calls: list[tuple[Any, ...]] = []
        self.repository = repository_of(
            directory, built, Batching(**batching), self._count, sleeper="sleeper"
        )

    def _count(self, *call: Any) -> None:
        self.calls.append(call)

    @property
    def waiting(self) -> int:
        return self.repository.find("sleeper").waiting


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(30):
        while not condition():
            await asyncio.sleep(0.002)


def test_a_full_queue_says_so_at_once(built: Built, tmp_path: Path) -> None:
    slow = Slow(tmp_path, built, max_batch_size=1, max_queue=1)
    ask = Asker(create_app(Settings(), slow.repository))

    async def three() -> tuple[Any, ...]:
        async with ask.client() as client:

            def sleep(seconds: float) -> Any:
                return asyncio.create_task(client.post(SLEEP, json={"instances": [seconds]}))

            running = sleep(0.5)
            await until(lambda: len(slow.calls) == 1)
            queued = sleep(0.0)
            await until(lambda: slow.waiting == 1)
            refused = await sleep(0.0)
            assert not running.done()
            return refused, await running, await queued

    refused, running, queued = asyncio.run(three())
    assert error_of(refused).startswith("1 requests wait already")
    assert (refused.status_code, refused.headers["retry-after"]) == (503, "1")
    assert running.json() == {"predictions": [0.5]}
    assert queued.json() == {"predictions": [0.0]}


def test_a_deadline(built: Built, tmp_path: Path) -> None:
    slow = Slow(tmp_path, built, deadline_ms=50)
    ask = Asker(create_app(Settings(), slow.repository))
    response = ask.post(SLEEP, {"instances": [0.3]})
    assert error_of(response) == "no answer within 50 ms"
    assert response.status_code == 504


def test_a_client_that_goes_away_frees_its_place(built: Built, tmp_path: Path) -> None:
    slow = Slow(tmp_path, built, max_batch_size=1, max_queue=5)

    async def leave() -> None:
        gone = asyncio.Event()

        async def come_and_go() -> AsyncIterator[dict[str, Any]]:
            yield {"type": "http.request", "body": b'{"instances": [0.0]}'}
            await gone.wait()
            yield {"type": "http.disconnect"}

        async def come_and_stay() -> AsyncIterator[dict[str, Any]]:
            yield {"type": "http.request", "body": b'{"instances": [2.0]}'}
            await asyncio.sleep(60)

        answered, stay = call(slow.repository, come_and_stay().__anext__, SLEEP)
        staying = asyncio.create_task(stay)
        await until(lambda: len(slow.calls) == 1)
        sent, go = call(slow.repository, come_and_go().__anext__, SLEEP)
        going = asyncio.create_task(go)
        await until(lambda: slow.waiting == 1)
        gone.set()
        await asyncio.wait_for(going, 30)
        assert slow.waiting == 0
        assert sent == []
        await staying
        assert answered[0]["status"] == 200
        assert len(slow.calls) == 1

    asyncio.run(leave())
