"""What the benchmarks make of what they have measured; nothing is measured here."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks import child, results, results_page, sentiment, startup, time_to_accuracy, training
from textapps.core.errors import RunError
from textapps.tasks.sentiment.config import PRESETS
from textapps.training.checkpoint import CheckpointStore, TrainingState
from textapps.training.run_directory import RunDirectory

ROOT = Path(__file__).parent.parent


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where results go in this test, empty."""
    path = tmp_path / "docs" / "results"
    monkeypatch.setattr(results, "RESULTS", path)
    return path


def network(accuracy: float) -> dict[str, Any]:
    comparison = {
        "test_examples": 7,
        "accuracy": accuracy,
        "baseline_accuracy": 0.5,
        "difference": accuracy - 0.5,
        "low": -0.0125,
        "high": 0.25,
        "p_value": 0.0,
    }
    return {
        "metrics": {
            "accuracy": accuracy,
            "accuracy_low": 0.6,
            "accuracy_high": 0.7,
            "auc": 0.8765,
            "log_loss": 0.4,
            "calibration_error": 0.05,
        },
        "parameters": 1234567,
        "passes": 3.9,
        "training_seconds": 321.4,
        "wall_seconds": None,
        "peak_memory_mb": 1789,
        "test_texts_also_in_training": 123,
        "against_baseline": comparison,
        "against_baseline_without_them": {**comparison, "p_value": 0.0321},
    }


def row_of(page: str, start: str, section: str) -> str:
    lines = page.partition(f"## {section}")[2].splitlines()
    return next(line for line in lines if line.startswith(f"| {start}"))


def test_without_results_every_figure_is_said_to_be_missing(folder: Path) -> None:
    page = results_page.render()
    for kind in results_page.BACKBONES:
        name = f"`{kind}`, preset `small`"
        assert row_of(page, name, "Accuracy").startswith(f"| {name} | not measured |")
    assert row_of(page, "preset `base`", "Against").count("not measured") == 1
    assert row_of(page, "NB-SVM", "What training takes").count("not measured") == 2
    assert "Seconds to 86 %: not measured." in page
    assert "Seconds: not measured." in page


def test_what_was_measured_stands_on_the_page(folder: Path) -> None:
    results.write_result("sentiment-small-lstm", network(0.65432))
    results.write_result("sentiment-base-gru", network(0.62))
    page = results_page.render()
    lstm = "`lstm`, preset `small`"
    assert row_of(page, lstm, "Accuracy") == (
        f"| {lstm} | **65.43** (60.00 to 70.00) | 0.8765 | 0.400 | 0.050 | 1,234,567 |"
    )
    assert row_of(page, lstm, "Against") == (
        f"| {lstm} | 65.43 % | 50.00 % | +15.43 (-1.25 to +25.00) | < 0.0001 |"
    )
    assert row_of(page, f"{lstm}, without", "Against").endswith("| 0.0321 |")
    assert row_of(page, lstm, "What") == f"| {lstm} | 3.9 | 321 | not measured | 1,789 |"
    assert "Of the test reviews, 123 stand" in page
    assert "**62.00**" in row_of(page, "`gru`, preset `base`", "Accuracy")
    assert "preset `base` |" in page
    assert "`lstm`, preset `base`" not in page
    assert "[sentiment-base-gru](results/sentiment-base-gru.json)" in page


def test_the_page_is_written_beside_the_results(folder: Path) -> None:
    results.write_result("sentiment-small-gru", network(0.61))
    path = results_page.write()
    assert path == folder.parent / "results.md"
    assert path.read_text(encoding="utf-8") == results_page.render()


def test_the_page_in_the_documentation_is_that_of_its_results() -> None:
    page = (results.RESULTS.parent / "results.md").read_text(encoding="utf-8")
    assert page == results_page.render(), "run python -m benchmarks.results_page"


