"""Processes forked from one that has imported TensorFlow, which start in no time."""

import multiprocessing
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Self

from benchmarks import processes

CONTEXT = multiprocessing.get_context("forkserver")


def preload() -> None:
    """What the next process of this test session imports first, if there was none yet."""
    names = ("textapps.tasks.sentiment.task", "benchmarks.counterparts.plain_endpoint")
    CONTEXT.set_forkserver_preload([*names, "textapps.cli.main", __name__])


def main(command: Sequence[str], environ: Mapping[str, str], cores: Sequence[int]) -> None:
    """What a process of this command would do."""
    os.environ.update(environ)
    if cores:
        os.sched_setaffinity(0, cores)
    if not environ.get("TF_CONFIG"):
        import tensorflow as tf

        # A few steps of a tiny model take less time than to trace it; several workers must.
        tf.config.run_functions_eagerly(True)
    sys.stdout = Path("/dev/null").open("w")  # noqa: SIM115
    if command[0] == processes.TEXTAPPS:
        from textapps.cli.main import application

        application(list(command[1:]))
    else:
        from benchmarks.counterparts import plain_endpoint

        assert command[1:3] == ["-m", plain_endpoint.__name__]
        plain_endpoint.main(*command[3:])


class Forked:
    """In the place of the Popen of `processes.start`."""

    def __init__(
        self,
        command: Sequence[str],
        *,
        quiet: bool = False,
        environ: Mapping[str, str] | None = None,
        cores: Sequence[int] = (),
    ) -> None:
        self._process = CONTEXT.Process(target=main, args=(command, environ or {}, cores))
        self._process.start()
        self.terminate, self.kill = self._process.terminate, self._process.kill

    @property
    def pid(self) -> int | None:
        return self._process.pid

    @property
    def returncode(self) -> int | None:
        return self._process.exitcode

    def poll(self) -> int | None:
        return self._process.exitcode

    def wait(self, timeout: float | None = None) -> int:
        self._process.join(timeout)
        assert self._process.exitcode is not None
        return self._process.exitcode

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self._process.join()
