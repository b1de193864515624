"""Benchmarks on tiny data: what they start as processes runs in this one, or is forked."""

import importlib
import json
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from benchmarks import __main__ as command_line
from benchmarks import processes, sides
from benchmarks.results import Figures, Results
from tests.benchmarks import forked
from textapps.training.seeding import seed_everything


@pytest.fixture
def results(tmp_path: Path) -> Results:
    """Where results go in this test, empty."""
    return Results(tmp_path / "docs" / "results")


def run_here(command: Sequence[str], *, quiet: bool = False) -> processes.Finished:
    """In the place of `processes.run`."""
    from textapps.cli.main import application

    if command[1] == "-m":
        importlib.import_module(command[2]).main(*command[3:])
        return processes.Finished("", 0.5, 0.25, 300)
    if command[0] != processes.TEXTAPPS:
        assert command[1:] == ["-c", "import tensorflow"]  # there it is already
        return processes.Finished("", 0.5, 0.25, 300)
    start, cpu = time.perf_counter(), time.process_time()
    done = CliRunner().invoke(application, command[1:])
    if done.exit_code:
        print(done.stderr)
        raise subprocess.CalledProcessError(done.exit_code, command, done.stdout, done.stderr)
    seconds, cpu_seconds = time.perf_counter() - start, time.process_time() - cpu
    return processes.Finished(done.stdout, seconds, cpu_seconds, 300)


class SideHere:
    """In the place of `sides.Side`."""

    def __init__(self, function: str, settings: Mapping[str, Any]) -> None:
        found = sides.resolved(function, json.loads(json.dumps(settings)))
        self.left_out = found if isinstance(found, str) else None
        self._answer = found

    def ask(self, question: Any) -> Any:
        assert callable(self._answer)
        return json.loads(json.dumps(self._answer(json.loads(json.dumps(question)))))

    def close(self) -> None:
        del self._answer


@pytest.fixture
def bench(
    results: Results, work: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., dict[str, Figures]]:
    """`bench("nbsvm", "--data", path)` runs a command; gives all of the results in this test."""
    monkeypatch.setattr(processes, "run", run_here)
    monkeypatch.setattr(processes, "start", forked.start)
    monkeypatch.setattr(sides, "Side", SideHere)
    monkeypatch.setenv("TF_NUM_INTRAOP_THREADS", "2")  # which sides change
    # That of TensorFlow would drop the subword models that other tests of this process hold.
    monkeypatch.setattr("keras.utils.set_random_seed", seed_everything)

    def run(*words: object) -> dict[str, Figures]:
        places = ["--work", str(work), "--results", str(results.folder)]
        command_line.main([*map(str, words), *places])
        return {name: results.read(name) or {} for name in results.names()}

    return run


@pytest.fixture
def eager() -> Iterator[None]:
    """A few steps of tiny models take less time than to trace them."""
    import tensorflow as tf

    tf.config.run_functions_eagerly(True)
    yield
    tf.config.run_functions_eagerly(False)


@pytest.fixture(scope="session")
def work(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where runs and exports go, for all tests."""
    return tmp_path_factory.mktemp("work")
