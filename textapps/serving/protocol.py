"""uvicorn's HTTP protocol with limits on headers and on writing."""

import asyncio
import socket
import struct
from collections.abc import Callable
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from textapps.serving.exchange import Refusal
from textapps.serving.parser import RequestParser

_HEAD_SECONDS = 20.0
_HEAD_BYTES = 64 * 1024  # counted by what a read brings, so that a little more may pass
_NO_LINGERING = struct.pack("ii", 1, 0)

# From the client's address and the problem to the answer and the request id.
OnMalformed = Callable[[tuple[str, int] | None, str], tuple[Refusal, bytes]]


class BoundedProtocol(HttpToolsProtocol):
    """Closes connections with headers too slow or too large, and of clients that stop reading.

    uvicorn has no such limits: clients that never finish their headers, or never read an answer,
    could use up the memory and the file descriptors. The application limits bodies.
    """

    def __init__(
        self, on_malformed: OnMalformed, write_seconds: float, *arguments: Any, **more: Any
    ) -> None:
        super().__init__(*arguments, **more)
        self._requests = RequestParser(self)
        self.parser = self._requests  # type: ignore[assignment]
        self._on_malformed = on_malformed
        self._write_seconds = write_seconds
        self._in_head = True
        self._head_bytes = 0
        self._trailer_bytes: int | None = None  # None but after the last chunk of a body
        self._head_timer: asyncio.TimerHandle | None = None
        self._write_timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Wait for the first request."""
        super().connection_made(transport)  # type: ignore[arg-type]
        self._start_head_timer()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop the timers."""
        self._stop_head_timer()
        self._stop_write_timer()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Parse received bytes."""
        if self._in_head:
            self._head_bytes += len(data)
        elif self._trailer_bytes is not None:
            self._trailer_bytes += len(data)
        super().data_received(data)
        if self._in_head and self._head_bytes > _HEAD_BYTES:
            self.send_400_response("Request headers are too large.")
        elif (self._trailer_bytes or 0) > _HEAD_BYTES:
            self.send_400_response("Request trailers are too large.")
        elif self._in_head and self._head_timer is None:
            self._start_head_timer()

    def on_message_begin(self) -> None:
        """A request begins."""
        self._in_head = True
        self._head_bytes = 0
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """The request can be answered."""
        if self._requests.in_upgrade:
            return  # they come again
        self._in_head = False
        self._stop_head_timer()
        super().on_headers_complete()

    def on_header(self, name: bytes, value: bytes) -> None:
        """A header, or a trailer, which nothing reads."""
        if self._in_head:
            super().on_header(name, value)

    def on_chunk_header(self) -> None:
        """A chunk of the body begins; trailers follow the last one, which is empty."""
        self._trailer_bytes = 0

    def on_body(self, body: bytes) -> None:
        """It was not the last one."""
        self._trailer_bytes = None
        super().on_body(body)

    def on_message_complete(self) -> None:
        """The body is complete."""
        self._trailer_bytes = None
        if not self._requests.in_upgrade:
            super().on_message_complete()

    def send_400_response(self, msg: str) -> None:
        """Answer a malformed request, and close the connection."""
        if self.transport.is_closing():
            return
        refusal, identity = self._on_malformed(self.client, msg)
        head = (
            b"HTTP/1.1 400 Bad Request\r\n"
            b"content-type: application/json\r\n"
            b"content-length: %d\r\n"
            b"x-request-id: %s\r\n"
            b"connection: close\r\n"
            b"\r\n"
        )
        self.transport.write(head % (len(refusal.body), identity) + refusal.body)
        self.transport.close()

    def pause_writing(self) -> None:
        """The client reads slowly, or not at all."""
        super().pause_writing()
        self._start_write_timer()

    def resume_writing(self) -> None:
        """The client reads again."""
        super().resume_writing()
        self._stop_write_timer()

    def on_response_complete(self) -> None:
        """The answer is written; the client has limited time to read the rest of it."""
        super().on_response_complete()
        if self.transport.get_write_buffer_size():
            self._start_write_timer()

    def _drop_if_unread(self) -> None:
        self._write_timer = None
        if self.transport.get_write_buffer_size():
            # Also drop what the operating system has still to send.
            connection = self.transport.get_extra_info("socket")
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NO_LINGERING)
            self.transport.abort()

    def _start_head_timer(self) -> None:
        self._head_timer = self.loop.call_later(_HEAD_SECONDS, self.transport.close)

    def _stop_head_timer(self) -> None:
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None

    def _start_write_timer(self) -> None:
        self._stop_write_timer()
        self._write_timer = self.loop.call_later(self._write_seconds, self._drop_if_unread)

    def _stop_write_timer(self) -> None:
        if self._write_timer is not None:
            self._write_timer.cancel()
            self._write_timer = None
