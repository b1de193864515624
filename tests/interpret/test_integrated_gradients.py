import numpy as np
import pytest
import tensorflow as tf

from textapps.interpret.integrated_gradients import log_odds, mean_gradients

STEPS = 5
DRAWN = np.random.RandomState(4)
X = DRAWN.normal(size=(3, 4, 2)).astype(np.float32)
BASELINE = DRAWN.normal(size=(3, 4, 2)).astype(np.float32)


def test_the_shares_of_a_linear_score_are_its_terms() -> None:
    weights = DRAWN.normal(size=(4, 2)).astype(np.float32)
    (gradient,) = mean_gradients(
        lambda x: tf.reduce_sum(weights * x, axis=[1, 2]), [tf.constant(X)], [BASELINE], STEPS
    )
    np.testing.assert_allclose(gradient, np.broadcast_to(weights, X.shape), atol=1e-6)


def test_the_factors_of_a_product_share_it_equally() -> None:
    """By hand: from 0 on, x y comes to x y / 2 from either."""
    x, y = tf.constant([[2.0], [-3.0]]), tf.constant([[5.0], [7.0]])
    zeros = tf.zeros([2, 1])
    of_x, of_y = mean_gradients(lambda x, y: (x * y)[:, 0], [x, y], [zeros, zeros], STEPS)
    assert (x * of_x).numpy().tolist() == pytest.approx(np.array([[5.0], [-10.5]]))
    assert (y * of_y).numpy().tolist() == pytest.approx(np.array([[5.0], [-10.5]]))


def test_shares_sum_to_the_difference_and_more_steps_are_better() -> None:
    inner = DRAWN.normal(size=(8, 6)).astype(np.float32)

    def score(x):
        flat = tf.reshape(x, [-1, 8])
        return tf.reduce_sum(tf.tanh(tf.matmul(flat, inner)), axis=1) ** 2

    difference = (score(X) - score(BASELINE)).numpy()
    errors = []
    for steps in (3, 200):
        (gradient,) = mean_gradients(score, [tf.constant(X)], [BASELINE], steps)
        total = np.sum(gradient * (X - BASELINE), axis=(1, 2))
        errors.append(np.abs(total - difference).max())
    assert errors[1] < 0.001 * np.abs(difference).max() < errors[0]


def test_rows_do_not_touch_each_other() -> None:
    def score(x):
        return tf.reduce_sum(tf.sin(x), axis=[1, 2])

    (together,) = mean_gradients(score, [tf.constant(X)], [BASELINE], STEPS)
    (alone,) = mean_gradients(score, [tf.constant(X[1:2])], [BASELINE[1:2]], STEPS)
    np.testing.assert_allclose(together[1:2], alone, atol=1e-6)


def test_log_odds() -> None:
    logits = DRAWN.normal(size=(4, 3)).astype(np.float32)
    label = np.array([2, 0, 1, 1], np.int32)
    p = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    p = p[np.arange(4), label]
    np.testing.assert_allclose(log_odds(logits, label), np.log(p / (1 - p)), rtol=1e-4)
    two = log_odds(logits[:, :2], label=np.array([0, 1, 1, 0], np.int32))
    expected = (logits[:, 0] - logits[:, 1]) * np.array([1, -1, -1, 1])
    np.testing.assert_allclose(two, expected, rtol=1e-5)
