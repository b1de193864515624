import csv
import errno
import math
import os
import signal

import keras
import numpy as np
import pytest

from tests.training import trainee
from tests.training.trainee import dense
from textapps.core.errors import DivergedError, RunError
from textapps.training.checkpoint import ARRAYS, CheckpointStore
from textapps.training.interruption import TrainingInterrupted, TrainingTerminated
from textapps.training.progress import NoProgress
from textapps.training.weights import load_weights


class Recorder(NoProgress):
    """Remembers what it is told, and sends this process a signal after step `kill_at`."""

    def __init__(self, kill_at=None, number=signal.SIGINT):
        self.kill_at, self.number = kill_at, number
        self.steps, self.rows, self.messages, self.started, self.finished = [], [], [], None, 0

    def start(self, extent):
        self.started = extent[:3]
        self.extent = extent

    def update(self, step, logs, examples):
        self.steps.append((step, examples))
        if step == self.kill_at:
            os.kill(os.getpid(), self.number)

    def epoch_end(self, row):
        self.rows.append(row)

    def message(self, text):
        self.messages.append(text)

    def finish(self):
        self.finished += 1


def arrays(run, step=None):
    store = CheckpointStore(run.checkpoints)
    with np.load(store.path(step or store.steps()[-1]) / ARRAYS) as archive:
        return [archive[name] for name in archive.files]


def assert_equal(one, two):
    for left, right in zip(one, two, strict=True):
        np.testing.assert_array_equal(left, right)


def history(run, column):
    with (run.path / "history.csv").open(newline="") as file:
        return [float(row[column]) for row in csv.DictReader(file)]


def test_learns_and_reports(tmp_path):
    run = trainee.new_run(tmp_path, epochs=30, average=0.8, learning_rate=0.1)
    recorder = Recorder()
    result = trainee.train(run, dense(rate=0.1), recorder)
    assert (result.steps, result.epochs, result.stopped_by) == (210, 30, "epochs")
    assert result.best_score >= 4 / 7
    assert history(run, "loss")[-1] < 0.5 * history(run, "loss")[0]
    assert recorder.started == (210, 0, 7)
    assert recorder.steps[6] == (7, 20)  # 20 examples in 7 steps of at most 3
    assert recorder.steps[-1] == (210, 600)
    assert [row["step"] for row in recorder.rows] == history(run, "step")
    assert recorder.finished == 1
    assert len(CheckpointStore(run.checkpoints).steps()) <= 3


def test_same_seed_same_bits_and_another_seed_others(tmp_path, whole):
    same, other = (trainee.new_run(tmp_path, **CHANGES) for _ in range(2))
    trainee.train(same, dense())
    trainee.train(other, dense(seed=4))
    assert_equal(arrays(whole[0]), arrays(same))
    assert not np.array_equal(arrays(whole[0])[0], arrays(other)[0])


