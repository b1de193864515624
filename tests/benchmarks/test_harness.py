"""The command line, the processes, the turns of sides, and trainings that are found again."""

import doctest
import json
import re
import shlex
import subprocess
import sys
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks import __main__ as command_line
from benchmarks import processes, trainings
from benchmarks.benchmark import SUITES, parsed
from benchmarks.results import Results
from benchmarks.sides import Side, interleave, opened, rates
from benchmarks.suites.accuracy import Accuracy, prepare
from textapps.core.errors import RunError
from textapps.tasks.sentiment.config import PRESETS
from textapps.training.checkpoint import CheckpointStore, TrainingState
from textapps.training.run_directory import RunDirectory

ROOT = Path(__file__).parent.parent.parent


def commands() -> set[str]:
    """Every command line of a benchmark that a result or a page names."""
    results = Results()
    found = {(results.read(name) or {})["command"] for name in results.names()}
    names = ("README.md", "CONTRIBUTING.md", "benchmarks/README.md", "Makefile")
    for file in (*(ROOT / name for name in names), *(ROOT / "docs").rglob("*.md")):
        for line in re.findall(r"python -m benchmarks[^`\n#|]*", file.read_text(encoding="utf-8")):
            found.add(" ".join(line.split()))
    return found


@pytest.mark.parametrize("line", sorted(commands()))
def test_every_command_that_is_named_is_one(line: str) -> None:
    """Its options too: argparse leaves by SystemExit where one is unknown."""
    words = shlex.split(line.removeprefix("python -m "))
    assert words[0] == "benchmarks", f"it is python -m benchmarks NAME, not {line}"
    if len(words) == 1 or words[1] in ("page", "NAME"):
        return
    benchmark, _ = parsed([word for word in words[1:] if word != "--help"])
    if isinstance(benchmark, Accuracy):
        assert [benchmark.result_of(case) for case in benchmark.selected()]


def selected(*words: str) -> list[str]:
    benchmark, _ = parsed(words)
    assert isinstance(benchmark, Accuracy)
    return [benchmark.result_of(case) for case in benchmark.selected()]


def test_options_choose_cases_of_the_table() -> None:
    kinds = ("gru", "lstm", "transformer", "simple_rnn")
    assert selected("translate") == [f"translate-small-{kind}" for kind in kinds]
    assert selected("translate", "--preset", "base") == ["translate-base-transformer"]
    given = ("--attention", "none", "multi-head", "--backbone", "gru")
    assert selected("translate", *given) == ["translate-small-gru-none", "translate-small-gru"]
    both = [f"translate-tatoeba-{way}-small-transformer" for way in ("en-es", "es-en")]
    assert selected("tatoeba") == both
    assert selected("tatoeba", "--way", "es-en") == both[1:]
    given = ("--vocabulary", "open", "--streaming")
    assert selected("speech", *given) == ["speech-open-small-gru-streaming"]
    assert selected("speech", "--preset", "base") == ["speech-closed-base-gru"]
    assert selected("sentiment", "--preset", "tiny", "--backbone", "lstm") == [
        "sentiment-tiny-lstm"
    ]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["sentimental"], "unknown benchmark 'sentimental', .*did you mean 'sentiment'"),
        (["sentiment", "--set", "training.epochs=1"], "2"),  # among the results of the page
        (["search", "--rounds", "few"], "2"),
        (["search", "--no-such-option"], "2"),
        (["speech", "--again"], "speech needs --data"),
        (["translate", "--data", ".", "--attention", "nune"], "unknown attention 'nune'"),
        (["sentiment", "--preset", "tiny"], "name a --backbone"),
    ],
)
def test_a_wrong_option_is_one_line(words: list[str], message: str, tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match=message):
        command_line.main(words)


@pytest.mark.parametrize(
    "name", ["page", "results", "suites.distributed", "suites.served", "counterparts.keras_recipe"]
)
def test_examples_of_docstrings(name: str) -> None:
    found = doctest.testmod(import_module(f"benchmarks.{name}"))
    assert found.attempted
    assert not found.failed


