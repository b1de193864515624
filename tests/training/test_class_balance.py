from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given
from hypothesis import strategies as st
from sklearn.utils.class_weight import compute_class_weight

from tests.training import trainee
from tests.training.test_fit import arrays, history
from textapps.training.class_balance import balanced_weights, oversampled
from textapps.training.fit import fit

labels_of_examples = st.lists(st.integers(0, 3), min_size=1, max_size=60).map(np.int32)
WEIGHTS = np.float32([0.4, 2.5, 1.1])


@given(labels_of_examples)
def test_balanced_weights_are_those_of_scikit_learn(labels):
    weights = balanced_weights(labels, 4)
    present = np.unique(labels)
    expected = compute_class_weight("balanced", classes=present, y=labels)
    np.testing.assert_allclose(weights[present], expected, rtol=1e-6)
    assert weights[labels].mean() == pytest.approx(1, rel=1e-5)
    assert not weights[np.setdiff1d(np.arange(4), present)].any()


@given(labels_of_examples, st.integers(1, 6), st.integers(1, 5))
def test_small_classes_are_repeated_equally_often(labels, most, passes):
    classes = (0, 1, 3)  # class 2 is never repeated, and its size does not matter
    used = np.zeros(len(labels), int)
    for number in range(passes):
        more = oversampled(labels, classes, most, number)
        np.testing.assert_array_equal(more, oversampled(labels, classes, most, number))
        np.add.at(used, more, 1)
    sizes = np.bincount(labels, minlength=4)
    largest = max(sizes[label] for label in classes)
    for label in range(4):
        of_class = used[labels == label]
        total = min(largest, most * sizes[label]) - sizes[label] if label in classes else 0
        assert of_class.sum() == passes * total
        assert np.ptp(of_class) <= 1 if len(of_class) else True


def train(run, class_weights=None, loss=None):
    """Trains a model without dropout, so that parts of a batch can be compared with the whole."""
    config = trainee.training_config(**run.config["training"])
    own = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    return fit(
        trainee.dense(rate=0.0),
        loss=loss or own,
        metrics=[keras.metrics.SparseCategoricalAccuracy("accuracy")],
        train=trainee.source(20, 1, config.batch_size, shuffled=True),
        validation=trainee.source(7, 2, config.batch_size, shuffled=False),
        config=config,
        run=run,
        class_weights=class_weights,
    )


@pytest.fixture(scope="module")
def weighted(tmp_path_factory):
    run = trainee.new_run(tmp_path_factory.mktemp("weighted"), epochs=2)
    train(run, WEIGHTS)
    return run


@pytest.mark.slow
def test_class_weights_are_factors_of_the_loss_of_training_alone(tmp_path: Path, weighted):
    """Against Keras's own steps, with a loss that has the factors in it."""

    def loss(labels, logits):
        nats = keras.losses.sparse_categorical_crossentropy(labels, logits, from_logits=True)
        return nats * tf.gather(WEIGHTS, tf.cast(labels, tf.int32))

    run = trainee.new_run(tmp_path, epochs=2)
    train(run, loss=loss)
    for column in ("loss", "accuracy", "val_accuracy"):
        np.testing.assert_allclose(history(weighted, column), history(run, column), rtol=1e-5)
    for ours, theirs in zip(arrays(weighted), arrays(run), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-3, atol=1e-6)
    plain = trainee.new_run(tmp_path, epochs=2)
    train(plain)
    assert not np.allclose(history(weighted, "val_loss"), history(run, "val_loss"), rtol=0.02)
    assert not np.allclose(history(weighted, "loss"), history(plain, "loss"), rtol=0.02)


@pytest.mark.slow
def test_weights_of_one_change_nothing(tmp_path: Path):
    plain, ones = (trainee.new_run(tmp_path, epochs=2) for _ in range(2))
    train(plain)
    train(ones, np.ones(3, np.float32))
    for column in ("loss", "val_loss", "val_accuracy"):
        np.testing.assert_allclose(history(ones, column), history(plain, column), rtol=1e-5)


def test_parts_of_a_weighted_batch_add_up(tmp_path: Path, weighted):
    run = trainee.new_run(tmp_path, epochs=2, accumulate=2)
    train(run, WEIGHTS)
    for column in ("loss", "val_loss", "accuracy"):
        np.testing.assert_allclose(history(run, column), history(weighted, column), rtol=1e-5)