CHANGES = {"epochs": 3, "checkpoint_steps": 5, "average": 0.9, "patience": 50}


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A run that was never disturbed, and its result; the others are held against it."""
    run = trainee.new_run(tmp_path_factory.mktemp("whole"), **CHANGES)
    return run, trainee.train(run, dense())


# In the first step, in the middle of an interval, before and at its end.
@pytest.mark.parametrize(
    ("kill_at", "number"),
    [(1, signal.SIGINT), (7, signal.SIGTERM), (9, signal.SIGINT), (10, signal.SIGINT)],
)
def test_interrupted_anywhere_ends_with_the_same_bits(tmp_path, whole, kill_at, number):
    undisturbed, expected = whole
    run = trainee.new_run(tmp_path, **CHANGES)
    recorder = Recorder(kill_at, number)
    with pytest.raises(TrainingInterrupted, match=f"--resume {run.path}"):
        trainee.train(run, dense(), recorder)
    assert recorder.finished == 1
    assert CheckpointStore(run.checkpoints).steps()[-1] == kill_at
    assert not run.finished
    again = Recorder()
    result = trainee.train(run, dense(seed=99), again)
    assert again.started == (21, kill_at, 7)
    assert (again.extent.interval, again.extent.validation_steps) == (5, 3)
    assert again.extent.seconds > 0
    assert_equal(arrays(undisturbed), arrays(run))
    assert (result.best_step, result.best_score) == (expected.best_step, expected.best_score)
    # Those of the interval too, although it was interrupted.
    columns = ("step", "loss", "accuracy", "val_loss", "val_accuracy", "learning_rate")
    for column in (*columns, "clipped_steps"):
        assert history(undisturbed, column) == history(run, column)


@pytest.mark.parametrize(
    ("number", "kind"), [(signal.SIGINT, TrainingInterrupted), (signal.SIGTERM, TrainingTerminated)]
)
def test_a_signal_in_the_last_step_is_told(tmp_path, number, kind):
    """The run is finished, so there is nothing to resume; a caller may have more to do."""
    run = trainee.new_run(tmp_path, **CHANGES)
    result = trainee.train(run, dense(), Recorder(21, number))
    assert run.finished
    assert result.signalled is kind
    assert trainee.train(run, dense()).signalled is None


@pytest.mark.parametrize(("clip_norm", "counted"), [(1e-6, [5, 5, 5, 5, 1]), (1e6, [0] * 5)])
def test_steps_whose_gradient_is_clipped_are_counted_by_interval(tmp_path, clip_norm, counted):
    run = trainee.new_run(tmp_path, **{**CHANGES, "clip_norm": clip_norm})
    trainee.train(run, dense())
    assert history(run, "clipped_steps") == counted


def test_without_clipping_nothing_is_counted(tmp_path):
    run = trainee.new_run(tmp_path, clip_norm=0, epochs=1)
    recorder = Recorder()
    trainee.train(run, dense(), recorder)
    assert "clipped_steps" not in (run.path / "history.csv").read_text()
    assert "clipped_steps" not in recorder.rows[0]


def test_the_averages_are_evaluated_and_kept(whole):
    run, _ = whole
    model = dense(seed=8)
    load_weights(model, run, "last")
    source = trainee.source(7, 2, 3, shuffled=False)
    losses = []
    for step in range(source.steps_per_pass):
        inputs, labels, _ = source.batch(0, step)
        logits = keras.ops.convert_to_tensor(model.predict_on_batch(inputs))
        losses.extend(
            keras.losses.sparse_categorical_crossentropy(labels, logits, from_logits=True)
        )
    assert float(np.mean(losses)) == pytest.approx(history(run, "val_loss")[-1], rel=1e-5)


def test_ends_with_the_best_weights_in_the_model(tmp_path):
    run = trainee.new_run(tmp_path, epochs=5, learning_rate=0.5)
    model = dense()
    result = trainee.train(run, model)
    best = max(
        zip(
            history(run, "val_accuracy"),
            history(run, "val_loss"),
            history(run, "step"),
            strict=True,
        ),
        key=lambda row: (row[0], -row[1]),
    )
    assert (result.best_score, result.best_step) == (pytest.approx(best[0]), best[2])
    assert_equal(
        [v.numpy() for v in model.trainable_variables],
        [arrays(run, result.best_step)[i] for i in (0, 2, 3)],
    )


def test_stops_early_and_counts_across_a_resume(tmp_path):
    # At this learning rate nothing changes, so that every interval after the first waits.
    changes = {"epochs": 50, "patience": 3, "learning_rate": 1e-30, "weight_decay": 0.0}
    run = trainee.new_run(tmp_path, **changes)
    with pytest.raises(TrainingInterrupted):
        trainee.train(run, dense(), Recorder(kill_at=16))
    result = trainee.train(run, dense())
    assert (result.steps, result.best_step, result.stopped_by) == (28, 7, "patience")
    assert run.finished


def test_stops_when_time_is_up(tmp_path):
    run = trainee.new_run(tmp_path, epochs=10000, max_seconds=0.01)
    result = trainee.train(run, dense())
    assert (result.steps, result.stopped_by) == (1, "time")
    assert run.finished


def test_a_loss_that_is_not_finite_ends_the_run_and_keeps_the_best(tmp_path):
    run = trainee.new_run(tmp_path, epochs=4, average=0.9)
    model = dense()

    class Poison(Recorder):
        def update(self, step, logs, examples):
            if step == 16:
                model.trainable_variables[0].assign(model.trainable_variables[0] * np.inf)

    with pytest.raises(DivergedError, match=r"became (nan|inf) at step 17; the best .*step (7|14)"):
        trainee.train(run, model, Poison())
    store = CheckpointStore(run.checkpoints)
    assert store.steps()[-1] == 14
    load_weights(model, run)
    assert all(np.isfinite(v.numpy()).all() for v in model.trainable_variables)


def test_a_huge_learning_rate_never_saves_what_is_not_finite(tmp_path):
    run = trainee.new_run(tmp_path, learning_rate=10.0, clip_norm=0.0, epochs=2)
    model = dense()
    model.trainable_variables[-1].assign(np.float32([math.nan, 0, 0]))
    with pytest.raises(DivergedError, match="no checkpoint had been evaluated yet") as error:
        trainee.train(run, model)
    assert error.value.exit_code == 4
    assert CheckpointStore(run.checkpoints).steps() == []


def test_a_damaged_newest_checkpoint_costs_only_time(tmp_path, whole, caplog):
    run = trainee.new_run(tmp_path, **CHANGES)
    with pytest.raises(TrainingInterrupted):
        trainee.train(run, dense(), Recorder(kill_at=12))
    damaged = CheckpointStore(run.checkpoints).path(12) / ARRAYS
    damaged.write_bytes(damaged.read_bytes()[:100])
    recorder = Recorder()
    trainee.train(run, dense(), recorder)
    assert "step-00000012 is damaged" in caplog.text
    assert recorder.started[1] == 10
    assert_equal(arrays(whole[0]), arrays(run))


def test_a_finished_run_is_left_alone(tmp_path):
    run = trainee.new_run(tmp_path, epochs=1)
    first = trainee.train(run, dense())
    before = arrays(run)
    recorder = Recorder()
    assert trainee.train(run, dense(seed=9), recorder) == first
    assert "already finished" in recorder.messages[0]
    assert_equal(before, arrays(run))


def test_other_data_and_another_model_are_refused(tmp_path):
    run = trainee.new_run(tmp_path)
    with pytest.raises(TrainingInterrupted):
        trainee.train(run, dense(), Recorder(kill_at=2))
    with pytest.raises(RunError, match="data has changed"):
        trainee.train(run, dense(), train_source=trainee.source(30, 1, 3, shuffled=True))
    with pytest.raises(RunError, match="another model"):
        trainee.train(run, trainee.build("gru"))


def test_one_training_at_a_time(tmp_path):
    run = trainee.new_run(tmp_path)
    with run.lock(), pytest.raises(RunError, match="is training"):
        trainee.train(run, dense())


def test_a_full_disk_in_the_middle_can_be_resumed(tmp_path, whole, monkeypatch):
    run = trainee.new_run(tmp_path, **CHANGES)
    store = CheckpointStore(run.checkpoints)
    real = np.savez

    def full(file, **named):
        if store.steps() == [5, 10]:
            raise OSError(errno.ENOSPC, "No space left on device")
        real(file, **named)

    with monkeypatch.context() as patch:
        patch.setattr(np, "savez", full)
        with pytest.raises(RunError, match=r"No space left on device; .*free some space"):
            trainee.train(run, dense())
    assert store.steps() == [5, 10]
    trainee.train(run, dense())
    assert_equal(arrays(whole[0]), arrays(run))


def test_tensorboard_logs_on_request(tmp_path):
    pytest.importorskip("tensorboard")
    run = trainee.new_run(tmp_path, epochs=1, tensorboard=True)
    trainee.train(run, dense())
    assert list((run.path / "tensorboard").glob("events.*"))


def test_mixed_precision_trains(tmp_path):
    from textapps.training.seeding import precision

    run = trainee.new_run(tmp_path, epochs=1, average=0.9, mixed_precision=True)
    with precision(True):
        model = dense()
    trainee.train(run, model)
    assert model.layers[-1].compute_dtype == "bfloat16"
    assert all(array.dtype != np.dtype("V2") for array in arrays(run))