def rows(*accuracies: float) -> list[dict[str, float]]:
    return [
        {"step": 50 * i, "seconds": 10.0 * i, "val_accuracy": accuracy}
        for i, accuracy in enumerate(accuracies, 1)
    ]


def test_the_first_validation_at_the_target_counts() -> None:
    found = time_to_accuracy.reached(rows(0.5, 0.86, 0.4, 0.9), 0.86)
    assert found == {"reached": True, "step": 100, "seconds": 20.0, "val_accuracy": 0.86}
    assert not time_to_accuracy.reached(rows(0.5, 0.85), 0.86)["reached"]
    assert not time_to_accuracy.reached([], 0.86)["reached"]


def test_ratio_of_medians_over_repeats(folder: Path) -> None:
    sides = {
        "keras_recipe": [rows(0, 0, 0, 0, 0, 0.9), rows(0, 0, 0, 0.9), rows(0, 0, 0, 0, 0.9)],
        "gru": [rows(0.9), rows(0, 0.9), rows(0, 0.9)],
        "lstm": [rows(0.9), rows(0.9), rows(0.1, 0.2, 0.3)],
    }
    found = time_to_accuracy.summary(sides, 0.86)
    assert found["sides"]["keras_recipe"]["median_seconds"] == 50
    assert found["recipe_takes_times_as_long"] == {"gru": 2.5, "lstm": None}
    assert found["ratio_is_a_lower_bound"] is False
    results.write_result("time-to-accuracy", {"preset": "small", **found})
    page = results_page.render()
    gru = row_of(page, "`gru`", "Time to an accuracy")
    assert gru == "| `gru`, preset `small` | 20 | 10, 20, 20 | 2.5 × |"
    lstm = row_of(page, "`lstm`", "Time to an accuracy")
    assert lstm == "| `lstm`, preset `small` | 10 | 10, 10, 30 (not reached) | not reached |"


def test_a_recipe_that_gave_up_bounds_the_ratio_from_below(folder: Path) -> None:
    sides = {"keras_recipe": [rows(0.5, 0.6, 0.7)], "gru": [rows(0.5, 0.9)]}
    found = time_to_accuracy.summary(sides, 0.86)
    assert found["ratio_is_a_lower_bound"] is True
    assert found["recipe_takes_times_as_long"] == {"gru": 1.5}
    results.write_result("time-to-accuracy", {"preset": "small", **found})
    assert row_of(results_page.render(), "`gru`", "Time to an").endswith("| ≥ 1.5 × |")


def test_start_up_figures(folder: Path) -> None:
    def runs(*seconds: float) -> list[child.Child]:
        return [child.Child("", value, value / 2, 300) for value in seconds]

    predict = "textapps sentiment predict (gru, tiny, sample)"
    found = startup.summary(
        {
            "textapps --help": runs(0.2, 0.1, 0.4),
            "import tensorflow": runs(2.0, 4.0, 8.0),
            predict: runs(5.0, 9.0, 3.0),
        }
    )
    assert found["times_import_tensorflow"] == {predict: 1.25}
    assert found["commands"]["textapps --help"]["median_cpu_seconds"] == 0.1
    results.write_result("startup", found)
    page = results_page.render()
    assert row_of(page, f"`{predict}`", "Start") == f"| `{predict}` | 5.00 (3.00 to 9.00) | 1.25 |"
    assert row_of(page, "`textapps --help`", "Start").endswith("| 0.20 (0.10 to 0.40) |  |")


def test_a_child_is_measured() -> None:
    # From a process of its own: what the parent holds counts as its child's.
    script = f"""
import sys
from benchmarks import child, sentiment, startup, time_to_accuracy
assert "tensorflow" not in sys.modules
for code in ("import time; time.sleep(0.2); print(7)", "print(len(b'x' * {200 << 20}))"):
    done = child.run([sys.executable, "-c", code])
    print(done.stdout.strip(), done.seconds >= 0.2, done.peak_memory_mb >= 200)
"""
    found = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True)
    assert found.returncode == 0, found.stderr
    small, large = (line.split() for line in found.stdout.splitlines())
    assert small == ["7", "True", "False"]
    assert large[::2] == [str(200 << 20), "True"]


