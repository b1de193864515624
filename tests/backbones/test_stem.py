"""The stem against NumPy, and the laws that it must keep."""

import itertools
import math

import keras
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from textapps.backbones.stem import KINDS, Stem

BATCH, TIME, WIDTH, UNITS = 3, 5, 4, 6
LENGTHS = np.array([5, 2, 0])


def mask_of(lengths, time=TIME):
    return np.arange(time) < np.asarray(lengths)[:, None]


def inputs(time=TIME, seed=1):
    return np.random.default_rng(seed).normal(size=(BATCH, time, WIDTH)).astype("float32")


def built(kernel, stride, **options):
    """Every weight random, the bias too."""
    layer = Stem(UNITS, kernel, stride, **options)
    layer.build((None, None, WIDTH))
    rng = np.random.default_rng(2)
    for weight in layer.trainable_variables:
        weight.assign(rng.normal(0, 0.5, weight.shape))
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
    outputs, mask, state = layer(x, mask=mask_of(LENGTHS))
    steps = -(-TIME // stride)
    assert state == ()
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
    outputs, valid, _ = layer(x, mask=mask)
    longer, still_valid, _ = layer(padded.astype("float32"), mask=mask_of(lengths, TIME + more))
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
    for actual, expected in zip(graph(x, mask)[:2], layer(x, mask=mask)[:2], strict=True):
        np.testing.assert_allclose(actual, expected, atol=1e-6)


@pytest.mark.parametrize("kind", KINDS)
def test_without_a_mask_everything_is_valid(kind):
    layer, x = built(4, 2, kind=kind), inputs()
    outputs, none, _ = layer(x)
    expected, _, _ = layer(x, mask=np.ones((BATCH, TIME), bool))
    assert none is None
    np.testing.assert_array_equal(outputs, expected)


def grid_oracle(layer, row):
    """float[length, width] → float[steps, ceil(width / 2) · channels], sum by sum."""
    kernel, bias = layer.get_weights()
    before = (layer.kernel - 1) // 2
    outputs = []
    for centre in range(0, len(row), layer.stride):
        channels = []
        for middle in range(0, row.shape[1], 2):
            total = bias.astype(float)
            for i, j in itertools.product(range(layer.kernel), repeat=2):
                time = centre + i - (layer.kernel - 1 if layer.causal else before)
                feature = middle + j - before
                if 0 <= time < len(row) and 0 <= feature < row.shape[1]:
                    total = total + row[time, feature] * kernel[i, j, 0]
            channels.append(total)
        outputs.append(np.concatenate(channels))
    return gelu(np.array(outputs))


@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize(("kernel", "stride"), [(1, 1), (3, 1), (4, 2), (5, 3)])
def test_a_grid_equals_numpy(kernel, stride, causal):
    layer = built(kernel, stride, kind="grid", causal=causal)
    outputs, _, _ = layer(inputs())
    assert layer.outputs_width == outputs.shape[-1] == UNITS * 2
    for row in range(BATCH):
        expected = grid_oracle(layer, inputs()[row])
        np.testing.assert_allclose(outputs[row], expected, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("stride", [1, 2])
def test_a_separable_convolution_is_the_full_one_of_its_product(stride):
    layer, full = built(3, stride, kind="separable"), built(3, stride)
    depthwise, pointwise, bias = layer.get_weights()
    full.set_weights([depthwise[:, :, 0, None] * pointwise, bias])
    np.testing.assert_allclose(layer(inputs())[0], full(inputs())[0], rtol=1e-5, atol=1e-5)
    assert depthwise.size + pointwise.size < full.get_weights()[0].size


@pytest.mark.parametrize("kind", KINDS)
def test_a_causal_one_sees_nothing_that_comes_later(kind):
    layer, x = built(3, 2, kind=kind, causal=True), inputs()
    changed = x.copy()
    changed[:, 3:] += 1
    difference = np.abs(layer(changed)[0] - layer(x)[0]).max(axis=(0, 2))
    assert (difference > 1e-3).tolist() == [False, False, True]


@pytest.mark.parametrize("normalization", ["batch", "layer"])
@pytest.mark.parametrize("kind", KINDS)
def test_a_normalisation_comes_before_the_activation(kind, normalization):
    layer = built(3, 2, kind=kind, normalization=normalization, activation="relu")
    outputs = layer(inputs())[0].numpy()
    assert outputs.min() == 0 < outputs.max()
    training = layer(inputs(), training=True)[0].numpy()
    assert np.array_equal(training, outputs) == (normalization == "layer")


def test_the_configuration_round_trip():
    options = {"kind": "separable", "causal": True, "normalization": "layer", "activation": "silu"}
    layer = Stem(UNITS, 3, 2, **options, name="stem", dtype="mixed_bfloat16")
    again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(layer))
    assert again.get_config() == layer.get_config()
    assert (again.units, again.kernel, again.stride) == (UNITS, 3, 2)
    assert {name: again.get_config()[name] for name in options} == options
    outputs, _, _ = again(inputs(), mask=mask_of(LENGTHS))
    assert outputs.dtype == "bfloat16"
