"""Processes that parse the JSON of large bodies, so that other requests do not wait.

No other Python thread can run while JSON is parsed: 16 MB of brackets take a second.
"""

import asyncio
import os
import socket
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from pickle import PickleBuffer
from typing import Any

from textapps.savedmodel.errors import BadInput
from textapps.serving import reader_process
from textapps.serving.codec import ModelSpec, Predict
from textapps.serving.errors import DeadlineExceeded, ServingError
from textapps.serving.frames import receive, send, unpacked
from textapps.serving.json_examples import Examples
from textapps.serving.reading import Kind

_ROOT = Path(__file__).parents[2]  # the processes import this copy of the package
_PROCESSES = min(2, os.cpu_count() or 1)


class Readers:
    """A few such processes; each starts when it is first needed."""

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

    async def outside(self, body: bytearray) -> dict[str, Any]:
        """Parses an object, emptied as `reading.read` says. Raises as `predict`."""
        found: dict[str, Any] = await self._ask(body, "object")
        return found

    async def _ask(self, body: bytearray, kind: Kind) -> Any:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, self._read, body, kind)

    def _read(self, body: bytearray, kind: Kind) -> Any:
        found, answer = self._exchange(body, kind)
        if found == "bad":
            raise BadInput(answer)
        if found == "failed":
            raise RuntimeError(answer)
        return answer._replace(inputs=unpacked(answer.inputs)) if found == "arrays" else answer

    def _exchange(self, body: bytearray, kind: Kind) -> tuple[str, Any]:
        reader: _Reader = self._own.reader if hasattr(self._own, "reader") else _Reader()
        self._own.reader = reader
        try:
            reader.connection.settimeout(self._seconds)
            send(reader.connection, (PickleBuffer(body), self._max_depth, kind))
            answer: tuple[str, Any] = receive(reader.connection)
            return answer
        except BaseException as error:
            del self._own.reader
            reader.end()
            if isinstance(error, TimeoutError):
                raise DeadlineExceeded(
                    f"the body was not parsed within {self._seconds:g} s"
                ) from None
            if isinstance(error, EOFError | OSError):
                raise ServingError(
                    "the process that parsed the body died: it may have run out of memory"
                ) from error
            raise


class _Reader:
    """One process; it ends when the connection is closed."""

    def __init__(self) -> None:
        self.connection, other = socket.socketpair()
        with other:
            self._process = subprocess.Popen(
                [sys.executable, "-I", reader_process.__file__, str(_ROOT)],
                stdin=other,
                stdout=subprocess.DEVNULL,
                start_new_session=True,  # so that Ctrl-C stops the server alone
            )

    def end(self) -> None:
        self.connection.close()
        self._process.kill()
        self._process.wait()

    def __del__(self) -> None:
        self.end()