def test_the_failure_of_a_child_is_raised() -> None:
    with pytest.raises(subprocess.CalledProcessError):
        child.run([sys.executable, "-c", "raise SystemExit(3)"])


def test_network_and_baseline_are_compared_on_the_same_examples() -> None:
    right = np.array([True, True, True, False, True])
    found = sentiment.compare(right, ~right)
    assert found["test_examples"] == 5
    assert (found["accuracy"], found["baseline_accuracy"]) == (0.8, 0.2)
    assert found["difference"] == pytest.approx(0.6)
    assert found["low"] <= 0.6 <= found["high"]


def begun(work: Path, epochs: int, *, stopped_by: str | None = None, saved: bool = True) -> Path:
    """A run as a `train` of before has left it."""
    config = PRESETS.resolve(flags={"preset": "tiny", "training.epochs": epochs})
    run = RunDirectory.create(work, "sentiment", "gru", config)
    if saved:
        state = TrainingState(step=3, steps_per_pass=3, stopped_by=stopped_by)
        arrays = {"model/00000": np.zeros(2)}
        record = {"key": "model/00000", "name": "w", "shape": [2], "dtype": "float32"}
        CheckpointStore(run.checkpoints).save(state, arrays, [{**record, "average": None}])
    return run.path


@pytest.mark.parametrize("case", ["finished", "stopped", "unsaved", "changed", "none"])
def test_training_goes_on_where_it_can(
    case: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    work = tmp_path / "work"
    epochs = PRESETS.resolve(flags={"preset": "tiny"}).training.epochs
    path = None
    if case != "none":
        path = begun(
            work,
            epochs + (case == "changed"),
            stopped_by="epochs" if case in ("finished", "changed") else None,
            saved=case != "unsaved",
        )
    commands = []

    def run(command: list[str]) -> child.Child:
        commands.append(command[3:])
        if "--resume" not in command:
            begun(work, epochs, stopped_by="epochs")
        return child.Child("", 12.34, 20.0, 987)

    monkeypatch.setattr(child, "run", run)
    if case == "stopped":  # our `run` does not end it
        with pytest.raises(RunError):
            training.train("sentiment", work, "tiny", "gru", [])
        assert commands == [["--resume", str(path)]]
        cost = json.loads((work / "cost.json").read_text())
        assert (cost["wall_seconds"], cost["peak_memory_mb"]) == (None, 987)
        return
    found, cost = training.train("sentiment", work, "tiny", "gru", ["--data", "sample"])
    assert found.finished
    if case == "finished":
        assert (commands, found.path) == ([], path)
        assert cost == dict.fromkeys(training.COSTS)
    else:
        assert [command[-2:] for command in commands] == [["--data", "sample"]]
        assert cost == {"wall_seconds": 12.3, "cpu_seconds": 20.0, "peak_memory_mb": 987}


def test_the_recipe_pads_and_cuts_in_front() -> None:
    from benchmarks import keras_recipe

    ids = keras_recipe.learn(["It's <br />GOOD!", "good, BAD good"])
    assert ids["good"] == keras_recipe.FIRST
    assert set(ids) == {"it's", "br", "good", "bad"}
    long = "bad " * keras_recipe.LENGTH + "good"
    short, cut = keras_recipe.encode(["Good or bad?", long], ids)
    assert (len(short), len(cut)) == (keras_recipe.LENGTH,) * 2
    end = [keras_recipe.START, ids["good"], keras_recipe.UNKNOWN, ids["bad"]]
    assert short.tolist() == [0] * (keras_recipe.LENGTH - 4) + end
    assert cut.tolist() == [ids["bad"]] * (keras_recipe.LENGTH - 1) + [ids["good"]]
