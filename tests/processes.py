"""Like `subprocess`, but Python starts quickly: processes are forks that have imported TensorFlow.

Where a fork cannot do what is asked, for example with other environment variables for TensorFlow's
start, Python is started in the ordinary way.
"""

import atexit
import os
import shutil
import subprocess
import sys
import tempfile
from functools import cache
from inspect import signature
from pathlib import Path
from typing import Any

from tests import forkserver

ROOT = Path(__file__).parent.parent
# Python and libraries read these when they start, so they must be the same as in the server.
READ_AT_START = (
    *("PYTHON", "TF_CPP", "TF_ENABLE", "TF_USE", "XLA_", "KERAS_", "MPL", "LD_"),
    *("OMP_", "OPENBLAS_", "MKL_", "MALLOC_", "GLIBC_", "LANG", "LC_"),
)


ENVIRON = dict(os.environ)  # as set by tests/conftest.py
OPTIONS: list[str] = []  # of forkserver.main


def read_at_start(environ: dict[str, str]) -> dict[str, str]:
    return {
        name: value
        for name, value in environ.items()
        if name.startswith(READ_AT_START) and name != "PYTHONUNBUFFERED"
    }


class Server:
    """The forkserver of this pytest process, and programs that use it.

    `programs` is a folder for PATH with `textapps` and `python`, which has Keras unless it is
    isolated (`-I`).
    """

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="forkserver-"))  # paths of sockets must be short
        self.programs = self.folder / "bin"
        self.programs.mkdir()
        self.python = self.programs / "python"
        for name, arguments in (("python", ()), ("textapps", ("-m", "textapps"))):
            forkserver.write_stand_in(str(self.programs / name), str(self.folder), arguments)
        with (self.folder / "log").open("wb") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-I", forkserver.__file__, str(self.folder), str(ROOT), *OPTIONS],
                stdin=subprocess.PIPE,  # it ends when this process does
                stderr=log,
                env=ENVIRON,
                start_new_session=True,
            )
        atexit.register(self.close)

    def close(self) -> None:
        assert self._process.stdin
        self._process.stdin.close()
        self._process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)


server = cache(Server)


class Popen(subprocess.Popen[Any]):
    """`subprocess.Popen`, with a fork where that makes no difference."""

    _connection: forkserver.Connection | None = None

    def __init__(self, args: list[str | Path], *rest: Any, keras: bool = True, **options: Any):
        """Without `keras`, or isolated (`-I`), only TensorFlow is imported already."""
        self._keras = keras
        super().__init__(args, *rest, **options)

    def _execute_child(self, *given: Any) -> None:
        bound = signature(super()._execute_child).bind(*given).arguments
        python, *arguments = [os.fspath(each) for each in bound["args"]]
        environ = dict(os.environ if bound["env"] is None else bound["env"])
        asks_more = bound["start_new_session"] or bound["pass_fds"] or bound["preexec_fn"]
        if (
            python != sys.executable
            or asks_more
            or not forkserver.can_fork(arguments)
            or read_at_start(environ) != read_at_start(ENVIRON)
        ):
            super()._execute_child(*given)
            return
        ends = [bound[name] for name in ("p2cread", "c2pwrite", "errwrite")]
        self._connection = forkserver.Connection(
            str(server().folder),
            forkserver.stage_for(arguments, self._keras),
            arguments,
            os.fspath(bound["cwd"] or Path.cwd()),
            environ,
            [number if end == -1 else end for number, end in enumerate(ends)],
        )
        self.pid = self._connection.pid
        self._child_created = True
        self._close_pipe_fds(*(bound[name] for name in PIPES))

    def _try_wait(self, wait_flags: int) -> tuple[int, int]:
        if self._connection is None:
            return super()._try_wait(wait_flags)
        status = self._connection.wait(block=not wait_flags)
        return (0, 0) if status is None else (self.pid, status)

    def _internal_poll(self, *given: Any, **more: Any) -> int | None:
        if self._connection is None:
            return super()._internal_poll(*given, **more)
        if self.returncode is None:
            pid, status = self._try_wait(os.WNOHANG)
            if pid:
                self._handle_exitstatus(status)
        return self.returncode


PIPES = ("p2cread", "p2cwrite", "c2pread", "c2pwrite", "errread", "errwrite")


def run(
    args: list[str | Path],
    *,
    input: str | bytes | None = None,
    capture_output: bool = False,
    timeout: float | None = None,
    check: bool = False,
    **options: Any,
) -> subprocess.CompletedProcess[Any]:
    """`subprocess.run`, with a fork where that makes no difference."""
    if capture_output:
        options |= {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    if input is not None:
        options["stdin"] = subprocess.PIPE
    with Popen(args, **options) as process:
        try:
            stdout, stderr = process.communicate(input, timeout)
        except BaseException:
            process.kill()
            raise
    done = subprocess.CompletedProcess(process.args, process.returncode, stdout, stderr)
    if check:
        done.check_returncode()
    return done
