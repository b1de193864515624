"""A training that is paused after a validation, and one that a deadline ends."""

import time
from pathlib import Path

import pytest

from tests.tasks.stopping import assert_same_bits
from tests.training import trainee
from textapps.training.checkpoint import CheckpointStore, TrainingState
from textapps.training.fit import FitResult
from textapps.training.history import read_history
from textapps.training.run_directory import RunDirectory
from textapps.training.until import Until

PASS = 7  # steps


def train(run: RunDirectory, until: Until | None = None) -> FitResult:
    return trainee.train(run, trainee.dense(), until=until)


@pytest.mark.slow
def test_paused_and_resumed_it_has_the_same_bits(tmp_path: Path) -> None:
    whole, paused = (trainee.new_run(tmp_path, average=0.9) for _ in range(2))
    train(whole)
    seen: list[int] = []

    def at_the_second(state: TrainingState) -> bool:
        seen.append(state.step)
        return len(seen) == 2

    result = train(paused, Until(at_the_second))
    assert (result.stopped_by, result.steps, seen) == ("pause", 2 * PASS, [PASS, 2 * PASS])
    assert not paused.finished
    again = train(paused)
    assert (again.stopped_by, again.steps) == ("epochs", 4 * PASS)
    assert_same_bits(whole, paused)
    assert [row["step"] for row in read_history(whole)] == [
        row["step"] for row in read_history(paused)
    ]


def test_a_deadline_ends_it_after_a_validation(tmp_path: Path) -> None:
    run = trainee.new_run(tmp_path)
    result = train(run, Until(deadline=time.perf_counter()))
    assert (result.stopped_by, result.steps) == ("time", 1)
    assert run.finished
    assert [row["step"] for row in read_history(run)] == ["1"]
    later = trainee.new_run(tmp_path)
    far = time.perf_counter() + 1e6
    assert train(later, Until(deadline=far)).stopped_by == "epochs"
    early = trainee.new_run(tmp_path)
    assert train(early, Until(deadline=far, reserve=lambda: 2e6)).stopped_by == "time"


def test_a_training_without_an_end_is_given_one(tmp_path: Path) -> None:
    run = trainee.new_run(tmp_path)
    train(run, Until(lambda state: True))
    store = CheckpointStore(run.checkpoints)
    before = store.newest_state()
    assert before
    assert before.stopped_by is None
    store.end("time")
    assert run.finished
    after = store.verified(store.steps()[-1])
    assert (after.step, after.best_score, after.stopped_by) == (PASS, before.best_score, "time")
