"""What happens with every request: an id, access checks, errors as JSON, log and metrics."""

import asyncio
import time

from textapps.core.errors import TextappsError
from textapps.savedmodel.errors import BadInput
from textapps.serving.access_log import AccessLog
from textapps.serving.errors import DeadlineExceeded, NotFound, QueueFull
from textapps.serving.exchange import (
    CLOSE,
    Application,
    ClientGone,
    Message,
    Receive,
    Refusal,
    Scope,
    Send,
    header,
    new_identity,
    request_identity,
    send_error,
)
from textapps.serving.failures import Failures
from textapps.serving.gate import Gate
from textapps.serving.held import Held, Share
from textapps.serving.metrics import Metrics

_STATUS = {BadInput: 400, NotFound: 404, QueueFull: 503, DeadlineExceeded: 504}
_CLIENT_GONE = 499  # as nginx logs it; it is never sent


class Operations:
    """ASGI application around another.

    An error becomes {"error": …} with its status. An unexpected one becomes a 500 that only gives
    the request id, with which the log has the traceback.
    """

    def __init__(
        self,
        app: Application,
        gate: Gate,
        log: AccessLog,
        metrics: Metrics,
        failures: Failures,
        held: Held,
    ) -> None:
        self._app = app
        self._gate = gate
        self._log = log
        self._metrics = metrics
        self._failures = failures
        self._held = held

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer an HTTP request."""
        begin = time.perf_counter()
        identity = request_identity(scope)
        scope["request_id"] = identity.decode()
        scope["served"] = ("", "")
        status = 0
        share = scope["share"] = Share(self._held)

        async def counted() -> Message:
            message = await receive()
            share.add(len(message.get("body", b"")))
            return message

        async def send_with_identity(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                if message["status"] == 200:  # an error is small, and must always be sent
                    share.add(int(header(message, b"content-length") or 0))
                status = message["status"]
                spent = (time.perf_counter() - begin) * 1000  # of a stream, until it begins
                added = [
                    (b"x-request-id", identity),
                    (b"server-timing", b"total;dur=%.1f" % spent),
                    *self._gate.cors_headers(scope),
                ]
                message = {**message, "headers": [*message["headers"], *added]}
            await send(message)

        try:
            refusal = await self._answer(scope, counted, send_with_identity)
            if refusal is not None and not status:
                await send_error(send_with_identity, refusal)
        except (ClientGone, asyncio.CancelledError) as error:
            status = _CLIENT_GONE
            if isinstance(error, asyncio.CancelledError):
                raise
        finally:
            share.release()
            self._record(scope, status, time.perf_counter() - begin)

    def malformed(self, client: tuple[str, int] | None, problem: str) -> tuple[Refusal, bytes]:
        """Log and count a request that is not valid HTTP. Returns the answer and its request id."""
        identity = new_identity()
        self._metrics.request("", "", 400, 0.0)
        self._log.write(
            request_id=identity.decode(),
            client=client[0] if client else None,
            status=400,
            error=problem,
        )
        return Refusal(400, problem, CLOSE), identity

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> Refusal | None:
        """The error still to be sent; None if the request has been answered."""
        try:
            self._gate.check(scope)
            headers = self._gate.preflight(scope)
            if headers is None:
                await self._app(scope, receive, send)
            else:
                await send({"type": "http.response.start", "status": 200, "headers": headers})
                await send({"type": "http.response.body"})
        except Refusal as refusal:
            return refusal
        except TextappsError as error:
            self._failures.write(scope, error)
            again = {"retry-after": "1"} if isinstance(error, QueueFull) else None
            return Refusal(_STATUS.get(type(error), 500), str(error), again)
        except ClientGone:
            raise
        except Exception as error:
            self._failures.write(scope, error)
            identity = scope["request_id"]
            return Refusal(500, f"internal error: the server's log has request {identity}")
        return None

    def _record(self, scope: Scope, status: int, seconds: float) -> None:
        model, version = scope["served"]
        self._metrics.request(model, version, status, seconds)
        self._log.write(
            request_id=scope["request_id"],
            client=self._gate.client(scope),
            method=scope["method"],
            path=scope["raw_path"].decode("ascii", errors="replace")[:500],
            status=status,
            ms=round(seconds * 1000, 3),
            model=model or None,
            version=version or None,
        )
