"""What the benchmarks make of what they have measured; nothing is measured here."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks import processes
from benchmarks.suites import (
    distributed,
    nbsvm,
    recipes,
    recurrent_steps,
    serving,
    speed,
    startup,
)
from benchmarks.suites.load import Tally
from benchmarks.suites.speed import Case
from textapps.tasks.generate.config import PRESETS
from textapps.training.checkpoint import CheckpointStore, TrainingState
from textapps.training.evaluations import write_evaluation
from textapps.training.run_directory import RunDirectory


def test_network_and_baseline_are_compared_on_the_same_examples() -> None:
    right = np.array([True, True, True, False, True])
    found = nbsvm.paired(right, ~right)
    assert found["test_examples"] == 5
    assert (found["accuracy"], found["baseline_accuracy"]) == (0.8, 0.2)
    assert found["difference"] == pytest.approx(0.6)
    assert found["low"] <= 0.6 <= found["high"]
    assert nbsvm.not_among(["a", "b"], ["b", "c"]).tolist() == [False, True]


def rows(*accuracies: float) -> list[dict[str, float]]:
    return [
        {"step": 50 * i, "seconds": 10.0 * i, "val_accuracy": accuracy}
        for i, accuracy in enumerate(accuracies, 1)
    ]


def test_the_first_validation_at_the_target_counts() -> None:
    found = recipes.reached(rows(0.5, 0.86, 0.4, 0.9), 0.86)
    assert found == {"reached": True, "step": 100, "seconds": 20.0, "val_accuracy": 0.86}
    assert not recipes.reached(rows(0.5, 0.85), 0.86)["reached"]
    assert not recipes.reached([], 0.86)["reached"]


def test_ratio_of_medians_over_repeats() -> None:
    sides = {
        "keras_recipe": [rows(0, 0, 0, 0, 0, 0.9), rows(0, 0, 0, 0.9), rows(0, 0, 0, 0, 0.9)],
        "gru": [rows(0.9), rows(0, 0.9), rows(0, 0.9)],
        "lstm": [rows(0.9), rows(0.9), rows(0.1, 0.2, 0.3)],
    }
    found = recipes.summary(sides, 0.86, 7)
    assert found["examples_between_validations"] == 7
    assert found["sides"]["keras_recipe"]["median_seconds"] == 50
    assert found["recipe_takes_times_as_long"] == {"gru": 2.5, "lstm": None}
    assert found["ratio_is_a_lower_bound"] is False


def test_a_recipe_that_gave_up_bounds_the_ratio_from_below() -> None:
    sides = {"keras_recipe": [rows(0.5, 0.6, 0.7)], "gru": [rows(0.5, 0.9)]}
    found = recipes.summary(sides, 0.86, 7)
    assert found["ratio_is_a_lower_bound"] is True
    assert found["recipe_takes_times_as_long"] == {"gru": 1.5}


def test_start_up_figures() -> None:
    def runs(*seconds: float) -> list[processes.Finished]:
        return [processes.Finished("", value, value / 2, 300) for value in seconds]

    predict = "textapps sentiment predict (gru, tiny, sample)"
    found = startup.summary(
        {
            "textapps --help": runs(0.2, 0.1, 0.4),
            "import tensorflow": runs(2.0, 4.0, 8.0),
            predict: runs(5.0, 9.0, 3.0),
        }
    )
    assert found["rounds"] == 3
    assert found["times_import_tensorflow"] == {predict: 1.25}
    assert found["commands"]["textapps --help"]["median_cpu_seconds"] == 0.1


def test_the_first_interval_and_a_last_smaller_batch_do_not_count() -> None:
    known = [
        {"step": 10, "seconds": 100.0},
        {"step": 20, "seconds": 102.0},
        {"step": 30, "seconds": 105.0},
        {"step": 31, "seconds": 107.0},
    ]
    assert distributed.rate(known, 7) == pytest.approx(20 * 7 / 5)
    assert distributed.rate(known[:2], 7) == pytest.approx(10 * 7 / 2)
    found = distributed.summary({"one process": [10, 20, 90], "two processes": [15, 3, 99]})
    assert found["ratio"] == 0.75
    assert found["examples_per_second"]["one process"]["median"] == 20


def test_a_ring_worked_by_hand() -> None:
    # 4 workers, 8 Mbit of gradient: 6 trips of 2 Mbit at 1 Mbit/s, and 0.5 s each
    assert distributed.all_reduce_seconds(4, 1e6, 1e6, 0.5) == pytest.approx(6 * (2 + 0.5))
    assert distributed.efficiency(4.0, 1.0) == pytest.approx(0.8)
    needed = distributed.rows_needed(0.003, 0.0151)
    assert distributed.efficiency(needed * 0.003, 0.0151) >= distributed.ENOUGH
    assert distributed.efficiency((needed - 1) * 0.003, 0.0151) < distributed.ENOUGH


def test_rates_of_generation_leave_the_first_answer_out() -> None:
    taken = {
        "compiled": [9.0, 0.5, 0.25, 0.2],
        "exported": [3.0, 1.0, 2.0, 0.5],
        "pytorch": [1.0, 0.5, 1.0, 0.5],
    }
    found = speed.generation_rates(taken, 100)
    assert found["sides"]["compiled"] == {
        "median_per_second": 400,
        "least_per_second": 200,
        "most_per_second": 500,
        "first_seconds": 9.0,
    }
    assert found["times_pytorch"] == {"compiled": 2.0, "exported": 0.5}
    del taken["pytorch"]
    assert speed.generation_rates(taken, 100)["times_pytorch"] == {}


def answer(seconds: float, last: int = 9, score: float = -0.5) -> dict[str, Any]:
    ids = [[5, 6]] * 9 + [[5, last]]
    return {"seconds": seconds, "ids": ids, "scores": [score] * 10}


def answers(*seconds: float) -> list[dict[str, Any]]:
    return [answer(each) for each in seconds]


def test_rates_of_search_and_what_doubling_costs() -> None:
    found = speed.search_rates(
        {
            Case(10, 3): {
                "textapps": answers(9, 0.4, 0.5, 2.0),
                "pytorch": answers(1, 1.0, 0.5, 4.0),
            },
            Case(10, 6): {"textapps": answers(1, 1.1), "pytorch": answers(1, 3.0)},
            Case(1, 3): {
                "textapps": answers(1, 0.1),
                "textapps-compiled": answers(5, 0.05),
                "pytorch": [answer(1, 8), answer(0.2)],
            },
        }
    )
    first, _, last = found["cases"]
    assert first["sides"]["textapps"] == {
        "median_per_second": 20.0,
        "least_per_second": 5.0,
        "most_per_second": 25.0,
        "first_seconds": 9,
    }
    assert first["times"] == {"pytorch": 2.0}
    assert (first["same_answers"], last["same_answers"]) == (1.0, 0.9)
    assert last["times"] == {"textapps-compiled": 0.5, "pytorch": 2.0}
    assert last["compiled_times_pytorch"] == 4.0
    assert found["doubled"] == {"3 to 6": {"textapps": 2.2, "pytorch": 3.0}}


def test_sides_that_search_otherwise_are_an_error() -> None:
    with pytest.raises(RuntimeError, match=r"their scores differ by up to 1\.0e-01"):
        speed.agreement(answer(1), answer(1, score=-0.5 / 1.1))
    with pytest.raises(RuntimeError, match="0% of the answers are equal"):
        speed.agreement(answer(1), {**answer(1), "ids": [[1, 2]] * 10})


def trained(logits: list[float]) -> dict[str, list[dict[str, Any]]]:
    sides = {"textapps": (9.0, 1.0, 2.0, 4.0), "pytorch": (9.0, 4.0, 2.0, 8.0)}
    own = {"textapps": [0.5, -1.0], "pytorch": logits}
    return {
        side: [{"seconds": each, "logits": own[side]} for each in seconds]
        for side, seconds in sides.items()
    }


def test_rates_and_ratio_of_speech_leave_the_first_answer_out() -> None:
    called = {"lite float": [1.0, 0.002, 0.001, 0.003]}
    found = speed.speech_rates(trained([0.5, -1.0001]), called, clips=1_000)
    assert found["training"]["textapps"] == {
        "median_per_second": 500,
        "least_per_second": 250,
        "most_per_second": 1_000,
    }
    assert found["times_pytorch"] == 2.0
    assert found["milliseconds_per_clip"] == {"lite float": 2.0}
    with pytest.raises(RuntimeError, match=r"logits differ by 0\.1"):
        speed.speech_rates(trained([0.6, -1.0]), called, clips=1_000)


def test_ratios_of_serving_are_of_medians() -> None:
    def tally(requests: int, seconds: float, cpu_seconds: float = 0.0) -> Tally:
        return Tally(seconds, cpu_seconds, [0.01 * (i + 1) for i in range(requests)])

    sides = {
        "textapps": [tally(60, 2, 0.3), tally(10, 1, 0.2), tally(100, 2, 1.0)],
        "plain": [tally(10, 1, 0.4)] * 3,
    }
    found = serving.compare(sides, [tally(100, 1)])
    assert found["sides"]["textapps"]["median_per_second"] == 30
    assert found["sides"]["textapps"]["server_cpu_ms"] == 10
    assert found["times_as_many"] == {"plain": 3}
    assert found["at_half_load"]["median_p99_ms"] == 1000
    assert found["at_half_load"]["rounds"][0]["p50_ms"] == 510


def test_both_language_models_are_compared_on_the_same_characters(tmp_path: Path) -> None:
    run = RunDirectory.create(
        tmp_path, "generate", "gru", PRESETS.resolve(flags={"preset": "tiny"})
    )
    state = TrainingState(step=3, steps_per_pass=3, stopped_by="epochs", best_score=-2.0)
    record = {"key": "model/00000", "name": "w", "shape": [2], "dtype": "float32", "average": None}
    CheckpointStore(run.checkpoints).save(state, {"model/00000": np.zeros(2)}, [record])
    metrics = {"seconds": 12.34, "parameters": 987, "order": 2, "nats_per_character": 2.25}
    summary = {"data": "verses", "split": "test", "examples": 7, "metrics": metrics}
    write_evaluation(run, summary, "-baseline", nats=np.full(7, 2.25), sha256=np.array("ab"))
    for name, nats, sha256 in (("ours", 1.5, "ab"), ("other", 1.75, "ab"), ("third", 1.0, "c")):
        np.savez(tmp_path / f"{name}.npz", nats=np.full(7, nats, np.float32), sha256=sha256)
    ours, other, third = (str(tmp_path / f"{name}.npz") for name in ("ours", "other", "third"))
    nats = recipes.nats_of({"textapps": ours, "recipe": other})
    found = recipes.compare(run, summary, {"recipe": {"steps": 5}}, nats)
    assert found["margin"] == {"difference": 0.25, "low": 0.25, "high": 0.25, "p_value": 0.0}
    assert found["textapps"]["nats_per_character"] == 1.5
    assert (found["textapps"]["backbone"], found["textapps"]["steps"]) == ("gru", 3)
    assert found["recipe"]["nats_per_character"] == 1.75
    assert "nats_per_character_low" not in found["recipe"]  # all resamples are alike
    assert found["recipe"]["steps"] == 5
    assert found["ngrams"] == {"order": 2, "nats_per_character": 2.25}
    assert (found["seconds_of_training"], found["characters"]) == (12.3, 7)
    assert json.loads(json.dumps(found)) == found
    with pytest.raises(RuntimeError, match="evaluated on other data"):
        recipes.nats_of({"textapps": ours, "recipe": third})


def test_ratios_of_recurrent_steps_are_of_the_medians_without_the_first_round() -> None:
    def side(*seconds: float, norm: float = 3.0) -> list[dict[str, Any]]:
        return [{"seconds": each, "norms": [norm, 2.0]} for each in seconds]

    own, keras = side(9.0, 0.002, 0.001, 0.004), side(8.0, 0.003, 0.005, 0.001)
    found = recurrent_steps.step_times({"textapps": own, "keras": keras})
    assert found["sides"]["keras"] == {"median_ms": 3, "least_ms": 1, "most_ms": 5}
    assert found["times"] == {"keras": 1.5}
    groups = (("a", 2), ("a", 8), ("b", 1))
    cases = [{"group": group, "times": {"keras": ratio}} for group, ratio in groups]
    assert recurrent_steps.summary(cases, "a") == {"keras": {"geometric_mean": 4.0, "least": 2}}
    with pytest.raises(RuntimeError, match=r"a gradient of keras is 3\.1, not 3\.0"):
        recurrent_steps.step_times({"textapps": own, "keras": side(1.0, 1.0, norm=3.1)})
