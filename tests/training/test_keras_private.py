"""The private interfaces of Keras that training uses are there, and Keras calls them."""

import keras
import numpy as np
import pytest

from textapps.training.keras_private import OpenAdamW, leave_strategy, loss_tracker


@pytest.fixture
def model():
    inputs = keras.Input([3])
    return keras.Model(inputs, keras.layers.Dense(2, name="head")(inputs))


@pytest.mark.parametrize(
    "name",
    ["_all_reduce_sum_gradients", "_clip_gradients", "_update_model_variables_moving_average"],
)
def test_the_hooks_of_an_optimizer_are_keras_own(name: str) -> None:
    assert callable(getattr(keras.optimizers.AdamW, name))


def test_an_optimizer_asks_its_subclass_to_average(model) -> None:
    asked, seen = [], []

    class Listening(OpenAdamW):
        def note_gradients(self, grads):
            seen.append(grads)

        def update_averages(self, trainable_variables):
            asked.append(list(trainable_variables))

    for use_ema in (False, True):
        optimizer = Listening(use_ema=use_ema)
        optimizer.build(model.trainable_variables)
        gradients = [np.ones(variable.shape, "float32") for variable in model.trainable_variables]
        optimizer.apply(gradients, model.trainable_variables)
    assert asked == [model.trainable_variables]
    assert [len(grads) for grads in seen] == [2, 2]
    assert optimizer._trainable_variables == optimizer.averaged == model.trainable_variables
    assert optimizer._model_variables_moving_average == optimizer.averages
    assert [each.shape for each in optimizer.averages] == [(3, 2), (2,)]


def test_fit_reports_the_loss_of_its_tracker(model) -> None:
    model.compile("sgd", "mse")
    assert model._loss_tracker is loss_tracker(model)
    history = model.fit(np.ones([4, 3]), np.ones([4, 2]), batch_size=2, verbose=0)
    assert history.history["loss"] == [pytest.approx(float(loss_tracker(model).result()))]


def test_a_model_can_leave_its_strategy(model) -> None:
    assert hasattr(model, "_distribute_strategy")
    leave_strategy(model)
    assert model.distribute_strategy is not None  # Keras falls back on the current one
    assert model._distribute_strategy is None
