"""gRPC calls over bare HTTP/2, as cheap for the cores that server and client share as load.py's.

The client of the gRPC library would take several times as long for a call as the one for HTTP.
"""

import asyncio

from benchmarks.suites.load import NO_ANSWER, Question

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
# Kinds of frames and their flags, from RFC 9113.
DATA, HEADERS, RESET, SETTINGS, PING, GOAWAY, WINDOW = 0, 1, 3, 4, 6, 7, 8
ACK = END_STREAM = 1
END_HEADERS = 4
LARGEST_WINDOW = 2**31 - 1
DEFAULT_WINDOW = 2**16 - 1
# Of each message: whether it is compressed, and its length.
PREFIX_BYTES = 5
ANSWERED = 200


def frame(kind: int, flags: int, stream: int, content: bytes = b"") -> bytes:
    """
    >>> frame(PING, ACK, 0, bytes(8)).hex()
    '0000080601000000000000000000000000'
    """
    return len(content).to_bytes(3) + bytes([kind, flags]) + stream.to_bytes(4) + content


def message(question: Question, stream: int) -> bytes:
    """The frames of a call; names and values of its headers are not compressed (RFC 7541, 6.2)."""
    head = b"\x83\x86" + b"\x04" + _text(question.path) + b"\x01" + _text("localhost")
    for name, value in (("te", "trailers"), ("content-type", "application/grpc")):
        head += b"\0" + _text(name) + _text(value)
    body = b"\0" + len(question.body).to_bytes(4) + question.body
    return frame(HEADERS, END_HEADERS, stream, head) + frame(DATA, END_STREAM, stream, body)


def _text(value: str) -> bytes:
    return bytes([len(value)]) + value.encode()


class GrpcConnection:
    """One connection, opened when it is needed, with one call at a time."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None
        self._stream = -1

    async def ask(self, question: Question) -> tuple[int, bytes]:
        """`ANSWERED` and the message; without one, `NO_ANSWER` and what went wrong."""
        try:
            if self._streams is None:
                await self._open()
            return await self._call(question)
        except (OSError, asyncio.IncompleteReadError) as error:
            self.close()
            return NO_ANSWER, repr(error).encode()

    def close(self) -> None:
        if self._streams is not None:
            self._streams[1].close()
            self._streams, self._stream = None, -1

    async def _open(self) -> None:
        self._streams = await asyncio.open_connection("127.0.0.1", self._port)
        initial_window = (4).to_bytes(2) + LARGEST_WINDOW.to_bytes(4)
        more = (LARGEST_WINDOW - DEFAULT_WINDOW).to_bytes(4)
        settings = frame(SETTINGS, 0, 0, initial_window) + frame(WINDOW, 0, 0, more)
        self._streams[1].write(PREFACE + settings)

    async def _call(self, question: Question) -> tuple[int, bytes]:
        assert self._streams is not None
        reader, writer = self._streams
        self._stream += 2
        writer.write(message(question, self._stream))
        body = b""
        while True:
            head = await reader.readexactly(9)
            kind, flags = head[3], head[4]
            content = await reader.readexactly(int.from_bytes(head[:3]))
            if kind in (SETTINGS, PING) and not flags & ACK:
                writer.write(frame(kind, ACK, 0, content if kind == PING else b""))
            elif kind == DATA:
                body += content
            elif kind in (RESET, GOAWAY):
                raise ConnectionError(f"frame {kind}: {content!r}")
            if kind == HEADERS and flags & END_STREAM:
                # A call that failed has no message; its code would have to be decompressed.
                found = body[PREFIX_BYTES:]
                return (ANSWERED, found) if body else (NO_ANSWER, b"no message")
