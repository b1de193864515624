import keras
import numpy as np
import pytest

from tests.training import trainee
from textapps.training.optimizer import AveragedAdamW, build_optimizer


def test_matrices_decay_and_biases_do_not():
    model = trainee.build("gru")
    optimizer = build_optimizer(model, trainee.training_config(weight_decay=0.1), 10)
    for variable in model.trainable_variables:
        exempt = "bias" in variable.path or "gamma" in variable.path or "beta" in variable.path
        assert optimizer._use_weight_decay(variable) is not exempt, variable.path


def test_averages_start_at_the_first_weights_and_warm_up():
    variable = keras.Variable(np.float32([0.0]))
    optimizer = AveragedAdamW(0.1, weight_decay=0.0, use_ema=True, ema_momentum=0.5)
    expected = None
    for step in range(12):
        optimizer.apply([np.float32([1.0])], [variable])
        momentum = min(0.5, (1 + step) / (10 + step))
        value = variable.numpy()
        expected = value if step == 0 else momentum * expected + (1 - momentum) * value
        np.testing.assert_allclose(optimizer.averages[0].numpy(), expected, rtol=1e-5)


def test_without_averaging_there_are_no_averages():
    optimizer = build_optimizer(trainee.build("gru"), trainee.training_config(), 10)
    assert optimizer.averages == optimizer.averaged == []


def test_each_variable_has_its_share_of_the_learning_rate():
    """Adam's first step is as long as the learning rate."""
    variables = [keras.Variable(np.zeros(n, np.float32)) for n in (2, 3, 4)]
    optimizer = AveragedAdamW(0.1, weight_decay=0.0, shares=(0.5, 0.0, 1.0))
    optimizer.apply([np.ones(n, np.float32) for n in (2, 3, 4)], variables)
    steps = [float(-variable.numpy()[0]) for variable in variables]
    np.testing.assert_allclose(steps, [0.05, 0, 0.1], rtol=1e-4)


@pytest.mark.parametrize("repeats", [1, 4])
def test_a_token_counts_as_often_as_it_stands_in_the_batch(repeats):
    """The slices of an embedding's gradient are added before they are squared."""
    import tensorflow as tf

    weights = np.zeros((5, 2), np.float32)
    slices = tf.IndexedSlices(
        tf.ones((repeats, 2)), tf.zeros(repeats, tf.int32), tf.constant([5, 2])
    )
    results = []
    for gradient in (slices, tf.convert_to_tensor(slices)):
        variable = keras.Variable(weights)
        optimizer = AveragedAdamW(0.1, weight_decay=0.0, global_clipnorm=1.5)
        optimizer.apply([gradient], [variable])
        optimizer.apply([tf.ones_like(gradient)], [variable])
        results.append([v.numpy() for v in (variable, *optimizer.variables)])
    for ours, dense in zip(*results, strict=True):
        np.testing.assert_array_equal(ours, dense)
