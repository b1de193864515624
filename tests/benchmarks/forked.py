"""Commands of benchmarks in forked processes that run functions eagerly."""

import contextlib
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from benchmarks import processes
from tests import processes as forked

# A few eager steps of a tiny model take less time than tracing it. Several workers must trace.
BEGIN = f"""
import os, sys
sys.path.insert(0, {str(forked.ROOT)!r})
if not os.environ.get("TF_CONFIG"):
    import tensorflow as tf
    tf.config.run_functions_eagerly(True)
"""
PIN = "os.sched_setaffinity(0, {cores})\n"
COMMAND = "from textapps.cli.main import main; main()"
MODULE = "import runpy; runpy.run_module({name!r}, run_name='__main__', alter_sys=True)"


def start(
    command: Sequence[str],
    *,
    quiet: bool = False,
    log: Path | None = None,
    environ: Mapping[str, str] | None = None,
    cores: Sequence[int] = (),
) -> subprocess.Popen[bytes]:
    """In the place of `processes.start`."""
    code = BEGIN + (PIN.format(cores=list(cores)) if cores else "")
    if command[0] == processes.TEXTAPPS:
        code, words = code + COMMAND, command[1:]
    else:
        _, option, name, *words = command
        assert option == "-m"
        code += MODULE.format(name=name)
    with contextlib.ExitStack() as opened:
        return forked.Popen(
            [sys.executable, "-c", code, *words],
            stdout=subprocess.DEVNULL,
            stderr=processes.stderr_of(log, quiet, opened),
            env={**os.environ, **(environ or {})},
        )
