import keras
import numpy as np
import pytest

from tests.training import trainee
from textapps.core.errors import DivergedError, RunError
from textapps.training import weights
from textapps.training.checkpoint import CheckpointStore, TrainingState
from textapps.training.optimizer import build_optimizer
from textapps.training.seeding import seed_everything


def compiled(average=0.0, units=4, seed=1, name="logits"):
    seed_everything(seed)
    inputs = keras.Input((3,), name="x")
    x = keras.layers.Dropout(0.5, name="dropout")(inputs)
    model = keras.Model(inputs, keras.layers.Dense(units, name=name)(x))
    model.compile(build_optimizer(model, trainee.training_config(average=average), 10), "mse")
    return model


def taught(**options):
    model = compiled(**options)
    generator = np.random.default_rng(0)
    for _ in range(3):
        model.train_on_batch(generator.normal(size=(5, 3)), np.ones((5, 4)))
    return model


def everything(model):
    return [v.numpy() for v in (*model.variables, *model.optimizer.variables)]


@pytest.mark.parametrize("average", [0.0, 0.9])
def test_all_variables_come_back_bit_for_bit(tmp_path, average):
    store = CheckpointStore(tmp_path)
    model, other = taught(average=average), compiled(average=average, seed=2)
    weights.save(store, TrainingState(step=3), model)
    weights.restore(other, store, 3)
    assert any("seed_generator_state" in variable.path for variable in model.variables)
    for one, two in zip(everything(model), everything(other), strict=True):
        np.testing.assert_array_equal(one, two)


def test_load_weights_takes_the_averages(tmp_path):
    run = trainee.new_run(tmp_path)
    model = taught(average=0.9)
    weights.save(CheckpointStore(run.checkpoints), TrainingState(step=3), model)
    averages = [average.numpy() for average in model.optimizer.averages]
    fresh = compiled(seed=2)
    assert weights.load_weights(fresh, run) == 3
    for variable, average, raw in zip(
        fresh.trainable_variables, averages, model.trainable_variables, strict=True
    ):
        np.testing.assert_array_equal(variable.numpy(), average)
        assert not np.array_equal(average, raw.numpy())


def test_best_and_last(tmp_path):
    run = trainee.new_run(tmp_path)
    store = CheckpointStore(run.checkpoints)
    model = taught()
    best = model.get_weights()
    weights.save(store, TrainingState(step=1, best_step=1), model)
    model.train_on_batch(np.ones((2, 3)), np.zeros((2, 4)))
    weights.save(store, TrainingState(step=2, best_step=1), model)
    fresh = compiled(seed=2)
    assert weights.load_weights(fresh, run, "best") == 1
    np.testing.assert_array_equal(fresh.get_weights()[0], best[0])
    assert weights.load_weights(fresh, run, "last") == 2
    np.testing.assert_array_equal(fresh.get_weights()[0], model.get_weights()[0])


def test_no_checkpoint(tmp_path):
    with pytest.raises(RunError, match="has no checkpoint"):
        weights.load_weights(compiled(), trainee.new_run(tmp_path))


@pytest.mark.parametrize("other", [{"units": 7}, {"name": "output"}, {"average": 0.9}])
def test_another_model_is_refused(tmp_path, other):
    store = CheckpointStore(tmp_path)
    weights.save(store, TrainingState(step=3), compiled())
    with pytest.raises(RunError, match="of another model"):
        weights.restore(compiled(**other), store, 3)


def test_weights_that_are_not_finite_are_not_saved(tmp_path):
    store = CheckpointStore(tmp_path)
    model = compiled()
    model.trainable_variables[0].assign(np.full((3, 4), np.inf))
    with pytest.raises(DivergedError, match="logits/kernel became NaN or infinite at step 3"):
        weights.save(store, TrainingState(step=3), model)
    assert store.steps() == []


def test_weights_that_are_not_finite_are_not_loaded(tmp_path, monkeypatch):
    run = trainee.new_run(tmp_path)
    model = compiled()
    model.trainable_variables[0].assign(np.full((3, 4), np.nan))
    with monkeypatch.context() as patch:
        patch.setattr(weights, "_check_finite", lambda *_: None)
        weights.save(CheckpointStore(run.checkpoints), TrainingState(step=1, best_step=1), model)
    with pytest.raises(RunError, match="logits/kernel holds NaN or infinite numbers; train a new"):
        weights.load_weights(compiled(), run)
