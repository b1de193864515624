"""Pooling against NumPy, and the laws that it must keep."""

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given
from hypothesis import strategies as st

from textapps.backbones.pooling import POOLINGS, Pooling

BATCH, TIME, WIDTH = 3, 5, 4
LENGTHS = np.array([5, 2, 0])
MASK = np.arange(TIME) < LENGTHS[:, None]


def inputs(time=TIME, seed=1):
    # Far from zero, so that zeros of the padding cannot hide in a maximum or a mean.
    return np.random.default_rng(seed).normal(-3, 1, (BATCH, time, WIDTH)).astype("float32")


def built(kind, window=None):
    """Every weight random, the biases too."""
    layer = Pooling(kind, window)
    layer.build((None, None, WIDTH))
    rng = np.random.default_rng(2)
    layer.set_weights([rng.normal(0, 0.7, w.shape) for w in layer.get_weights()])
    return layer


def attention(layer, row):
    kernel, bias = layer.hidden.get_weights()
    (score,) = layer.score.get_weights()
    weights = np.exp(np.tanh(row @ kernel + bias) @ score)
    return (row * weights / weights.sum()).sum(axis=0)


ORACLES = {
    "max": lambda layer, row: row.max(axis=0),
    "mean": lambda layer, row: row.mean(axis=0),
    "attention": attention,
    "max_mean": lambda layer, row: np.concatenate([row.max(axis=0), row.mean(axis=0)]),
}


def test_every_kind_has_an_oracle():
    assert set(ORACLES) == set(POOLINGS)


@pytest.mark.parametrize("kind", POOLINGS)
def test_equals_numpy_row_by_row_and_nothing_gives_zeros(kind):
    layer, x = built(kind), inputs()
    pooled = layer(x, mask=MASK).numpy()
    assert pooled.shape == (BATCH, 2 * WIDTH if kind == "max_mean" else WIDTH)
    for row, length in enumerate(LENGTHS[:2]):
        expected = ORACLES[kind](layer, x[row, :length])
        np.testing.assert_allclose(pooled[row], expected, rtol=1e-5, atol=1e-6)
    np.testing.assert_array_equal(pooled[2], 0)


@pytest.mark.slow
@pytest.mark.parametrize("kind", POOLINGS)
@given(more=st.integers(0, 7), seed=st.integers(0, 99))
def test_padding_changes_nothing(kind, more, seed):
    layer, x = built(kind), inputs(seed=seed)
    filler = np.full((BATCH, more, WIDTH), 1e6, "float32")
    padded = np.concatenate([np.where(MASK[:, :, None], x, 1e6), filler], axis=1)
    mask = np.concatenate([MASK, np.zeros((BATCH, more), bool)], axis=1)
    pooled, longer = layer(x, mask=MASK), layer(padded.astype("float32"), mask=mask)
    np.testing.assert_allclose(longer, pooled, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("kind", POOLINGS)
def test_gradients_are_finite_and_only_from_valid_positions(kind):
    layer, x = built(kind), tf.constant(inputs())
    with tf.GradientTape() as tape:
        tape.watch(x)
        total = tf.reduce_sum(layer(x, mask=MASK) ** 2)
    gradient = tape.gradient(total, x).numpy()
    assert np.isfinite(gradient).all()
    assert (gradient[~MASK] == 0).all()
    assert (gradient[:2].reshape(2, -1) != 0).any(axis=1).all()


@pytest.mark.parametrize("kind", POOLINGS)
def test_bfloat16_is_exact_enough_over_many_positions(kind):
    """bfloat16 counts no further than 256."""
    layer = Pooling(kind, dtype="mixed_bfloat16")
    pooled = layer(np.full((2, 1000, WIDTH), 2.0, "float32"), mask=np.ones((2, 1000), bool))
    assert pooled.dtype == "bfloat16"
    np.testing.assert_allclose(tf.cast(pooled, "float32"), 2.0, rtol=0.01)


@pytest.mark.parametrize("kind", POOLINGS)
def test_without_a_mask_everything_is_valid(kind):
    layer, x = built(kind), inputs()
    expected = layer(x, mask=np.ones((BATCH, TIME), bool))
    np.testing.assert_array_equal(layer(x), expected)


@pytest.mark.parametrize("window", [1, 3, 9])
@pytest.mark.parametrize("kind", POOLINGS)
def test_each_position_has_the_pooled_window_that_ends_there(kind, window):
    layer, x = built(kind, window), inputs()
    slid, state = layer.slide(x)
    for end in range(TIME):
        expected = layer(x[:, max(0, end + 1 - window) : end + 1])
        np.testing.assert_allclose(slid[:, end], expected, rtol=1e-5, atol=1e-6)
    assert state["past"].shape == (BATCH, window - 1, WIDTH)
    assert (state["length"].numpy() == min(TIME, window - 1)).all()


def test_without_a_window_nothing_slides():
    with pytest.raises(ValueError, match="without a window"):
        built("mean").slide(inputs())
