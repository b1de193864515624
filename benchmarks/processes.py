"""Child processes: run to their end and measured, or started."""

import contextlib
import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, NamedTuple

TEXTAPPS = str(Path(sys.executable).with_name("textapps"))
MEGABYTE = 1024 * 1024 if sys.platform == "darwin" else 1024  # in units of ru_maxrss


class Finished(NamedTuple):
    """What a process printed on stdout, and what it cost; memory in units of 2^20 bytes."""

    stdout: str
    seconds: float
    cpu_seconds: float
    peak_memory_mb: int


def run(command: Sequence[str], *, quiet: bool = False) -> Finished:
    """Runs a command to its end, `quiet` without its stderr.

    Linux counts the memory that the parent held when it started the child as the child's, so the
    parent should hold little and not import TensorFlow. CalledProcessError if the command fails.
    """
    stderr = subprocess.DEVNULL if quiet else None
    start = time.perf_counter()
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=stderr, text=True, encoding="utf-8"
    ) as process:
        assert process.stdout is not None
        stdout = process.stdout.read()
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - start
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, command, stdout)
    cpu = usage.ru_utime + usage.ru_stime
    return Finished(stdout, seconds, cpu, usage.ru_maxrss // MEGABYTE)


def textapps(*words: str) -> Finished:
    return run([TEXTAPPS, *words])


def start(
    command: Sequence[str],
    *,
    quiet: bool = False,
    log: Path | None = None,
    environ: Mapping[str, str] | None = None,
    cores: Sequence[int] = (),
) -> subprocess.Popen[bytes]:
    """Starts a command on some cores only; throws stdout away.

    Its stderr goes to the file `log`, with `quiet` nowhere.
    """
    pinned = ["taskset", "--cpu-list", ",".join(map(str, cores))] if cores else []
    with contextlib.ExitStack() as opened:
        return subprocess.Popen(
            [*pinned, *command],
            stdout=subprocess.DEVNULL,
            stderr=stderr_of(log, quiet, opened),
            env={**os.environ, **(environ or {})},
        )


def stderr_of(
    log: Path | None, quiet: bool, opened: contextlib.ExitStack
) -> int | IO[bytes] | None:
    """Where the stderr of a process goes; a file is closed by `opened`."""
    if log is not None:
        return opened.enter_context(log.open("wb"))
    return subprocess.DEVNULL if quiet else None
