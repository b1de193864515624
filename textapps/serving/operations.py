"""What happens around every request: identity, token, errors as JSON, log, metrics."""

import asyncio
import hmac
import logging
import os
import re
import time

from textapps.core.errors import TextappsError
from textapps.savedmodel.errors import BadInput
from textapps.serving.access_log import AccessLog
from textapps.serving.errors import DeadlineExceeded, NotFound, QueueFull
from textapps.serving.exchange import (
    Application,
    ClientGone,
    Message,
    Receive,
    Refusal,
    Scope,
    Send,
    header,
    send_error,
)
from textapps.serving.metrics import Metrics

_STATUS = {BadInput: 400, NotFound: 404, QueueFull: 503, DeadlineExceeded: 504}
_OPEN = ("/health/", "/page/")  # and / itself: a browser could not send a token for these
_CLIENT_GONE = 499  # as others write it into their logs; nobody receives it
_SANE_ID = re.compile(rb"[A-Za-z0-9._-]{1,64}")

_log = logging.getLogger("textapps")


class Operations:
    """ASGI application around another.

    An error becomes {"error": …} with its code; one that nobody expected a 500 that says no
    more than the request's identity, with which the log has its traceback.
    """

    def __init__(
        self,
        app: Application,
        token: str | None,
        log: AccessLog,
        metrics: Metrics,
    ) -> None:
        self._app = app
        self._expected = None if token is None else f"Bearer {token}".encode()
        self._log = log
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer an HTTP request, whatever comes."""
        begin = time.perf_counter()
        given = header(scope, b"x-request-id") or b""
        identity = given if _SANE_ID.fullmatch(given) else os.urandom(8).hex().encode()
        scope["served"] = ("", "")
        status = 0

        async def send_with_identity(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"].append((b"x-request-id", identity))
            await send(message)

        try:
            refusal = await self._answer(scope, receive, send_with_identity, identity.decode())
            if refusal is not None and not status:
                await send_error(send_with_identity, refusal)
        except (ClientGone, asyncio.CancelledError) as error:
            status = _CLIENT_GONE
            if isinstance(error, asyncio.CancelledError):
                raise
        finally:
            self._record(scope, identity.decode(), status, time.perf_counter() - begin)

    async def _answer(
        self, scope: Scope, receive: Receive, send: Send, identity: str
    ) -> Refusal | None:
        """The refusal that is still to be sent, None where the request has been answered."""
        try:
            self._check_token(scope)
            await self._app(scope, receive, send)
        except Refusal as refusal:
            return refusal
        except TextappsError as error:
            again = {"retry-after": "1"} if isinstance(error, QueueFull) else None
            return Refusal(_STATUS.get(type(error), 500), str(error), again)
        except ClientGone:
            raise
        except Exception:
            _log.exception("request %s", identity)
            return Refusal(500, f"internal error: the server's log has request {identity}")
        return None

    def _check_token(self, scope: Scope) -> None:
        path = scope["path"]
        if self._expected is None or path == "/" or path.startswith(_OPEN):
            return
        given = header(scope, b"authorization") or b""
        if not hmac.compare_digest(given, self._expected):
            raise Refusal(401, "a bearer token is needed", {"www-authenticate": "Bearer"})

    def _record(self, scope: Scope, identity: str, status: int, seconds: float) -> None:
        model, version = scope["served"]
        self._metrics.request(model, version, status, seconds)
        client = scope.get("client")
        self._log.write(
            request_id=identity,
            client=client[0] if client else None,
            method=scope["method"],
            path=scope["raw_path"].decode("ascii", errors="replace")[:500],
            status=status,
            ms=round(seconds * 1000, 3),
            model=model or None,
            version=version or None,
        )
