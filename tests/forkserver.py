"""Starts Python processes quickly: a server that has imported TensorFlow forks them.

Run as a script, this file is the server. `write_stand_in` writes programs that ask the server for a
process. Importing this file must be fast, so it uses little of the standard library (no pathlib).
"""

import contextlib
import json
import os
import select
import signal
import socket
import struct
import sys
import time
from collections.abc import Sequence
from typing import NoReturn

PATIENCE_SECONDS = 120
# There are two processes to fork from. One has only TensorFlow, the other imports these too.
PRELOADED = (
    "keras",
    "matplotlib.pyplot",
    "sacrebleu",
    "scipy.stats",
    "sklearn.metrics",
    *(f"textapps.tasks.{task}.task" for task in ("sentiment", "generate", "translate", "speech")),
)


class Connection:
    """Asks the server in `folder` for one process and waits for it to end.

    Closing the connection earlier kills the process.
    """

    def __init__(
        self,
        folder: str,
        stage: str,
        arguments: Sequence[str],
        cwd: str,
        environ: dict[str, str],
        descriptors: Sequence[int],
    ) -> None:
        """`arguments` are those after `python`; `descriptors` are stdin, stdout and stderr."""
        path = os.path.join(folder, stage)
        end = time.monotonic() + PATIENCE_SECONDS
        while not os.path.exists(path):  # the server is still importing
            assert time.monotonic() < end, f"no forkserver: see {folder}/log"
            time.sleep(0.01)
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.connect(path)
        body = json.dumps([folder, list(arguments), cwd, environ]).encode()
        socket.send_fds(self._socket, [struct.pack("!I", len(body))], descriptors)
        self._socket.sendall(body)
        (self.pid,) = struct.unpack("!I", self._socket.recv(4, socket.MSG_WAITALL))

    def wait(self, block: bool = True) -> int | None:
        """The status, as `os.waitpid` gives it; None if the process still runs and not `block`."""
        if not block and not select.select([self._socket], [], [], 0)[0]:
            return None
        (status,) = struct.unpack("!i", self._socket.recv(4, socket.MSG_WAITALL))
        self._socket.close()
        return int(status)


def stage_for(arguments: Sequence[str], keras: bool = True) -> str:
    """Isolated processes (`-I`) check what works without Keras, so they are forked without it."""
    return "keras" if keras and arguments[:1] != ["-I"] else "tensorflow"


def can_fork(arguments: Sequence[str]) -> bool:
    """Whether the server can start a process with these arguments.

    Forking a process that has imported TensorFlow is only safe on Linux.
    """
    first = next((each for each in arguments if each != "-I"), "-")
    known = first in ("-m", "-c") or not first.startswith("-")
    return known and sys.platform == "linux"


STAND_IN = """\
#!{python} -IS
import sys
sys.path.insert(0, {place!r})
import forkserver
forkserver.ask({folder!r}, [*{arguments!r}, *sys.argv[1:]])
"""


def write_stand_in(path: str, folder: str, arguments: Sequence[str] = ()) -> None:
    """Writes a program that runs Python with these arguments, followed by its own."""
    text = STAND_IN.format(
        python=sys.executable,
        place=os.path.dirname(__file__),
        folder=folder,
        arguments=list(arguments),
    )
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    os.chmod(path, 0o755)


def ask(folder: str, arguments: list[str]) -> NoReturn:
    """Runs a process in the place of a stand-in: passes signals on, and ends as it ended."""
    if not can_fork(arguments):
        os.execv(sys.executable, [sys.executable, *arguments])
    connection = Connection(
        folder,
        stage_for(arguments),
        arguments,
        os.getcwd(),
        dict(os.environ),
        (0, 1, 2),
    )
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda number, _: os.kill(connection.pid, number))
    status = connection.wait()
    assert status is not None
    if os.WIFSIGNALED(status):
        signal.signal(os.WTERMSIG(status), signal.SIG_DFL)
        os.kill(os.getpid(), os.WTERMSIG(status))
    os._exit(os.waitstatus_to_exitcode(status))


def main(folder: str, root: str, *options: str) -> None:
    """Runs the server, one process for each stage, until standard input ends.

    With the option `unoptimized`, forks run their graphs as they were traced.
    """
    import gc
    import importlib

    sys.modules["keras"] = None  # type: ignore[assignment]  # TensorFlow would import it
    tensorflow = importlib.import_module("tensorflow")
    del sys.modules["keras"]
    if "unoptimized" in options:
        tensorflow.config.optimizer.set_experimental_options({"disable_meta_optimizer": True})
    gc.freeze()  # forks share the pages that the collector does not touch
    if os.fork():
        _serve(folder, "tensorflow")
    sys.path.insert(0, root)
    for name in PRELOADED:
        importlib.import_module(name)
    sys.path.remove(root)
    gc.freeze()
    _serve(folder, "keras")


