"""Tests of the root command: errors as one line, exit codes, interruption, quiet TensorFlow."""

import errno
import logging
import os
import subprocess
import sys
import types
from collections.abc import Callable
from pathlib import Path

import click
import pytest
from click.testing import Result

from textapps import TASKS, __version__
from textapps.cli import console, main
from textapps.cli.options import talk_options
from textapps.cli.tensorflow_start import UNUSED
from textapps.core.errors import ConfigurationError, DataError, DivergedError, RunError
from textapps.tasks.registry import get_about
from textapps.training.interruption import TrainingTerminated

Cli = Callable[..., Result]


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch) -> Callable[[click.Command], None]:
    """Puts a command of the test's own beside the real ones, as `try`."""

    def add(command: click.Command) -> None:
        monkeypatch.setitem(sys.modules, "trial", types.SimpleNamespace(command=command))
        monkeypatch.setitem(main.COMMANDS, "try", ("trial:command", "A trial."))

    return add


class ResourceExhaustedError(Exception):
    """Named as TensorFlow's."""


class InterruptedWithAdvice(KeyboardInterrupt):
    """As training raises it."""


@pytest.mark.parametrize(
    ("error", "line", "code"),
    [
        (ConfigurationError("wrong"), "error: wrong", 2),
        (DataError("no\n  such\r\nfile"), "error: no such file", 3),
        (DivergedError("nan"), "error: nan", 4),
        (RunError("locked"), "error: locked", 1),
        (
            OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "models/x"),
            "error: models/x: No space left on device: free some space",
            1,
        ),
        (
            PermissionError(errno.EACCES, os.strerror(errno.EACCES), "models"),
            "error: models: Permission denied: check its permissions",
            1,
        ),
        (OSError(errno.EIO, "Input/output error"), "error: Input/output error", 1),
        (MemoryError(), "error: out of memory: try a smaller --batch-size or --preset", 1),
        (
            ResourceExhaustedError("OOM when allocating tensor"),
            "error: out of memory: try a smaller --batch-size or --preset",
            1,
        ),
        (
            ResourceExhaustedError("x.npz; No space left on device"),
            "error: No space left on device: free some space",
            1,
        ),
        (
            EOFError("file ended"),
            "error: internal error: EOFError: file ended "
            "(run with TEXTAPPS_DEBUG=1 for the traceback)",
            1,
        ),
        (KeyboardInterrupt(), "interrupted", 130),
        (InterruptedWithAdvice("saved; resume by …"), "saved; resume by …", 130),
        (TrainingTerminated("saved; resume by …"), "saved; resume by …", 143),
        (click.Abort(), "interrupted", 130),
        (click.UsageError("One text at least."), "error: one text at least", 2),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, BaseException) else None,
)
def test_every_error_is_one_line(
    cli: Cli, command: Callable[..., None], error: BaseException, line: str, code: int
) -> None:
    @click.command("try")
    def fail() -> None:
        raise error

    command(fail)
    result = cli("try")
    assert result.stderr.removesuffix(" (see 'textapps try --help')\n").rstrip("\n") == line
    assert result.stderr.count("\n") == 1
    assert result.stdout == ""
    assert result.exit_code == code


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (
            ["rusn"],
            f"error: unknown command 'rusn', choose from {', '.join([*TASKS, *main.COMMANDS])}; "
            "did you mean 'runs'? (see 'textapps --help')",
        ),
        (
            ["runs", "--jsn"],
            "error: unknown option '--jsn', did you mean '--json'? (see 'textapps runs --help')",
        ),
        (
            ["runs", "--task", "sentimant"],
            "error: invalid value for '--task': unknown task 'sentimant', "
            f"choose from {', '.join(TASKS)}; "
            "did you mean 'sentiment'? (see 'textapps runs --help')",
        ),
        (
            ["runs", "now"],
            "error: got unexpected extra argument (now) (see 'textapps runs --help')",
        ),
        (["-q"], "error: missing command (see 'textapps --help')"),
    ],
)
def test_wrong_usage_is_one_line_with_a_suggestion(
    cli: Cli, arguments: list[str], line: str
) -> None:
    result = cli(*arguments)
    assert result.stderr == line + "\n"
    assert (result.exit_code, result.stdout) == (2, "")


def test_without_arguments_it_shows_the_help(cli: Cli) -> None:
    result = cli()
    assert result.exit_code == 2
    assert "Usage: textapps" in result.stderr
    lines = [get_about(task).group.text.splitlines()[0] for task in TASKS]
    lines += [line for _, line in main.COMMANDS.values()]
    assert all(line in result.stderr for line in lines)


def test_version(cli: Cli) -> None:
    assert cli("--version").stdout == f"textapps {__version__}\n"


