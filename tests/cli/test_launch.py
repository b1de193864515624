"""`textapps launch`, with scripts in the place of trainings, and once with a real one."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

from textapps.cli.commands import launch
from textapps.training.checkpoint import CheckpointStore
from textapps.training.run_directory import RunDirectory

Cli = Callable[..., Result]
HEAD = """
import json, os, signal, sys, time
config = json.loads(os.environ["TF_CONFIG"])
worker = config["task"]["index"]
def say(text): print(text, file=sys.stderr, flush=True)
"""


@pytest.fixture
def workers(monkeypatch: pytest.MonkeyPatch, cli: Cli) -> Callable[[str, int], Result]:
    """Runs `launch` with this script as each worker."""

    def run(script: str, count: int = 2) -> Result:
        monkeypatch.setattr(launch, "PROGRAM", (sys.executable, "-c", HEAD + script))
        return cli("launch", "--workers", str(count), "--", "sentiment", "train", "--epochs", "3")

    return run


Workers = Callable[..., Result]


def test_each_worker_has_its_place_and_its_prefix(workers: Workers) -> None:
    result = workers(
        "say(json.dumps([config, sys.argv[1:], os.environ['TF_NUM_INTRAOP_THREADS']]))\n"
        "say('a'); sys.stderr.write('no end')",
        3,
    )
    assert result.exit_code == 0
    lines = result.stderr.splitlines()
    assert sorted(line for line in lines if "cluster" not in line) == sorted(
        f"[{i}] {text}" for i in range(3) for text in ("a", "no end")
    )
    found = sorted((line[:4], *json.loads(line[4:])) for line in lines if "cluster" in line)
    hosts = found[0][1]["cluster"]["worker"]
    assert len(set(hosts)) == 3
    threads = str(max(1, len(os.sched_getaffinity(0)) // 3))
    for index, (prefix, config, arguments, given) in enumerate(found):
        assert prefix == f"[{index}] "
        task = {"type": "worker", "index": index}
        assert config == {"cluster": {"worker": hosts}, "task": task}
        assert arguments == ["sentiment", "train", "--epochs", "3"]
        assert given == threads or "TF_NUM_INTRAOP_THREADS" in os.environ


@pytest.mark.parametrize(
    ("death", "code"), [("sys.exit(3)", 3), ("os.kill(os.getpid(), signal.SIGKILL)", 137)]
)
def test_one_that_fails_stops_the_others(workers: Workers, death: str, code: int) -> None:
    began_at = time.monotonic()
    result = workers(f"if worker == 1: {death}\ntime.sleep(100)")
    assert result.exit_code == code
    assert time.monotonic() - began_at < launch.GRACE_SECONDS


def test_one_that_does_not_want_to_stop_is_killed(
    workers: Workers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(launch, "GRACE_SECONDS", 0.5)
    script = (
        "if worker == 0:\n  signal.signal(signal.SIGTERM, signal.SIG_IGN); say('deaf')\n"
        "else:\n  time.sleep(0.5); sys.exit(4)\ntime.sleep(100)"
    )
    began_at = time.monotonic()
    assert workers(script).exit_code == 4
    assert time.monotonic() - began_at < 50


def test_one_that_is_done_early_is_waited_for(workers: Workers) -> None:
    result = workers("time.sleep(0.5 * worker); say('done')")
    assert result.exit_code == 0
    assert result.stderr.splitlines() == ["[0] done", "[1] done"]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_signals_are_passed_on(workers: Workers, number: signal.Signals, tmp_path: Path) -> None:
    ready = tmp_path / "ready"
    script = (
        "def stop(number, _): say(f'got {number}'); sys.exit(130)\n"
        "for each in (signal.SIGINT, signal.SIGTERM): signal.signal(each, stop)\n"
        f"open({str(ready)!r} + str(worker), 'w').close()\ntime.sleep(100)"
    )

    def interrupt() -> None:
        while len(list(tmp_path.iterdir())) < 2:
            time.sleep(0.05)
        os.kill(os.getpid(), number)

    before = signal.getsignal(number)
    threading.Thread(target=interrupt).start()
    result = workers(script)
    assert result.exit_code == 130
    assert sorted(result.stderr.splitlines()) == [f"[{i}] got {int(number)}" for i in range(2)]
    assert signal.getsignal(number) == before


def test_only_trainings_are_launched(cli: Cli) -> None:
    result = cli("launch", "--workers", "2", "--", "runs")
    assert result.exit_code == 2
    assert "launch starts trainings" in result.stderr


def test_a_training_of_two_workers(
    textapps: Callable[..., subprocess.CompletedProcess[str]], tmp_path: Path
) -> None:
    done = textapps(
        *("launch", "--workers", "2", "--", "sentiment", "train", "--data", "sample"),
        *("--preset", "tiny", "--epochs", "1", "--units", "8"),
        timeout=280,
    )
    assert done.returncode == 0, done.stderr
    (run,) = RunDirectory.all(tmp_path / "models")
    assert done.stdout == f"{Path('models') / 'sentiment' / run.name}\n"
    assert run.finished
    state = CheckpointStore(run.checkpoints).newest_state()
    assert state is not None
    assert any(line.startswith("[0] step") for line in done.stderr.splitlines())
    assert all(line.startswith("[") for line in done.stderr.splitlines())
    assert not any("val_loss" in line for line in done.stderr.splitlines() if line[1] == "1")