def test_the_list_has_every_benchmark(capsys: pytest.CaptureFixture[str]) -> None:
    command_line.main([])
    printed = capsys.readouterr().out
    assert all(f"\n{name} " in printed for name in SUITES)


def test_all_sides_have_their_turn_in_every_round() -> None:
    order = []

    def side(name: str) -> Callable[[int], str]:
        return lambda case: order.append((name, case)) or f"{name}{case}"

    found = interleave({"a": side("a"), "b": side("b")}, [3, 7], 2)
    assert order == [("a", 3), ("b", 3), ("a", 7), ("b", 7)] * 2
    assert found == [{"a": ["a3"] * 2, "b": ["b3"] * 2}, {"a": ["a7"] * 2, "b": ["b7"] * 2}]
    assert rates([0.5, 0.25, 0.2], 100, 1) == {
        "median_per_second": 400.0,
        "least_per_second": 200.0,
        "most_per_second": 500.0,
    }


def doubling(plus: int) -> Callable[[int], int]:
    """A side: what it prints is no answer."""

    def ask(question: int) -> int:
        print("a library talks")
        return 2 * question + plus

    return ask


def needs_pytorch(plus: int) -> Any:
    """A side without the library that it needs."""
    raise ModuleNotFoundError("No module named 'torch'", name="torch")


def test_a_side_answers_in_a_process_of_its_own(capsys: pytest.CaptureFixture[str]) -> None:
    functions = {name: f"{__name__}:{name}" for name in ("doubling", "needs_pytorch")}
    assert __name__ == "tests.benchmarks.test_harness"
    with opened(functions, plus=5) as (sides, left_out):
        assert [sides["doubling"](number) for number in (1, 10)] == [7, 25]
    assert list(sides) == ["doubling"]
    assert "PyTorch is not installed" in left_out["needs_pytorch"]
    assert "needs_pytorch is left out: PyTorch" in capsys.readouterr().err


def test_a_side_that_fails_is_raised() -> None:
    with pytest.raises(subprocess.CalledProcessError):
        Side("benchmarks.sides:nothing", {})


def test_a_process_is_measured() -> None:
    # From a process of its own: what the parent holds counts as its child's.
    script = f"""
import sys
from benchmarks import __main__, processes
from benchmarks.benchmark import load
for name in ("sentiment", "startup", "time-to-accuracy", "batch-inference"):
    load(name)
assert "tensorflow" not in sys.modules
for code in ("import time; time.sleep(0.2); print(7)", "print(len(b'x' * {200 << 20}))"):
    done = processes.run([sys.executable, "-c", code])
    print(done.stdout.strip(), done.seconds >= 0.2, done.peak_memory_mb >= 200)
"""
    found = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True)
    assert found.returncode == 0, found.stderr
    small, large = (line.split() for line in found.stdout.splitlines())
    assert small == ["7", "True", "False"]
    assert large[::2] == [str(200 << 20), "True"]


def test_the_failure_of_a_process_is_raised() -> None:
    with pytest.raises(subprocess.CalledProcessError):
        processes.run([sys.executable, "-c", "raise SystemExit(3)"])


def test_a_started_process_has_its_environment_and_cores() -> None:
    code = "import os; assert os.environ['ANSWER'] == '7'; os._exit(len(os.sched_getaffinity(0)))"
    command = [sys.executable, "-c", code]
    assert processes.start(command, environ={"ANSWER": "7"}, cores=[0]).wait() == 1


def test_a_result_is_written_with_its_command(results: Results) -> None:
    words = ["speech", "--data", "/home/me/clips", "--again"]
    path = results.write("speech-x", {"a": 1}, words, {"cores": 3})
    assert json.loads(path.read_text()) == {
        "benchmark": "speech-x",
        "a": 1,
        "command": "python -m benchmarks speech --data clips --again",
        "machine": {"cores": 3},
    }
    assert results.names() == ["speech-x"]
    assert results.read("speech-y") is None


