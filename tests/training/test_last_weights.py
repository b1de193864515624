import csv
import signal

import keras
import numpy as np
import pytest

from tests.training import trainee
from tests.training.trainee import dense
from textapps.training.checkpoint import ARRAYS, CheckpointStore
from textapps.training.fit import fit
from textapps.training.interruption import TrainingInterrupted
from textapps.training.last_weights import LastWeights
from textapps.training.progress import NoProgress
from textapps.training.weights import load_weights

CHANGES = {"epochs": 5, "checkpoint_steps": 5, "average_last": 3, "learning_rate": 0.05}
ENDS = [5, 10, 15, 20, 25, 30, 35]  # 7 steps a pass


class Recorder(NoProgress):
    """Keeps the weights at the ends of intervals, and stops after steps `stop_at`."""

    def __init__(self, model, stop_at=()):
        self.model, self.stop_at, self.ends = model, stop_at, {}

    def update(self, step, logs, examples):
        if step in ENDS:
            self.ends[step] = [v.numpy() for v in self.model.trainable_variables]
        if step in self.stop_at:
            signal.raise_signal(signal.SIGINT)


def train(run, model=None, stop_at=(), **options):
    model = model or dense()
    recorder = Recorder(model, stop_at)
    config = trainee.training_config(**CHANGES)
    result = fit(
        model,
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=[keras.metrics.SparseCategoricalAccuracy("accuracy")],
        train=trainee.source(20, 1, config.batch_size, shuffled=True),
        validation=trainee.source(7, 2, 7, shuffled=False),
        config=config,
        run=run,
        progress=recorder,
        **options,
    )
    return model, recorder, result


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A run that was never disturbed."""
    run = trainee.new_run(tmp_path_factory.mktemp("whole"), **CHANGES)
    return run, *train(run)


def arrays(run, step):
    with np.load(CheckpointStore(run.checkpoints).path(step) / ARRAYS) as archive:
        return {name: archive[name] for name in archive.files}


def history(run, column):
    with (run.path / "history.csv").open(newline="") as file:
        return [float(row[column]) for row in csv.DictReader(file)]


def mean(ends, step, count=3):
    last = [ends[end] for end in ENDS if end <= step][-count:]
    return [np.mean(each, axis=0) for each in zip(*last, strict=True)]


def test_the_mean_of_the_last_ends_is_kept_evaluated_and_loaded(whole):
    run, model, recorder, result = whole
    assert result.best_step in ENDS
    for variable, expected in zip(
        model.trainable_variables, mean(recorder.ends, result.best_step), strict=True
    ):
        np.testing.assert_allclose(variable.numpy(), expected, rtol=1e-6, atol=1e-8)
    last = dense(seed=8)
    assert load_weights(last, run, "last") == 35
    for variable, expected in zip(last.trainable_variables, mean(recorder.ends, 35), strict=True):
        np.testing.assert_allclose(variable.numpy(), expected, rtol=1e-6, atol=1e-8)
    inputs, labels, _ = trainee.source(7, 2, 7, shuffled=False).batch(0, 0)
    logits = last.predict_on_batch(inputs)
    loss = keras.losses.sparse_categorical_crossentropy(labels, logits, from_logits=True)
    assert float(np.mean(loss)) == pytest.approx(history(run, "val_loss")[-1], rel=1e-5)


def test_training_goes_on_from_the_weights_themselves(whole):
    run, _, recorder, _ = whole
    found = arrays(run, 35)
    for key, end in zip(("00000", "00002", "00003"), recorder.ends[35], strict=True):
        np.testing.assert_array_equal(found[f"model/{key}"], end)


def test_the_first_means_are_of_what_there_is():
    variable = keras.Variable(np.float32([1.0, 5.0]))
    last = LastWeights([variable], 2)
    means = []
    for value in (1.0, 2.0, 4.0):
        variable.assign([value, 5.0])
        means.append(last.add()[0].tolist())
    assert means == [[1.0, 5.0], [1.5, 5.0], [3.0, 5.0]]


# At the end of an interval, in the middle of one, and often within the same one.
@pytest.mark.slow
@pytest.mark.parametrize("stops", [[15], [17], [16, 17, 19]])
def test_stopped_anywhere_ends_with_the_same_bits(tmp_path, whole, stops):
    run = trainee.new_run(tmp_path, **CHANGES)
    for stop in stops:
        with pytest.raises(TrainingInterrupted):
            train(run, dense(), [stop])
    train(run, dense(seed=99))
    for step in (25, 30, 35):
        expected, found = arrays(whole[0], step), arrays(run, step)
        assert expected.keys() == found.keys()
        for name, array in expected.items():
            assert array.tobytes() == found[name].tobytes(), name
    assert history(run, "val_loss") == history(whole[0], "val_loss")


def test_a_damaged_end_is_left_out_and_said_so(tmp_path, caplog):
    run = trainee.new_run(tmp_path, **CHANGES)
    model = dense()
    with pytest.raises(TrainingInterrupted):
        train(run, model, [17])
    store = CheckpointStore(run.checkpoints, keep_ends=3, interval=5)
    (store.path(10) / ARRAYS).write_bytes(b"")
    last = LastWeights.of(store, model, 17)
    assert "the averages leave out step 10" in caplog.text
    before = [arrays(run, step)["model/00000"] for step in (5, 15)]
    now = model.trainable_variables[0].numpy()
    np.testing.assert_allclose(last.add()[0], np.mean([*before, now], axis=0), rtol=1e-6)


def test_evaluated_by_what_keras_cannot_measure(tmp_path):
    """The evaluate sees the averages; its figure decides on the best and stands in the history."""
    run = trainee.new_run(tmp_path, **CHANGES)
    model = dense()
    seen = []

    def evaluate():
        seen.append([variable.numpy() for variable in model.trainable_variables])
        return {"bleu": float(-abs(len(seen) - 4))}

    _, recorder, result = train(run, model, evaluate=evaluate, monitor="val_bleu")
    assert (result.best_step, result.best_score) == (20, 0.0)
    assert history(run, "val_bleu") == [-3, -2, -1, 0, -1, -2, -3]
    for step, weights in zip(ENDS, seen, strict=True):
        for found, expected in zip(weights, mean(recorder.ends, step), strict=True):
            np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-8)
