"""The stack of convolutions: the chunk law, padding, sizes, and that it converts."""

import functools

import keras
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from textapps.backbones.config import StemConfig
from textapps.backbones.conv_stem import ConvStem
from textapps.exporting.lite import LiteModel, convert

BATCH, TIME, WIDTH, UNITS = 3, 13, 5, 6
CONFIGS = {
    "full": StemConfig(strides=(2, 1), kernel=4, activation="gelu"),
    "separable": StemConfig(strides=(1, 3, 1), kernel=3, separable=True, normalization="layer"),
    "grid": StemConfig(strides=(2, 2), kernel=3, channels=4, separable=True),
    "grid alone": StemConfig(strides=(3,), kernel=5, channels=2, normalization="none"),
    "pointwise": StemConfig(strides=(1, 2), kernel=1, normalization="none"),
    "none": StemConfig(strides=()),
}


@functools.cache
def built(name, causal=True):
    """Every weight random, the statistics of batches too."""
    stem = ConvStem(CONFIGS[name], UNITS, causal=causal)
    stem.build((None, None, WIDTH))
    rng = np.random.default_rng(2)
    for weight in stem.variables:
        if "seed" not in weight.path:
            weight.assign(rng.uniform(0.2, 0.7, weight.shape) * rng.choice([1, 1, -1]))
            if "variance" in weight.path:
                weight.assign(rng.uniform(0.5, 2, weight.shape))
    return stem


@functools.cache
def graph(name):
    stem = built(name)
    specs = [
        tf.TensorSpec([BATCH, None, WIDTH]),
        tf.TensorSpec([BATCH, None], tf.bool),
        tf.nest.map_structure(
            lambda leaf: tf.TensorSpec(leaf.shape, leaf.dtype), stem.initial_state(BATCH)
        ),
    ]
    return tf.function(
        lambda x, mask, state: stem(x, mask=mask, state=state), input_signature=specs
    )


def inputs(time=TIME, seed=1):
    return np.random.default_rng(seed).normal(size=(BATCH, time, WIDTH)).astype("float32")


def close(actual, expected):
    np.testing.assert_allclose(actual, expected, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("name", CONFIGS)
@settings(max_examples=10)
@given(
    lengths=st.lists(
        st.lists(st.integers(0, 5), min_size=BATCH, max_size=BATCH), min_size=1, max_size=5
    ),
    padding=st.integers(0, 2),
)
def test_any_cut_of_each_row_gives_the_outputs_of_one_call(name, lengths, padding):
    stem, totals = built(name), np.sum(lengths, axis=0)
    x = inputs(int(totals.max()))
    state, starts, found = stem.initial_state(BATCH), np.zeros(BATCH, int), [[], [], []]
    for sizes in np.array(lengths):
        chunk = np.full((BATCH, sizes.max() + padding, WIDTH), 1e3, "float32")
        for row, size in enumerate(sizes):
            chunk[row, :size] = x[row, starts[row] : starts[row] + size]
        outputs, mask, state = graph(name)(chunk, np.arange(chunk.shape[1]) < sizes[:, None], state)
        for row in range(BATCH):
            found[row].extend(outputs.numpy()[row, mask.numpy()[row]])
        starts += sizes
    whole, _, last = graph(name)(
        x, np.arange(x.shape[1]) < totals[:, None], stem.initial_state(BATCH)
    )
    for row, total in enumerate(totals):
        assert len(found[row]) == -(-total // CONFIGS[name].stride)
        if total:
            close(found[row], whole[row, : len(found[row])])
    for leaf, expected in zip(tf.nest.flatten(state), tf.nest.flatten(last), strict=True):
        close(leaf, expected)


@pytest.mark.parametrize("name", CONFIGS)
def test_none_and_zeros_are_the_same_start(name):
    stem, x = built(name), inputs()
    outputs, none, state = stem(x)
    zeros = stem.initial_state(BATCH)
    again, mask, same = graph(name)(x, np.ones((BATCH, TIME), bool), zeros)
    assert none is None
    assert mask.numpy().all()
    assert all(not np.any(leaf) for leaf in tf.nest.flatten(zeros))
    for one, other in zip(
        tf.nest.flatten((outputs, state)), tf.nest.flatten((again, same)), strict=True
    ):
        close(one, other)


@pytest.mark.parametrize("name", CONFIGS)
def test_an_empty_and_a_masked_chunk_leave_the_state_as_it_was(name):
    stem, x = built(name), inputs(4)
    _, _, state = stem(x)
    outputs, _, same = stem(x[:, :0], state=state)
    _, mask, also_same = stem(x, mask=np.zeros((BATCH, 4), bool), state=state)
    assert outputs.shape == (BATCH, 0, UNITS)
    assert not mask.numpy().any()
    for old, one, two in zip(*map(tf.nest.flatten, (state, same, also_same)), strict=True):
        np.testing.assert_array_equal(old, one)
        np.testing.assert_array_equal(old, two)


@pytest.mark.parametrize("causal", [True, False])
@pytest.mark.parametrize("name", CONFIGS)
def test_no_rows_and_no_inputs_give_no_outputs_in_a_graph(name, causal):
    stem = built(name, causal)

    @tf.function(input_signature=[tf.TensorSpec([None, None, WIDTH])])
    def outputs(x):
        return stem(x)[0]

    assert outputs(inputs()[:0]).shape == (0, len(stem(inputs())[0][0]), UNITS)
    assert outputs(inputs(0)).shape == (BATCH, 0, UNITS)


@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize("name", CONFIGS)
def test_padding_changes_nothing(name, causal):
    stem, x = built(name, causal), inputs()
    lengths = np.array([TIME, 4, 0])
    mask = np.arange(TIME) < lengths[:, None]
    padded = np.where(mask[:, :, None], x, 1e3).astype("float32")
    outputs, valid, _ = stem(padded, mask=mask)
    assert outputs.shape == (BATCH, -(-TIME // CONFIGS[name].stride), UNITS)
    for row, length in enumerate(lengths[:2]):
        alone, _, _ = stem(x[row : row + 1, :length])
        assert valid.numpy()[row].sum() == alone.shape[1]
        close(outputs[row, : alone.shape[1]], alone[0])
    assert not valid.numpy()[2].any()


@pytest.mark.parametrize("name", CONFIGS)
def test_the_configuration_round_trip(name):
    stem = ConvStem(CONFIGS[name], UNITS, causal=True, name="conv_stem")
    again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(stem))
    assert again.get_config() == stem.get_config()
    assert (again.config, again.units, again.causal) == (CONFIGS[name], UNITS, True)


@pytest.mark.parametrize("name", CONFIGS)
def test_gradients_reach_every_weight(name):
    stem = built(name)
    with tf.GradientTape() as tape:
        outputs, _, _ = stem(inputs(), training=True)
        total = tf.reduce_sum(outputs**2)
    for weight, gradient in zip(
        stem.trainable_variables, tape.gradient(total, stem.trainable_variables), strict=True
    ):
        assert gradient is not None, weight.path
        assert np.isfinite(gradient).all()


def test_channels_without_a_convolution_are_refused():
    with pytest.raises(ValueError, match="channels needs a convolution"):
        StemConfig(strides=(), channels=4)


@pytest.mark.parametrize("name", CONFIGS)
def test_converts_to_builtin_operations(name):
    stem, x = built(name, causal=False), inputs()[:1]
    content = convert(lambda x: stem(x)[0], tf.TensorSpec([1, TIME, WIDTH]))
    np.testing.assert_allclose(LiteModel(content)(x), stem(x)[0], atol=1e-4, rtol=1e-4)
