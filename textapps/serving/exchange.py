"""Reading a request and writing an answer, as ASGI messages."""

import asyncio
import json
import os
import re
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Mapping, MutableMapping
from typing import Any, TypeVar

Message = MutableMapping[str, Any]
Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]
T = TypeVar("T")

CLOSE = {"connection": "close"}
_AT_ONCE = 64 * 1024  # bytes of an answer
_SANE_ID = re.compile(rb"[A-Za-z0-9._-]{1,64}")


class Refusal(Exception):
    """An answer other than success: its status, what it says, and further headers."""

    def __init__(self, status: int, message: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.headers = dict(headers or {})

    @property
    def body(self) -> bytes:
        """{"error": "…"}."""
        return json.dumps({"error": str(self)}).encode()


class ClientGone(Exception):
    """The client has closed the connection: nobody would read an answer."""


def header(scope: Scope, name: bytes) -> bytes | None:
    """The first value of a header, whose name is in lower case."""
    return next((value for key, value in scope["headers"] if key == name), None)


def request_identity(scope: Scope) -> bytes:
    """The X-Request-ID of a request if it is a sane one, else a new one."""
    given = header(scope, b"x-request-id") or b""
    return given if _SANE_ID.fullmatch(given) else new_identity()


def new_identity() -> bytes:
    """An id for a request that brings none."""
    return os.urandom(8).hex().encode()


async def read_body(scope: Scope, receive: Receive, limit: int, seconds: float) -> bytearray:
    """The body of a request, of at most `limit` bytes, which comes within `seconds`.

    Raises:
        Refusal: 413 for a longer one, declared or in chunks; 408 for a slower one.
        ClientGone: the connection was closed before the end.
    """
    declared = header(scope, b"content-length")
    if declared and len(declared) < 20 and int(declared) > limit and header(scope, b"expect"):
        raise too_long(limit)  # before the client sends any of it
    body = bytearray()  # grows without being copied, where a join would take long
    length = 0
    more = True
    try:
        async with asyncio.timeout(seconds):
            # Beyond the limit a little is read and thrown away: a client that is still sending
            # when the connection closes would not see the answer.
            while more and length <= 2 * limit:
                message = await receive()
                if message["type"] == "http.disconnect":
                    raise ClientGone
                chunk = message.get("body", b"")
                length += len(chunk)
                if length <= limit:
                    body += chunk
                more = message.get("more_body", False)
    except TimeoutError:
        raise Refusal(408, f"the body did not come within {seconds:g} s", CLOSE) from None
    if length > limit:
        raise too_long(limit)
    return body


def too_long(limit: int) -> Refusal:
    """The answer to a body of more than `limit` bytes."""
    return Refusal(413, f"the body has more than {limit:,} bytes", CLOSE)


async def unless_gone(receive: Receive, work: Coroutine[Any, Any, T]) -> T:
    """The result of `work`, which is cancelled when the client goes away. Raises ClientGone.

    The body must have been read: what comes then can only be the end of the connection.
    """
    task = asyncio.current_task()
    assert task is not None
    gone = False

    async def watch() -> None:
        nonlocal gone
        while (await receive())["type"] != "http.disconnect":
            pass
        gone = True
        task.cancel()

    watcher = asyncio.get_running_loop().create_task(watch())
    try:
        return await work
    except asyncio.CancelledError:
        if not gone:
            raise
        task.uncancel()
        raise ClientGone from None
    finally:
        watcher.cancel()


async def send_answer(
    send: Send,
    status: int,
    *body: bytes | memoryview,
    content_type: str = "application/json",
    headers: Iterable[tuple[str, str]] = (),
) -> None:
    """Sends a whole answer, piece by piece as the client reads it."""
    length = sum(map(len, body))
    raw = [(b"content-type", content_type.encode()), (b"content-length", b"%d" % length)]
    raw += [(name.encode(), value.encode()) for name, value in headers]
    await send({"type": "http.response.start", "status": status, "headers": raw})
    pieces = [b"".join(body)] if length <= _AT_ONCE else [*body, b""]
    for number, piece in enumerate(pieces, 1):
        more = number < len(pieces)
        await send({"type": "http.response.body", "body": piece, "more_body": more})


async def send_error(send: Send, refusal: Refusal) -> None:
    """An error as TensorFlow Serving has it: {"error": "…"}."""
    await send_answer(send, refusal.status, refusal.body, headers=refusal.headers.items())
