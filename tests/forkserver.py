"""Python processes with TensorFlow imported already: forked from a server, they start at once.

Run as a script, this file is the server; `stand_in` makes programs that ask it for processes. It
must import in no time: nothing but the standard library, and of that little.
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
# What the second of two processes to fork from imports: the first has TensorFlow alone.
PRELOADED = (
    "keras",
    "matplotlib.pyplot",
    "sacrebleu",
    "scipy.stats",
    "sklearn.metrics",
    *(f"textapps.tasks.{task}.task" for task in ("sentiment", "generate", "translate", "speech")),
)


class Connection:
    """Asks the server of a folder for one process and waits for its end.

    The process is killed when the connection is closed before.
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
        """`arguments` are those of Python; `descriptors` are its stdin, stdout and stderr."""
        path = os.path.join(folder, stage)
        end = time.monotonic() + PATIENCE_SECONDS
        while not os.path.exists(path):  # the server has not imported all yet
            assert time.monotonic() < end, f"no forkserver: see {folder}/log"
            time.sleep(0.01)
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.connect(path)
        body = json.dumps([folder, list(arguments), cwd, environ]).encode()
        socket.send_fds(self._socket, [struct.pack("!I", len(body))], descriptors)
        self._socket.sendall(body)
        (self.pid,) = struct.unpack("!I", self._socket.recv(4, socket.MSG_WAITALL))

    def wait(self, block: bool = True) -> int | None:
        """The status as of `os.waitpid`; None if the process still runs and one may not wait."""
        if not block and not select.select([self._socket], [], [], 0)[0]:
            return None
        (status,) = struct.unpack("!i", self._socket.recv(4, socket.MSG_WAITALL))
        self._socket.close()
        return int(status)


def stage_for(arguments: Sequence[str], keras: bool = True) -> str:
    """Isolated processes are those that check what goes without Keras."""
    return "keras" if keras and arguments[:1] != ["-I"] else "tensorflow"


def can_fork(arguments: Sequence[str]) -> bool:
    """Whether a process with these arguments of Python can come from the server.

    Elsewhere than on Linux, a fork of a process that has TensorFlow is not safe.
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
    """Writes a program that does what Python does with these arguments and those it is given."""
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
    """What a stand-in does: it has the process run, passes signals on, and ends as it ended."""
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


def main(folder: str, root: str) -> None:
    """The server: one process for each stage, until standard input ends."""
    import gc
    import importlib

    sys.modules["keras"] = None  # type: ignore[assignment]  # else TensorFlow imports it
    importlib.import_module("tensorflow")
    del sys.modules["keras"]
    gc.freeze()  # pages that the collector does not touch are shared
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
            signal.alarm(10)  # the forks see for themselves that nobody listens
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
    """A fork of the server: starts the process, tells how it ended, kills it if nobody listens."""
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
        os.kill(pid, signal.SIGKILL)  # harmless where it has ended
    os._exit(0)


def _become(folder: str, arguments: list[str], cwd: str, environ: dict[str, str]) -> NoReturn:
    """Runs as `python <arguments>` would, and ends without the second that Python tidies up for."""
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
    # Its own children are forked too.
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
    threading._shutdown()  # as Python ends, and multiprocessing's forks too
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