def _serve(folder: str, stage: str) -> NoReturn:
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(os.path.join(folder, f".{stage}"))
    listener.listen(16)
    os.rename(os.path.join(folder, f".{stage}"), os.path.join(folder, stage))
    while True:
        ready, _, _ = select.select([listener, 0], [], [])
        with contextlib.suppress(ChildProcessError):
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        if 0 in ready:
            signal.alarm(10)  # forks end by themselves when their connections close
            with contextlib.suppress(ChildProcessError):
                while True:
                    os.wait()
            os._exit(0)
        connection, _ = listener.accept()
        if os.fork() == 0:
            listener.close()
            _watch(connection)
        connection.close()


def _watch(connection: socket.socket) -> NoReturn:
    """Starts the process and reports how it ended; kills it if the connection closes first."""
    head, descriptors, _, _ = socket.recv_fds(connection, 4, 3)
    body = connection.recv(struct.unpack("!I", head)[0], socket.MSG_WAITALL)
    wake, woken = os.pipe()
    os.set_blocking(woken, False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(woken)
    pid = os.fork()
    if pid == 0:
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell may have it ignored
        for number, descriptor in enumerate(descriptors):
            os.dup2(descriptor, number)
        for descriptor in (*descriptors, connection.detach(), wake, woken):
            os.close(descriptor)
        _become(*json.loads(body))
    for descriptor in (0, *descriptors):
        os.close(descriptor)
    try:
        connection.sendall(struct.pack("!I", pid))
        ready, _, _ = select.select([connection, wake], [], [])
        if wake not in ready:
            os.kill(pid, signal.SIGKILL)
        _, status = os.waitpid(pid, 0)
        connection.sendall(struct.pack("!i", status))
    except OSError:
        os.kill(pid, signal.SIGKILL)  # harmless if it has ended
    os._exit(0)


def _become(folder: str, arguments: list[str], cwd: str, environ: dict[str, str]) -> NoReturn:
    """Runs what `python <arguments>` runs, and skips the second that Python takes to clean up."""
    import atexit
    import threading
    import traceback

    import numpy as np

    os.chdir(cwd)
    os.environ.clear()
    os.environ.update(environ)
    np.random.seed()
    unbuffered = bool(environ.get("PYTHONUNBUFFERED"))
    for number, (name, mode) in enumerate((("stdin", "r"), ("stdout", "w"), ("stderr", "w"))):
        old = getattr(sys, name)
        new = open(number, mode, encoding=old.encoding, errors=old.errors, closefd=False)  # noqa: SIM115
        if mode == "w":
            new.reconfigure(line_buffering=number == 2 or new.isatty(), write_through=unbuffered)
        setattr(sys, name, new)
        setattr(sys, f"__{name}__", new)
    # The process's own Python children are forked too.
    sys.executable = os.path.join(folder, "bin", "python")
    code: object = None
    try:
        _run(arguments, environ)
    except SystemExit as error:
        code = error.code
    except KeyboardInterrupt:
        traceback.print_exc()
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        os.kill(os.getpid(), signal.SIGINT)
    except BaseException:
        traceback.print_exc()
        code = 1
    if not isinstance(code, int | None):
        print(code, file=sys.stderr)
        code = 1
    threading._shutdown()  # Python ends like this, and so do the forks of multiprocessing
    atexit._run_exitfuncs()
    try:
        sys.stdout.flush()
    except OSError:
        code = 120
    sys.stderr.flush()
    os._exit((code or 0) & 0xFF)


def _run(arguments: list[str], environ: dict[str, str]) -> None:
    import runpy
    import types

    isolated = arguments[0] == "-I"
    kind, *rest = arguments[1:] if isolated else arguments
    if not isolated:
        here = {"-m": os.getcwd(), "-c": ""}.get(kind, os.path.dirname(os.path.abspath(kind)))
        paths = environ.get("PYTHONPATH", "").split(":")
        sys.path[:0] = [here, *(path for path in paths if path)]
    if kind == "-m":
        sys.argv = rest
        runpy.run_module(rest[0], run_name="__main__", alter_sys=True)
    elif kind == "-c":
        sys.argv = ["-c", *rest[1:]]
        sys.modules["__main__"] = main_module = types.ModuleType("__main__")
        exec(compile(rest[0], "<string>", "exec"), main_module.__dict__)
    else:
        sys.argv = [kind, *rest]
        runpy.run_path(kind, run_name="__main__")


if __name__ == "__main__":
    main(*sys.argv[1:])