@pytest.mark.parametrize("where", ["root", "command", "environment"])
def test_debug_shows_the_traceback(
    cli: Cli, command: Callable[..., None], monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    @click.command("try")
    @talk_options
    def fail() -> None:
        raise RuntimeError("surprise")

    command(fail)
    if where == "environment":
        monkeypatch.setenv("TEXTAPPS_DEBUG", "1")
    calls = {"root": ["--debug", "try"], "command": ["try", "--debug"], "environment": ["try"]}
    result = cli(*calls[where])
    assert "Traceback (most recent call last)" in result.stderr
    assert "error: internal error: RuntimeError: surprise" in result.stderr.splitlines()[-1]


@pytest.mark.parametrize(
    ("option", "lines"),
    [
        (None, ["talk", "warning: careful", "error: bad"]),
        ("-v", ["talk", "detail", "warning: careful", "error: bad"]),
        ("-q", ["error: bad"]),
    ],
)
@pytest.mark.parametrize("place", ["before", "after"])
def test_verbose_and_quiet(
    cli: Cli, command: Callable[..., None], option: str | None, lines: list[str], place: str
) -> None:
    @click.command("try")
    @talk_options
    def talk() -> None:
        console.say("talk")
        logging.getLogger("textapps.some.room").info("detail")
        logging.getLogger("textapps").warning("careful")
        logging.getLogger("textapps").error("bad")
        click.echo("answer")

    command(talk)
    options = [option] if option else []
    result = cli(*options, "try") if place == "before" else cli("try", *options)
    assert result.stderr.splitlines() == lines
    assert result.stdout == "answer\n"


@pytest.mark.parametrize(("value", "color"), [("1", False), ("", None)])
def test_no_color(
    cli: Cli,
    command: Callable[..., None],
    monkeypatch: pytest.MonkeyPatch,
    value: str,
    color: bool | None,
) -> None:
    @click.command("try")
    def show() -> None:
        click.echo(repr(click.get_current_context().color))

    command(show)
    monkeypatch.setenv("NO_COLOR", value)
    assert cli("try").stdout == f"{color}\n"


SCRIPT = """
import sys, types, click
from textapps.cli import main
@click.command("try")
def command():
{body}
sys.modules["trial"] = types.SimpleNamespace(command=command)
main.COMMANDS["try"] = ("trial:command", "A trial.")
sys.argv = ["textapps", "try"]
main.main()
"""


def run_script(body: str, **kwargs: object) -> subprocess.CompletedProcess[str]:
    lines = "".join(f"    {line}\n" for line in body.splitlines())
    return subprocess.run(
        [sys.executable, "-c", SCRIPT.format(body=lines)], text=True, timeout=120, **kwargs
    )


def test_a_reader_that_goes_away_is_no_error() -> None:
    read, write = os.pipe()
    os.close(read)
    for body in ("for i in range(100_000): print(i)", "print('short')"):
        result = run_script(body, stdout=write, stderr=subprocess.PIPE)
        assert (result.returncode, result.stderr) == (0, "")
    os.close(write)


def test_interrupting_the_process_exits_130() -> None:
    body = (
        "import os, signal, time\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"  # a shell may have it ignored
        "os.kill(os.getpid(), signal.SIGINT)\n"
        "time.sleep(60)"
    )
    result = run_script(body, capture_output=True)
    assert (result.returncode, result.stdout, result.stderr) == (130, "", "interrupted\n")


def test_what_the_terminal_cannot_show_is_escaped() -> None:
    body = "print('caf\\u00e9 \\udcff')"
    environ = {**os.environ, "PYTHONIOENCODING": "ascii"}
    result = run_script(body, capture_output=True, env=environ)
    assert (result.stdout, result.stderr) == ("caf\\xe9 \\udcff\n", "")


@pytest.mark.slow
@pytest.mark.parametrize("first", ["keras", "tensorflow"])
def test_tensorflow_starts_without_a_word_and_without_what_no_command_uses(first: str) -> None:
    """The second time after it has been looked for."""
    body = "import importlib.util, warnings\n"
    if first == "tensorflow":
        body += "assert importlib.util.find_spec('tensorflow') is not None\n"
    body += f"import {first}\nimport keras, tensorflow as tf\n"
    body += f"print([name for name in {UNUSED} if name in sys.modules])\n"
    body += "print(float(keras.ops.sum(tf.ones(3))))\n"
    body += "warnings.warn('advice')\nprint('talk', file=sys.stderr)\n"
    body += "import matplotlib.pyplot, scipy.stats, sklearn.metrics\nprint('found')"
    environ = {name: os.environ[name] for name in os.environ if not name.startswith("TF_CPP")}
    result = run_script(body, capture_output=True, env=environ | {"KERAS_BACKEND": "jax"})
    assert (result.returncode, result.stdout) == (0, "[]\n3.0\nfound\n"), result.stderr
    assert result.stderr == "talk\n"


def test_a_tensorflow_that_cannot_start_says_why(tmp_path) -> None:
    (tmp_path / "tensorflow.py").write_text(
        "import os\nos.write(2, b'from the depth\\n')\nraise ImportError('no such processor')\n"
    )
    environ = {name: os.environ[name] for name in os.environ if not name.startswith("TF_CPP")}
    environ["PYTHONPATH"] = str(tmp_path)
    result = run_script("import tensorflow", capture_output=True, env=environ)
    assert result.stderr.splitlines() == [
        "from the depth",
        "error: internal error: ImportError: no such processor "
        "(run with TEXTAPPS_DEBUG=1 for the traceback)",
    ]
    assert result.returncode == 1


@pytest.mark.parametrize(
    ("task", "inputs", "threads", "expected"),
    [
        ("sentiment", 8, None, "1"),
        ("sentiment", 9, None, None),
        ("sentiment", 1, "3", "3"),
        ("sentiment", "file", None, None),
        ("translate", 9, None, "1"),  # many are in batches, each in a thread
        ("translate", "file", None, "1"),
    ],
)
def test_few_inputs_are_computed_in_one_thread(
    cli: Callable[..., Result],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    task: str,
    inputs: int | str,
    threads: str | None,
    expected: str | None,
) -> None:
    variable = "TF_NUM_INTRAOP_THREADS"
    monkeypatch.setenv(variable, threads or "")
    if threads is None:
        monkeypatch.delenv(variable)
    (tmp_path / "texts.txt").write_text("a film\n")
    given = ["--input", str(tmp_path / "texts.txt")] if inputs == "file" else ["a"] * inputs
    result = cli(task, "predict", *given, "--models-dir", str(tmp_path))
    assert "no finished run" in result.stderr  # it is looked for after that
    assert os.environ.get(variable) == expected
