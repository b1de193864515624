"""Tests of `textapps serve` up to where the server begins."""

import os
import signal
import socket
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

from textapps.serving.settings import Settings

Cli = Callable[..., Result]


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What the server is called with; it ends by SIGTERM."""
    from textapps.serving import server

    calls: list[Any] = []

    def serve(*arguments: Any) -> int:
        calls.extend(arguments)
        return signal.SIGTERM

    monkeypatch.setattr(server, "serve", serve)
    monkeypatch.setattr(os, "_exit", sys.exit)
    return calls


def test_defaults(cli: Cli, served: list[Any]) -> None:
    result = cli("serve", "models/exported")
    directory, settings, log, _ = served
    assert directory == Path("models/exported")
    assert settings == Settings()
    assert settings.max_body_bytes == 16 * 2**20
    assert log is not None
    assert (result.exit_code, result.stdout, result.stderr) == (0, "", "stopped\n")


def test_a_server_goes_on_where_stderr_cannot_be_written(
    cli: Cli, served: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    from textapps.cli import console

    def fail(text: str) -> None:
        raise BrokenPipeError

    monkeypatch.setattr(console, "say", fail)
    assert cli("serve", "models/exported").exit_code == 0
    *_, say = served
    say("ready, serving sentiment 1")


def test_every_setting_is_an_option_or_internal() -> None:
    from textapps.cli.commands.serve import serve_command

    options = {option.name: option for option in serve_command.params}
    without = {"batch_all", "max_depth", "poll_seconds", "token"}
    assert Settings.model_fields.keys() - options.keys() == without
    for name, field in Settings.model_fields.items():
        if name in options and not options[name].multiple:
            assert options[name].default == field.default, name


def test_every_option(cli: Cli, served: list[Any], tmp_path: Path) -> None:
    (tmp_path / "token").write_text("  secret\n")
    cli(
        *("serve", "m", "--host", "0.0.0.0", "--port", "0", "--max-batch-size", "3"),
        *("--batch-timeout-ms", "1.5", "--max-queue", "7", "--deadline-ms", "250"),
        *("--max-body-mb", "0.5", "--token-file", str(tmp_path / "token")),
        *("--drain-seconds", "5", "--quiet", "--no-batching", "--batch", "a", "--batch", "b"),
        *("--max-call-megabytes", "9", "--max-answer-mb", "2", "--allowed-host", "x.example"),
        *("--cors-origin", "*", "--proxy-headers", "--write-timeout", "2.5"),
        *("--no-verify-files", "--ready", "all", "--log-inputs", "--grpc-port", "8500"),
        *("--versions", "2", "--no-compiled", "--intra-op-threads", "3"),
    )
    _, settings, log, _ = served
    assert settings.model_dump(exclude={"max_depth", "poll_seconds"}) == {
        "host": "0.0.0.0",
        "port": 0,
        "grpc_port": 8500,
        "versions": 2,
        "batching": False,
        "batch": ("a", "b"),
        "batch_all": False,
        "max_batch_size": 3,
        "batch_timeout_ms": 1.5,
        "max_queue": 7,
        "deadline_ms": 250.0,
        "max_body_mb": 0.5,
        "max_call_megabytes": 9.0,
        "max_answer_mb": 2.0,
        "token": "secret",
        "allowed_host": ("x.example",),
        "cors_origin": ("*",),
        "proxy_headers": True,
        "write_timeout": 2.5,
        "verify_files": False,
        "compiled": False,
        "intra_op_threads": 3,
        "ready": "all",
        "log_inputs": True,
        "drain_seconds": 5,
    }
    assert log is None


BATCHING = """
# as TensorFlow Serving has it
max_batch_size { value: 128 }
batch_timeout_micros { value: 1500 }
max_enqueued_batches: { value: 10 }
num_batch_threads { value: 4 }
allowed_batch_sizes: 32
allowed_batch_sizes: 128
pad_variable_length_inputs: true
"""


def test_a_batching_file(cli: Cli, served: list[Any], tmp_path: Path) -> None:
    (tmp_path / "batching").write_text(BATCHING)
    result = cli("serve", "m", "--batching-file", str(tmp_path / "batching"), "--max-queue", "5")
    settings = served[1]
    assert settings.batch_all
    assert (settings.max_batch_size, settings.batch_timeout_ms) == (128, 1.5)
    assert settings.max_queue == 5  # the option comes before the file, which says 1,280
    assert (
        "these do not matter here: num_batch_threads, allowed_batch_sizes, "
        "pad_variable_length_inputs" in result.stderr
    )


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("max_batch_size", "should hold keys like 'max_batch_size { value: 64 }', not 'max_batch"),
        ("max_batch_size { value: 0 }", "max_batch_size should be a whole number from 1 up, not"),
        ("batch_timeout_micros: -1", "batch_timeout_micros should be a whole number from 0 up"),
        ("max_batch_sise: 3", "unknown key 'max_batch_sise'"),
        ("{}", "should hold keys like"),
    ],
)
def test_a_batching_file_that_is_none(cli: Cli, tmp_path: Path, text: str, problem: str) -> None:
    (tmp_path / "batching").write_text(text)
    result = cli("serve", "m", "--batching-file", str(tmp_path / "batching"))
    assert problem in result.stderr
    assert (result.exit_code, result.stderr.count("\n")) == (2, 1)


@pytest.mark.parametrize(("in_file", "token"), [(None, "of-the-environment"), ("x\n", "x")])
def test_the_token(
    cli: Cli,
    served: list[Any],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    in_file: str | None,
    token: str,
) -> None:
    monkeypatch.setenv("TEXTAPPS_SERVE_TOKEN", "of-the-environment")
    options = []
    if in_file is not None:
        (tmp_path / "token").write_text(in_file)
        options = ["--token-file", str(tmp_path / "token")]
    cli("serve", "m", *options)
    assert served[1].token == token


@pytest.mark.parametrize("content", [b"", b"\n", b"two words", "käse".encode(), b"\xff", b"a\x00b"])
def test_a_token_of_no_use(cli: Cli, tmp_path: Path, content: bytes) -> None:
    (tmp_path / "token").write_bytes(content)
    result = cli("serve", "m", "--token-file", str(tmp_path / "token"))
    assert result.exit_code == 2
    assert result.stderr.startswith(f"error: the token in {tmp_path / 'token'} should be printable")
    assert result.stderr.count("\n") == 1


@pytest.mark.parametrize("value", ["", " ", "two words", "a\nb"])
def test_a_token_of_no_use_in_the_environment(
    cli: Cli, monkeypatch: pytest.MonkeyPatch, value: str
) -> None:
    monkeypatch.setenv("TEXTAPPS_SERVE_TOKEN", value)
    result = cli("serve", "m")
    assert result.exit_code == 2
    assert result.stderr.startswith("error: the token in TEXTAPPS_SERVE_TOKEN should be printable")


def test_ctrl_c(cli: Cli, served: list[Any], monkeypatch: pytest.MonkeyPatch) -> None:
    from textapps.serving import server

    monkeypatch.setattr(server, "serve", lambda *arguments: signal.SIGINT)
    assert cli("serve", "m").exit_code == 130


@pytest.mark.parametrize(
    ("arguments", "problem", "code"),
    [
        (["serve"], "give either DIR", 2),
        (["serve", "m", "--port", "70000"], "invalid value for '--port'", 2),
        (["serve", "m", "--max-batch-size", "0"], "invalid value for '--max-batch-size'", 2),
        (["serve", "m", "--deadline-ms", "0"], "invalid value for '--deadline-ms'", 2),
        (["serve", "m", "--token-file", "nowhere"], "invalid value for '--token-file'", 2),
        (["serve", "nowhere", "--port", "0"], "there is no directory nowhere", 3),
        (["serve", ".", "--host", "no.such.host.invalid"], "cannot listen on host 'no.such", 1),
    ],
)
def test_what_cannot_be_served(
    cli: Cli,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    arguments: list[str],
    problem: str,
    code: int,
) -> None:
    monkeypatch.chdir(tmp_path)
    result = cli(*arguments)
    assert result.stderr.startswith(f"error: {problem}")
    assert (result.stderr.count("\n"), result.exit_code, result.stdout) == (1, code, "")


def test_a_port_that_is_taken(cli: Cli, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        result = cli("serve", str(tmp_path), "--port", str(port))
    assert result.stderr == (
        f"error: cannot listen on 127.0.0.1:{port}: the port is taken; choose another by --port, "
        "0 for any free one\n"
    )
    assert result.exit_code == 1


def test_a_port_for_grpc_that_is_taken(cli: Cli, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        result = cli("serve", str(tmp_path), "--port", "0", "--grpc-port", str(port))
    assert result.stderr == (
        f"error: cannot listen on 127.0.0.1:{port}: the port is taken; choose another by "
        "--grpc-port, 0 for no gRPC\n"
    )
    assert result.exit_code == 1


@pytest.mark.parametrize(
    "package",
    ["grpc_health", "httptools", "orjson", "prometheus_client", "starlette", "uvicorn"],
)
def test_without_the_extra(cli: Cli, monkeypatch: pytest.MonkeyPatch, package: str) -> None:
    # What is imported before, and only that, is there again for the next test. Otherwise modules
    # made below would stay, whose classes are not those that were imported first.
    import textapps.cli.commands.serve
    import textapps.serving.server

    monkeypatch.setattr(textapps, "serving", textapps.serving)
    for name in list(sys.modules):
        if name.startswith(("textapps.serving", "uvicorn", package)):
            monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, package, None)
    result = cli("serve", "m", "--grpc-port", "8500")
    assert result.stderr == (
        f"error: serving needs {package}, which is not installed: pip install 'textapps[serve]'\n"
    )
    assert result.exit_code == 1
