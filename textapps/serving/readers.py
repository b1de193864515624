"""Processes that parse and write large bodies, so that other requests do not wait.

No other Python thread can run while a body is parsed: 16 MB of brackets or of empty messages take
seconds.
"""

import asyncio
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from pickle import PickleBuffer
from typing import TYPE_CHECKING, Any

import numpy as np

from textapps.savedmodel.errors import BadInput
from textapps.serving import reader_process, reading
from textapps.serving.codec import ModelSpec, Predict
from textapps.serving.encoder import check_outputs
from textapps.serving.errors import DeadlineExceeded, ServingError
from textapps.serving.frames import packed, receive, send, unpacked
from textapps.serving.grpc.messages import MessageKind
from textapps.serving.json_examples import Examples
from textapps.serving.reading import Kind

if TYPE_CHECKING:  # it imports TensorFlow
    from textapps.serving.grpc.requests import Inference

_ROOT = Path(__file__).parents[2]  # the processes import this copy of the package
_PROCESSES = min(2, os.cpu_count() or 1)
_PIECE = 64 * 1024  # bytes of an answer that are handed to the connection at once


class Readers:
    """A pool of such processes; each starts when it is first needed."""

    def __init__(self, max_depth: int, seconds: float) -> None:
        """A body may be nested `max_depth` deep, and parsing it may take `seconds`."""
        self._max_depth = max_depth
        self._seconds = seconds
        self._threads = ThreadPoolExecutor(_PROCESSES, thread_name_prefix="reader")
        self._own = threading.local()  # each thread has its own process

    async def predict(self, body: bytearray, model: ModelSpec) -> Predict:
        """Parses a predict request to a model.

        Raises BadInput for an invalid body, DeadlineExceeded if it takes too long, ServingError if
        the process dies.
        """
        request: Predict = await self._ask(body, model)
        return request

    async def examples(self, body: bytearray) -> Examples:
        """Parses a request to classify or regress. Raises as `predict`."""
        request: Examples = await self._ask(body, "examples")
        return request

    async def message(self, body: bytes, kind: MessageKind) -> "Inference":
        """Parses a message of gRPC. Raises as `predict`."""
        request: Inference = await self._ask(body, kind)
        return request

    async def outside(self, body: bytearray) -> dict[str, Any]:
        """Parses an object, emptied as `reading.read` says. Raises as `predict`."""
        found: dict[str, Any] = await self._ask(body, "object")
        return found

    async def encode(
        self, outputs: dict[str, np.ndarray], row_format: bool, most_bytes: int
    ) -> list[memoryview]:
        """As `encode_response`. Raises also as `predict`."""
        check_outputs(outputs, most_bytes)
        body: memoryview = await self._run(self._write, outputs, row_format, most_bytes)
        return [body[start : start + _PIECE] for start in range(0, len(body), _PIECE)]

    async def _ask(self, body: bytes | bytearray, kind: Kind) -> Any:
        return await self._run(self._read, body, kind)

    async def _run(self, function: Callable[..., Any], *arguments: Any) -> Any:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, function, *arguments)

    def _read(self, body: bytes | bytearray, kind: Kind) -> Any:
        return self._call(reading.read, PickleBuffer(body), self._max_depth, kind)

    def _write(self, outputs: dict[str, np.ndarray], row_format: bool, most_bytes: int) -> Any:
        return self._call(reading.write, packed(outputs), row_format, most_bytes)

    def _call(self, function: Callable[..., tuple[str, Any]], *arguments: Any) -> Any:
        found, answer = self._exchange((function, *arguments))
        if found == "bad":
            raise BadInput(answer)
        if found == "failed":
            raise RuntimeError(answer)
        return answer._replace(inputs=unpacked(answer.inputs)) if found == "arrays" else answer

    def _exchange(self, request: tuple[Any, ...]) -> tuple[str, Any]:
        reader: _Reader = self._own.reader if hasattr(self._own, "reader") else _Reader()
        self._own.reader = reader
        try:
            reader.connection.settimeout(self._seconds)
            send(reader.connection, request)
            answer: tuple[str, Any] = receive(reader.connection)
            return answer
        except BaseException as error:
            del self._own.reader
            reader.end()
            if isinstance(error, TimeoutError):
                raise DeadlineExceeded(
                    f"JSON was not read or written within {self._seconds:g} s"
                ) from None
            if isinstance(error, EOFError | OSError):
                raise ServingError(
                    "the process that handled the JSON died: it may have run out of memory"
                ) from error
            raise


class _Reader:
    """One process; it ends when the connection is closed."""

    def __init__(self) -> None:
        self.connection, other = socket.socketpair()
        with other:
            self._process = subprocess.Popen(
                [sys.executable, "-I", reader_process.__file__, str(_ROOT)],
                stdin=other.fileno(),
                stdout=subprocess.DEVNULL,
                start_new_session=True,  # so that Ctrl-C stops the server alone
            )

    def end(self) -> None:
        self.connection.close()
        self._process.kill()
        self._process.wait()

    def __del__(self) -> None:
        self.end()
