"""A server process: its socket, its signals, and how it ends."""

import asyncio
import contextlib
import errno
import resource
import signal
import socket
import sys
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, TextIO

import uvicorn

from textapps.core.memory import return_freed_memory
from textapps.savedmodel.loading import import_tensorflow
from textapps.serving.access_log import AccessLog
from textapps.serving.app import create_app
from textapps.serving.errors import ServingError
from textapps.serving.held import Held
from textapps.serving.metrics import Metrics
from textapps.serving.protocol import BoundedProtocol
from textapps.serving.repository import Repository
from textapps.serving.settings import Settings

if TYPE_CHECKING:
    from textapps.serving.grpc.server import GrpcServer

_BACKLOG = 2048  # connections that wait to be accepted, as uvicorn's default
# How long a thread that reads or writes JSON may keep the interpreter from the one that answers.
_SWITCH_SECONDS = 0.001
_FORCED_SECONDS = 0.1  # within which a second Ctrl-C ends it
_KEEP_ALIVE_SECONDS = 75  # longer than the 60 of common proxies, which then close first


def serve(
    directory: Path, settings: Settings, access_log: TextIO | None, say: Callable[[str], None]
) -> int:
    """Serve the models in a directory until SIGTERM or SIGINT, whose number is returned.

    `say` is called with where the server listens and what it serves. After the signal no
    connection is accepted, and running requests have `drain_seconds` to finish. A model call that
    takes longer goes on in its thread.

    Raises:
        DirectoryError: the directory is missing, or is a model itself.
        ServingError: the address cannot be listened on.
    """
    metrics = Metrics()
    repository = Repository(
        directory,
        settings.sharing,
        poll_seconds=settings.poll_seconds,
        on_batch=metrics.batch,
        verify_files=settings.verify_files,
        compiled=settings.compiled,
        ready_when=settings.ready,
        versions=settings.versions,
    )
    if settings.grpc_port:  # gRPC says too late that it cannot listen, and not why
        _listen(settings.host, settings.grpc_port, "--grpc-port, 0 for no gRPC").close()
    with _listen(settings.host, settings.port, "--port, 0 for any free one") as listener:
        # Before any thread starts: meanwhile the command line holds stderr back to keep TensorFlow
        # quiet, and would lose what other threads write.
        return_freed_memory()
        _raise_file_limit()
        sys.setswitchinterval(_SWITCH_SECONDS)
        import_tensorflow(settings.intra_op_threads)
        repository.start()
        log = AccessLog(access_log)
        held = Held(settings.max_held_bytes)
        app = create_app(settings, repository, metrics, log, held)
        config = uvicorn.Config(
            app,
            http=partial(  # type: ignore[arg-type]
                BoundedProtocol, app.malformed, settings.write_timeout
            ),
            lifespan="off",
            ws="none",
            log_config=None,
            log_level="critical",  # Operations logs requests, failed ones too
            access_log=False,
            proxy_headers=False,  # Gate looks at them, if they are to be believed
            server_header=False,
            backlog=_BACKLOG,
            timeout_keep_alive=_KEEP_ALIVE_SECONDS,
            timeout_graceful_shutdown=settings.drain_seconds,
        )
        server = _Server(config)
        port = listener.getsockname()[1]
        host = f"[{settings.host}]" if ":" in settings.host else settings.host

        async def run() -> None:
            if settings.grpc_port:
                from textapps.serving.grpc.server import GrpcServer

                server.beside = GrpcServer(settings, repository, metrics, log, held)
                await server.beside.start(f"{host}:{settings.grpc_port}")
            say(f"listening on http://{host}:{port}")
            if settings.grpc_port:
                say(f"listening for gRPC on {host}:{settings.grpc_port}")
            announcement = asyncio.create_task(_announce(repository, say))
            await server.serve([listener])
            announcement.cancel()

        with asyncio.Runner(loop_factory=config.get_loop_factory()) as runner:
            runner.run(run())
    return server.signal


class _Server(uvicorn.Server):
    """Stops by a signal without raising it again, which would end the process there.

    `beside` stops at the same time.
    """

    signal = 0
    beside: "GrpcServer | None" = None

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self.handle_exit, number, None)
        yield

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Stop gracefully; by a second Ctrl-C at once."""
        self.signal = self.signal or sig
        super().handle_exit(sig, frame)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Accept no more; running requests have time to finish, until a second Ctrl-C."""
        seconds = self.config.timeout_graceful_shutdown or 0
        stopping = asyncio.create_task(self.beside.stop(seconds)) if self.beside else None
        await super().shutdown(sockets)
        while stopping and not stopping.done() and not self.force_exit:
            await asyncio.wait([stopping], timeout=_FORCED_SECONDS)


async def _announce(repository: Repository, say: Callable[[str], None]) -> None:
    while not repository.ready:
        await asyncio.sleep(0.1)
    served = ", ".join(f"{version.name} {version.version}" for version in repository.loaded())
    say(f"ready, serving {served}")


def _raise_file_limit() -> None:
    """Each connection takes a file descriptor, of which a process has 1,024 by default."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    with contextlib.suppress(ValueError, OSError):  # macOS allows less than it says
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def _listen(host: str, port: int, remedy: str) -> socket.socket:
    """A socket that listens. ServingError with the option to change if it cannot."""
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        return socket.create_server((host, port), family=family, backlog=_BACKLOG)
    except socket.gaierror:
        raise ServingError(
            f"cannot listen on host '{host}': no such host; 127.0.0.1 is this machine alone, "
            "0.0.0.0 all of its addresses"
        ) from None
    except OSError as error:
        option = remedy.partition(",")[0]
        remedies = {
            errno.EADDRINUSE: f"the port is taken; choose another by {remedy}",
            errno.EACCES: f"not allowed; choose a port from 1024 up by {option}",
            errno.EADDRNOTAVAIL: "not an address of this machine; 0.0.0.0 is all of them",
        }
        reason = remedies.get(error.errno or 0, error.strerror)
        raise ServingError(f"cannot listen on {host}:{port}: {reason}") from None
