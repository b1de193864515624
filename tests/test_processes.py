"""Forked processes behave like ordinary ones."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests import processes

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="no process is forked here")
SEES = """
import os, sys
print(sys.argv, input(), os.getcwd(), os.environ["SAID"], sys.path[0], sys.stdin.encoding)
print(sys.stdout.isatty(), __name__, *(name in sys.modules for name in ("keras", "textapps")))
sys.exit(7)
"""


def forked(process: processes.Popen) -> bool:
    return process._connection is not None


@pytest.mark.parametrize("module", [processes, subprocess])
def test_a_process_is_as_python_starts_it(module, tmp_path: Path) -> None:
    """Both kinds differ only in what is imported already."""
    environ = {**os.environ, "SAID": "größer", "PYTHONUNBUFFERED": "1"}
    done = module.run(
        [sys.executable, "-c", SEES, "a b", ""],
        **{"input": "in\n", "capture_output": True, "text": True, "encoding": "utf-8"},
        cwd=tmp_path,
        env=environ,
    )
    is_here = module is processes
    assert done.stdout.splitlines() == [
        f"['-c', 'a b', ''] in {tmp_path} größer  utf-8",
        f"False __main__ {is_here} {is_here}",
    ]
    assert (done.returncode, done.stderr) == (7, "")


@pytest.mark.parametrize("module", [processes, subprocess])
@pytest.mark.parametrize(
    ("code", "ends", "says"),
    [
        ("1 / 0", 1, "ZeroDivisionError: division by zero\n"),
        ("raise KeyboardInterrupt", -signal.SIGINT, "KeyboardInterrupt\n"),
        ("raise SystemExit('words')", 1, "words\n"),
        ("import os; os.abort()", -signal.SIGABRT, ""),
        ("import atexit; atexit.register(print, 'at the end')", 0, "at the end\n"),
        ("import threading as t; t.Timer(0.05, print, ['later']).start()", 0, "later\n"),
    ],
)
def test_how_it_ends(module, code: str, ends: int, says: str) -> None:
    environ = {**os.environ, "PYTHONFAULTHANDLER": ""}
    options = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
    done = module.run([sys.executable, "-c", code], **options, env=environ)
    assert done.returncode == ends
    assert done.stdout.endswith(says)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_signals_come_to_it(number: signal.Signals) -> None:
    code = "import time; print(flush=True); time.sleep(60)"
    for python in (sys.executable, processes.server().python):
        options = {"stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
        with processes.Popen([python, "-c", code], **options) as process:
            assert forked(process) == (python == sys.executable)
            assert process.stdout.read(1) == b"\n"
            assert process.poll() is None
            process.send_signal(number)
            assert process.wait(30) == -number
            assert process.stdout.read() == b""


def test_it_ends_when_its_stand_in_is_killed() -> None:
    """Otherwise a test that times out would leave processes behind."""
    code = "import os, time; print(os.getpid(), flush=True); time.sleep(60)"
    with subprocess.Popen(
        [processes.server().python, "-c", code], stdout=subprocess.PIPE
    ) as stand_in:
        pid = int(stand_in.stdout.readline())
        assert pid != stand_in.pid
        stand_in.kill()
        assert stand_in.stdout.read() == b""  # no process has the pipe open any more


def test_what_must_start_anew_does() -> None:
    program = [sys.executable, "-c", "import sys; print('tensorflow' in sys.modules)"]
    for arguments, environ in (
        (program, {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "0"}),
        ([sys.executable, "-W", "error", *program[1:]], None),
    ):
        with processes.Popen(arguments, env=environ, stdout=subprocess.PIPE) as process:
            assert not forked(process)
            assert process.stdout.read() == b"False\n"
    words = subprocess.check_output([processes.server().python, "-V"], text=True)
    assert words == f"Python {sys.version.split()[0]}\n"


def test_isolated_it_has_no_keras(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(
        "import sys, tensorflow as tf\n"
        "print(sys.argv[1:], {'keras', 'textapps'} & set(sys.modules), sys.path[0])\n"
        "print(int(tf.reduce_sum(tf.ones(3))))"
    )
    program = [processes.server().python, "-I", script, "a"]
    seen, three = subprocess.check_output(program, text=True).splitlines()
    assert seen.startswith("['a'] set() ")
    assert str(tmp_path) not in seen
    assert three == "3"
    seen = processes.run([sys.executable, script], keras=False, capture_output=True).stdout
    assert seen.decode().startswith(f"[] set() {tmp_path}\n")


def test_programs_for_a_shell(tmp_path: Path) -> None:
    path = os.pathsep.join([str(processes.server().programs), os.environ["PATH"]])
    line = "textapps --version | cat - <(python -c 'import keras; print(keras.__name__)'); cd /x"
    done = subprocess.run(
        ["bash", "-c", line], env={**os.environ, "PATH": path}, capture_output=True, text=True
    )
    assert done.stdout.splitlines()[0].startswith("textapps ")
    assert done.stdout.splitlines()[1] == "keras"
    assert done.returncode == 1
