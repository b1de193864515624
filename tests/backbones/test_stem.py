"""The stem against NumPy, and the laws that it must keep."""

import math

import keras
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from textapps.backbones.stem import Stem

BATCH, TIME, WIDTH, UNITS = 3, 5, 4, 6
LENGTHS = np.array([5, 2, 0])


def mask_of(lengths, time=TIME):
    return np.arange(time) < np.asarray(lengths)[:, None]


def inputs(time=TIME, seed=1):
    return np.random.default_rng(seed).normal(size=(BATCH, time, WIDTH)).astype("float32")


def built(kernel, stride):
    """Every weight random, the bias too."""
    layer = Stem(UNITS, kernel, stride)
    layer.build((None, None, WIDTH))
    rng = np.random.default_rng(2)
    layer.set_weights([rng.normal(0, 0.5, w.shape) for w in layer.get_weights()])
    return layer


def gelu(x):
    return x * 0.5 * (1 + np.vectorize(math.erf)(x / math.sqrt(2)))


def oracle(layer, row):
    """One text without padding, sum by sum: float[length, width] → float[steps, units]."""
    kernel, bias = layer.get_weights()
    outputs = []
    for centre in range(0, len(row), layer.stride):
        total = bias.astype(float)
        for offset in range(layer.kernel):
            place = centre + offset - (layer.kernel - 1) // 2
            if 0 <= place < len(row):
                total = total + row[place] @ kernel[offset]
        outputs.append(gelu(total))
    return np.array(outputs)


SIZES = [(1, 1), (2, 1), (3, 1), (3, 2), (2, 3), (4, 2), (7, 3), (9, 7)]


@pytest.mark.parametrize(("kernel", "stride"), SIZES)
def test_equals_numpy_row_by_row(kernel, stride):
    layer, x = built(kernel, stride), inputs()
    outputs, mask = layer(x, mask=mask_of(LENGTHS))
    steps = -(-TIME // stride)
    assert (outputs.shape, mask.shape) == ((BATCH, steps, UNITS), (BATCH, steps))
    for row, length in enumerate(LENGTHS):
        expected = oracle(layer, x[row, :length])
        assert mask.numpy()[row].sum() == len(expected)
        assert mask.numpy()[row, : len(expected)].all()
        if length:
            actual = outputs.numpy()[row, : len(expected)]
            np.testing.assert_allclose(actual, expected, rtol=1e-5, atol=1e-5)


@settings(max_examples=25)  # each makes a layer of its own
@given(
    kernel=st.integers(1, 8),
    stride=st.integers(1, 6),
    lengths=st.lists(st.integers(0, TIME), min_size=BATCH, max_size=BATCH),
    more=st.integers(0, 7),
)
def test_padding_changes_nothing(kernel, stride, lengths, more):
    layer, x, mask = built(kernel, stride), inputs(), mask_of(lengths)
    filler = np.full((BATCH, more, WIDTH), 1e6)
    padded = np.concatenate([np.where(mask[:, :, None], x, 1e6), filler], axis=1)
    outputs, valid = layer(x, mask=mask)
    longer, still_valid = layer(padded.astype("float32"), mask=mask_of(lengths, TIME + more))
    steps = valid.shape[1]
    np.testing.assert_array_equal(still_valid[:, :steps], valid)
    assert not still_valid.numpy()[:, steps:].any()
    valid = valid.numpy()
    np.testing.assert_allclose(
        longer.numpy()[:, :steps][valid], outputs.numpy()[valid], rtol=1e-5, atol=1e-5
    )


@pytest.mark.parametrize("time", [1, 2, 7])
def test_a_graph_of_unknown_length_answers_the_same(time):
    layer, x = built(3, 2), inputs(time)
    specs = [tf.TensorSpec([None, None, WIDTH]), tf.TensorSpec([None, None], tf.bool)]
    graph = tf.function(lambda x, mask: layer(x, mask=mask), input_signature=specs)
    mask = mask_of([time, 1, 0], time)
    for actual, expected in zip(graph(x, mask), layer(x, mask=mask), strict=True):
        np.testing.assert_allclose(actual, expected, atol=1e-6)


def test_the_configuration_round_trip():
    layer = Stem(UNITS, 3, 2, name="stem", dtype="mixed_bfloat16")
    again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(layer))
    assert again.get_config() == layer.get_config()
    assert (again.units, again.kernel, again.stride) == (UNITS, 3, 2)
    outputs, _ = again(inputs(), mask=mask_of(LENGTHS))
    assert outputs.dtype == "bfloat16"
