"""What every call gets: an id, the token check, errors as status codes, log, metrics."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from typing import Any
from urllib.parse import unquote

import grpc

from textapps.core.errors import TextappsError
from textapps.savedmodel.errors import BadInput
from textapps.serving.access_log import AccessLog
from textapps.serving.errors import DeadlineExceeded, NotFound, QueueFull
from textapps.serving.exchange import Scope, request_identity
from textapps.serving.failures import Failures
from textapps.serving.gate import Gate
from textapps.serving.grpc.rejection import Rejection
from textapps.serving.held import Held, Share
from textapps.serving.metrics import Metrics
from textapps.serving.settings import Settings

# From the scope of a call and its message to the message of the answer.
Method = Callable[[Scope, bytes], Awaitable[bytes]]
# The same, but the answers are written one by one.
Write = Callable[[bytes], Awaitable[None]]
Stream = Callable[[Scope, bytes, Write], Awaitable[None]]
Context = Any  # grpc.aio.ServicerContext

_CODES = {
    BadInput: grpc.StatusCode.INVALID_ARGUMENT,
    NotFound: grpc.StatusCode.NOT_FOUND,
    QueueFull: grpc.StatusCode.UNAVAILABLE,
    DeadlineExceeded: grpc.StatusCode.DEADLINE_EXCEEDED,
}
_LONGEST_MESSAGE = 2000  # bytes, of which each may take three in a header; clients take 8 kB
_OPEN = "/grpc.health.v1.Health/"
_IDENTITY = "x-request-id"
_TIMERS_DIFFER_SECONDS = 0.05


class Calls(grpc.GenericRpcHandler):
    """Answers the calls of a few methods, whatever comes, and refuses all others.

    The counterpart of `Operations`. Messages arrive and leave as bytes: a malformed one is an
    error of the client like any other.
    """

    def __init__(
        self,
        settings: Settings,
        methods: Mapping[str, Method],
        streams: Mapping[str, Stream],
        log: AccessLog,
        metrics: Metrics,
        held: Held,
    ) -> None:
        """`methods` and `streams` are named by their paths, `/<service>/<method>`."""
        self._settings = settings
        self._methods = methods
        self._streams = streams
        self._gate = Gate(settings)
        self._failures = Failures(settings.log_inputs)
        self._log = log
        self._metrics = metrics
        self._held = held

    def service(self, details: grpc.HandlerCallDetails) -> grpc.RpcMethodHandler:
        """How gRPC finds the handler of a call."""
        path = details.method
        if not self._may_call(path, _headers(details.invocation_metadata)):
            # Of a stream, no message is taken before it is asked for, however long it is.
            async def refuse(_: object, context: Context) -> bytes:
                return await self._answer(path, _refuse, b"", context)

            return grpc.stream_unary_rpc_method_handler(refuse)
        if path in self._streams:
            stream = self._streams[path]

            async def write(body: bytes, context: Context) -> None:
                async def work(scope: Scope, body: bytes) -> bytes:
                    await stream(scope, body, context.write)
                    return b""

                await self._answer(path, work, body, context)

            return grpc.unary_stream_rpc_method_handler(write)
        method = self._methods.get(path, _refuse)

        async def answer(bodies: AsyncIterator[bytes], context: Context) -> bytes:
            found = await self._answer(path, method, self._first(bodies), context)
            self._limit_sending()
            return found

        # gRPC would wait for the message of a unary call as long as the client likes.
        return grpc.stream_unary_rpc_method_handler(answer)

    async def _first(self, bodies: AsyncIterator[bytes]) -> bytes:
        """The message of a call, which must come in time."""
        milliseconds = self._settings.deadline_ms
        try:
            async with asyncio.timeout(milliseconds / 1000):
                async for body in bodies:
                    return body
        except TimeoutError:
            raise DeadlineExceeded(f"the message did not come within {milliseconds:g} ms") from None
        raise BadInput("the call has no message")

    async def _answer(
        self, path: str, method: Method, body: bytes | Awaitable[bytes], context: Context
    ) -> bytes:
        """The answer; a failure ends the call with its code and its message."""
        begin = time.perf_counter()
        scope = self._scope(path, context)
        identity = ((_IDENTITY, scope["request_id"]),)
        context.set_trailing_metadata(identity)
        code, message = grpc.StatusCode.CANCELLED, ""
        share = self._share()
        try:
            if not isinstance(body, bytes):
                body = await body
            self._check(scope, body, context)
            share.add(len(body))
            answer = await method(scope, body)
            share.add(len(answer))
            code = grpc.StatusCode.OK
        except asyncio.CancelledError:  # by the client, or because its time is over
            # The client's own timer may end the call a little before that of the server.
            if (left := context.time_remaining()) is not None and left <= _TIMERS_DIFFER_SECONDS:
                code = grpc.StatusCode.DEADLINE_EXCEEDED
            raise
        except Exception as error:
            code, message = self._explained(scope, error)
        finally:
            self._record(scope, code, time.perf_counter() - begin)
        if code is not grpc.StatusCode.OK:
            await context.abort(code, _one_line(message), identity)
        return answer

    def _scope(self, path: str, context: Context) -> Scope:
        """The parts of an ASGI scope that are used here."""
        headers = _headers(context.invocation_metadata())
        address = unquote(context.peer()).partition(":")[2].rpartition(":")[0].strip("[]")
        scope: Scope = {"path": path, "headers": headers, "served": ("", "")}
        scope["client"] = (address, 0) if address else None
        scope["request_id"] = request_identity(scope).decode()
        return scope

    def _share(self) -> Share:
        """What the call holds until it has ended: its client has then read the answer."""
        share, task = Share(self._held), asyncio.current_task()
        assert task is not None
        task.add_done_callback(lambda _: share.release())
        return share

    def _limit_sending(self) -> None:
        """Ends the call if its client has not read the answer in time."""
        task = asyncio.current_task()
        assert task is not None
        loop = asyncio.get_running_loop()
        timer = loop.call_later(self._settings.write_timeout, task.cancel)
        task.add_done_callback(lambda _: timer.cancel())

    def _may_call(self, path: str, headers: list[tuple[bytes, bytes]]) -> bool:
        return path.startswith(_OPEN) or self._gate.has_token({"headers": headers})

    def _check(self, scope: Scope, body: bytes, context: Context) -> None:
        if not self._may_call(scope["path"], scope["headers"]):
            raise Rejection(grpc.StatusCode.UNAUTHENTICATED, "a bearer token is needed")
        if len(body) > self._settings.max_body_bytes:
            raise Rejection(
                grpc.StatusCode.RESOURCE_EXHAUSTED,
                f"the message has more than {self._settings.max_body_bytes:,} bytes",
            )
        left = context.time_remaining()
        if left is not None and left <= 0:
            raise DeadlineExceeded("the deadline of the call is over")

    def _explained(self, scope: Scope, error: Exception) -> tuple[grpc.StatusCode, str]:
        if isinstance(error, Rejection):
            return error.code, str(error)
        self._failures.write(scope, error)
        if isinstance(error, TextappsError):
            return _CODES.get(type(error), grpc.StatusCode.INTERNAL), str(error)
        identity = scope["request_id"]
        return grpc.StatusCode.INTERNAL, f"internal error: the server's log has request {identity}"

    def _record(self, scope: Scope, code: grpc.StatusCode, seconds: float) -> None:
        model, version = scope["served"]
        self._metrics.request(model, version, code.name, seconds)
        self._log.write(
            request_id=scope["request_id"],
            client=self._gate.client(scope),
            method="gRPC",
            path=scope["path"][:500],
            code=code.name,
            ms=round(seconds * 1000, 3),
            model=model or None,
            version=version or None,
        )


def _headers(metadata: Iterable[tuple[str, str | bytes]] | None) -> list[tuple[bytes, bytes]]:
    """The metadata of a call, as an ASGI scope has headers."""
    return [
        (key.encode(), value.encode() if isinstance(value, str) else value)
        for key, value in metadata or ()
    ]


def _one_line(message: str) -> str:
    """A message that fits into a header, even if it quotes a client.

    >>> _one_line("no model 'a\\nb'")
    "no model 'a b'"
    """
    short = message.encode(errors="replace")[:_LONGEST_MESSAGE].decode(errors="ignore")
    return "".join(each if each.isprintable() else " " for each in short)


async def _refuse(scope: Scope, body: bytes) -> bytes:
    raise Rejection(grpc.StatusCode.UNIMPLEMENTED, f"there is no method {scope['path'][:200]} here")