def begun(work: Path, outcome: str) -> Path:
    """A run as a `train` has left it: finished, stopped, or killed before its first checkpoint."""
    run = RunDirectory.create(work, "sentiment", "gru", PRESETS.resolve(flags={"preset": "tiny"}))
    if outcome != "killed":
        stopped_by = "epochs" if outcome == "finished" else None
        state = TrainingState(step=3, steps_per_pass=3, stopped_by=stopped_by)
        record = {"key": "model/00000", "name": "w", "shape": [2], "dtype": "float32"}
        arrays = {"model/00000": np.zeros(2)}
        CheckpointStore(run.checkpoints).save(state, arrays, [{**record, "average": None}])
    return run.path


@pytest.mark.parametrize(
    ("first", "epochs", "again", "second"),
    [
        ("finished", "2", False, "none"),
        ("finished", "3", False, "train"),
        ("finished", "2", True, "train"),
        ("stopped", "2", False, "resume"),
        ("stopped", "3", False, "train"),
        ("killed", "2", False, "train"),
    ],
)
def test_a_training_is_found_resumed_or_begun_again(
    first: str,
    epochs: str,
    again: bool,
    second: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    outcomes, made, asked = [first, "finished"], list[Path](), list[list[str]]()

    def run(command: list[str]) -> processes.Finished:
        asked.append(command[3:])
        made.append(begun(tmp_path, outcomes.pop(0)))
        return processes.Finished("", 12.34, 20.0, 987)

    def training(epochs: str) -> trainings.Training:
        changes = {"training.epochs": epochs}
        return trainings.Training("sentiment", "tiny", ("--data", "sample"), "gru", changes)

    monkeypatch.setattr(processes, "run", run)
    cost = {"wall_seconds": 12.3, "cpu_seconds": 20.0, "peak_memory_mb": 987}
    if first == "finished":
        assert training("2").finished(tmp_path)[1] == cost
    else:
        with pytest.raises(RunError, match="no finished run"):
            training("2").finished(tmp_path)
    found, taken = training(epochs).finished(tmp_path, again=again)
    assert found.path == made[-1]
    train = ["--preset", "tiny", "--backbone", "gru", "--data", "sample"]
    expected = {
        "none": [],
        "train": [[*train, "--set", f"training.epochs={epochs}", "--models-dir", str(tmp_path)]],
        "resume": [["--resume", str(made[0])]],
    }
    assert asked[1:] == expected[second]
    kept = second == "resume" or first == "killed"
    assert len(RunDirectory.all(tmp_path, "sentiment")) == 1 + kept
    unknown = {"wall_seconds": None, "cpu_seconds": None}
    assert taken == (cost | unknown if second == "resume" else cost)


def test_tatoeba_is_split_so_that_nothing_evaluated_is_known(tmp_path: Path) -> None:
    pairs = [(f"sentence {n}", f"frase {n % 230}") for n in range(300)]
    pairs += [(f"sentence {n}", f"otra {n}") for n in range(0, 300, 2)]
    source = tmp_path / "pairs.tsv"
    source.write_text("".join(f"{a}\t{b}\n" for a, b in pairs), encoding="utf-8")
    paths = prepare(source, tmp_path / "made", held_out=11)
    train, validation, test = (
        [tuple(line.split("\t")) for line in path.read_text(encoding="utf-8").splitlines()]
        for path in paths
    )
    assert len(validation) == len(test) == 11
    assert len(train) > 300
    assert {*train, *validation, *test} <= set(pairs)
    english, spanish = (set(side) for side in zip(*train, strict=True))
    for rows in (validation, test):
        evaluated, answers = (list(side) for side in zip(*rows, strict=True))
        assert english.isdisjoint(evaluated)
        assert spanish.isdisjoint(answers)
        assert len(set(evaluated)) == len(set(answers)) == 11
    order = [pairs.index(row) for row in test]
    assert order != sorted(order)  # not the first ones of the file
    source.unlink()
    assert prepare(source, tmp_path / "made") == paths  # not made again
