"""`textapps serve` in a process of its own."""

import os
import re
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from contextlib import suppress
from pathlib import Path
from types import TracebackType

from tests import processes

PATIENCE_SECONDS = 60


class ServerProcess:
    """Serves a directory on a free port; as a context it is ready, and stopped at the end."""

    def __init__(self, directory: Path, *options: str, **environ: str) -> None:
        self._directory = directory
        self._options = options
        self._environ = environ
        self._log = directory.with_name(f"{directory.name}.log")
        self.port = 0

    @property
    def log(self) -> str:
        """What it has written to stderr until now."""
        return self._log.read_text(encoding="utf-8")

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Returns when it listens."""
        command = [sys.executable, "-m", "textapps", "serve", str(self._directory)]
        with self._log.open("wb") as log:
            self.process = processes.Popen(
                [*command, "--port", "0", *self._options],
                keras=False,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=log,
                env={**os.environ, **self._environ},
            )
        while not (found := re.search(r"^listening on http://.*:(\d+)$", self.log, re.MULTILINE)):
            self._check()
        self.port = int(found[1])

    def wait_until_ready(self) -> None:
        while True:
            try:
                urllib.request.urlopen(f"{self.url}/health/ready", timeout=5).close()
            except urllib.error.HTTPError as error:
                error.close()
                self._check()
            else:
                return

    def _check(self) -> None:
        assert self.process.poll() is None, self.log
        time.sleep(0.05)

    def connect(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), PATIENCE_SECONDS)

    def send(self, request: bytes, piece: int | None = None) -> bytes:
        """All that comes back, until the server closes or has answered a request to close.

        The request is sent at once, or in pieces of some bytes each.
        """
        answer = b""
        with self.connect() as connection, suppress(ConnectionResetError, BrokenPipeError):
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            for start in range(0, len(request), piece or len(request)):
                connection.sendall(request[start : start + (piece or len(request))])
                time.sleep(0.001 if piece else 0)
            while chunk := connection.recv(65536):
                answer += chunk
        return answer

    def __enter__(self) -> "ServerProcess":
        self.start()
        try:
            self.wait_until_ready()
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.process.terminate()
        try:
            self.process.wait(PATIENCE_SECONDS)
        finally:
            self.process.kill()
            self.process.wait()
