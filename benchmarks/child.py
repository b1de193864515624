"""Child processes: run to their end and measured, or asked line by line."""

import contextlib
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

TEXTAPPS = str(Path(sys.executable).with_name("textapps"))
MEGABYTE = 1024 * 1024 if sys.platform == "darwin" else 1024  # in units of ru_maxrss


class Child(NamedTuple):
    """What a process printed on stdout, and its cost; memory in units of 2^20 bytes."""

    stdout: str
    seconds: float
    cpu_seconds: float
    peak_memory_mb: int


def run(command: Sequence[str], *, quiet: bool = False) -> Child:
    """Runs a command to its end, `quiet` without its stderr.

    Linux counts the memory that the parent held when it started the child as the child's, so the
    parent should hold little: import no TensorFlow there.

    Raises:
        subprocess.CalledProcessError: the command failed.
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
    return Child(stdout, seconds, cpu, usage.ru_maxrss // MEGABYTE)


class Companion:
    """A process that answers each line on its stdin with one on its stdout."""

    def __init__(self, command: Sequence[str]) -> None:
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, encoding="utf-8"
        )

    def ask(self, line: str) -> str:
        """The answer to a line.

        Raises:
            subprocess.CalledProcessError: the process has ended.
        """
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        answer = ""
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.write(f"{line}\n")
            self._process.stdin.flush()
            answer = self._process.stdout.readline()
        if not answer:
            raise subprocess.CalledProcessError(self._process.wait(), self._process.args)
        return answer

    def close(self) -> None:
        """Ends the process."""
        with contextlib.suppress(BrokenPipeError):
            self._process.communicate()
