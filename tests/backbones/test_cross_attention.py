"""What holds for every kind of attention to a memory, and each against NumPy."""

from typing import get_args

import numpy as np
import pytest
import tensorflow as tf
from scipy import special

from textapps.backbones.backbone import Backbone
from textapps.backbones.config import Attention, BackboneConfig
from textapps.backbones.cross_attention import CROSS_ATTENTIONS
from textapps.training.seeding import seed_everything

BATCH, TIME, UNITS, SOURCE, MEMORY_UNITS, HEADS = 3, 5, 8, 6, 7, 2

every_attention = pytest.mark.parametrize("attention", CROSS_ATTENTIONS)


def random(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape).astype("float32")


X, ENCODED = random(BATCH, TIME, UNITS), random(BATCH, SOURCE, MEMORY_UNITS, seed=1)
MASK = np.arange(SOURCE) < np.array([[SOURCE], [4], [1]])


def layer_of(attention, dtype=None):
    seed_everything(5)
    layer = CROSS_ATTENTIONS[attention](UNITS, HEADS, MEMORY_UNITS, dtype=dtype)
    layer.build((None, None, UNITS))
    return layer


def backbone_of(attention, kind="gru", **options):
    seed_everything(7)
    config = BackboneConfig(kind=kind, units=UNITS, layers=2, heads=HEADS, attention=attention)
    backbone = Backbone(config, memory_units=MEMORY_UNITS, **options)
    backbone.build((None, None, UNITS))
    return backbone


def multi_head(q, memory, query, key_value, output):
    keys, values = np.split(memory @ key_value, 2, axis=1)
    depth, mixed, weights = UNITS // HEADS, [], []
    for head in range(HEADS):
        part = slice(head * depth, (head + 1) * depth)
        scores = (q @ query)[:, part] @ keys[:, part].T / depth**0.5
        weights.append(special.softmax(scores, axis=1))
        mixed.append(weights[-1] @ values[:, part])
    return np.concatenate(mixed, 1) @ output, np.mean(weights, axis=0)


def dot(q, memory, query, output):
    weights = special.softmax(q @ query @ memory.T / MEMORY_UNITS**0.5, axis=1)
    return weights @ memory @ output, weights


def additive(q, memory, query, key, score, output):
    scores = [[score[:, 0] @ np.tanh(s @ query + h @ key) for h in memory] for s in q]
    weights = special.softmax(scores, axis=1)
    return weights @ memory @ output, weights


def none(q, memory, output):
    return np.tile(memory.mean(axis=0) @ output, (len(q), 1)), None


ORACLES = {"multi-head": multi_head, "dot": dot, "additive": additive, "none": none}


def test_the_list_of_attentions():
    assert tuple(CROSS_ATTENTIONS) == get_args(Attention)


@every_attention
def test_outputs_and_weights_are_those_of_the_paper(attention):
    layer = layer_of(attention)
    weights = {w.path.split("/")[-2]: np.asarray(w) for w in layer.weights}
    memory = layer.prepare_memory(ENCODED, MASK)
    outputs, found = layer(X, memory), layer.weights_of(X, memory)
    for row, length in enumerate(MASK.sum(axis=1)):
        expected, shares = ORACLES[attention](X[row], ENCODED[row, :length], **weights)
        np.testing.assert_allclose(outputs[row], expected, atol=1e-5)
        if shares is None:
            assert found is None
            continue
        mean = np.mean(found, axis=1)[row]
        np.testing.assert_allclose(mean[:, :length], shares, atol=1e-5)
        assert not mean[:, length:].any()


@every_attention
def test_the_memory_reaches_the_outputs_and_its_padding_does_not(attention):
    layer = layer_of(attention)
    noisy = np.where(MASK[..., None], ENCODED, np.nan).astype("float32")
    wide = np.pad(noisy, ((0, 0), (0, 4), (0, 0)), constant_values=99)
    wide_mask = np.pad(MASK, ((0, 0), (0, 4)))
    outputs = layer(X, layer.prepare_memory(ENCODED, MASK))
    padded = layer(X, layer.prepare_memory(wide, wide_mask))
    other = layer(X, layer.prepare_memory(ENCODED + 1, MASK))
    np.testing.assert_allclose(outputs, padded, atol=1e-5)
    assert np.abs(outputs - other).max() > 1e-3
    for row, length in enumerate(MASK.sum(axis=1)):
        alone = layer.prepare_memory(ENCODED[row : row + 1, :length])
        single = layer(X[row : row + 1], alone)
        np.testing.assert_allclose(outputs[row : row + 1], single, atol=1e-5)


@every_attention
def test_a_source_of_padding_alone_is_nothing(attention):
    layer = layer_of(attention)
    nothing = layer.prepare_memory(ENCODED, np.zeros_like(MASK))
    np.testing.assert_array_equal(layer(X, nothing), np.zeros_like(X))


@every_attention
def test_rows_that_share_a_memory_need_no_copies_of_it(attention):
    """As the beams of a sentence: 4 for each of the 3 rows of the memory."""
    layer, beams = layer_of(attention), 4
    x = random(BATCH * beams, TIME, UNITS, seed=3)
    memory = layer.prepare_memory(ENCODED, MASK)
    copies = tf.nest.map_structure(lambda leaf: tf.repeat(leaf, beams, axis=0), memory)
    expected = layer(x, copies)
    np.testing.assert_allclose(layer(x, memory), expected, atol=1e-5)

    @tf.function(input_signature=[tf.TensorSpec([None, None, UNITS])], autograph=False)
    def shared(x):
        return layer(x, memory)

    np.testing.assert_allclose(shared(x), expected, atol=1e-5)
    assert shared(x[:, :0]).shape == (BATCH * beams, 0, UNITS)


@every_attention
def test_an_empty_batch_has_empty_outputs(attention):
    layer = layer_of(attention)

    @tf.function(
        input_signature=[
            tf.TensorSpec([None, None, UNITS]),
            tf.TensorSpec([None, None, MEMORY_UNITS]),
        ],
        autograph=False,
    )
    def run(x, encoded):
        return layer(x, layer.prepare_memory(encoded))

    assert run(X[:0], ENCODED[:0]).shape == (0, TIME, UNITS)
    assert run(X, ENCODED).shape == (BATCH, TIME, UNITS)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["lstm", "transformer"])
@every_attention
def test_weights_for_pictures_are_those_that_are_used(kind, attention):
    """Of any block: a change of the source where a block does not look changes nothing."""
    backbone = backbone_of(attention, kind)
    memory = backbone.prepare_memory(ENCODED, MASK)
    if attention == "none":
        assert backbone.attention_weights(X, memory=memory) is None
        return
    used = []
    for block in backbone.blocks:
        layer, old = block.cross_attention, block.cross_attention.weights_of

        def spy(inputs, memory, old=old):
            used.append(old(inputs, memory))
            return used[-1]

        layer.weights_of = spy
    backbone(X, memory=memory)
    expected = [np.mean(weights, axis=1) for weights in used]
    for number in (0, 1, -1):
        found = backbone.attention_weights(X, memory=memory, block=number)
        assert found.shape == (BATCH, TIME, SOURCE)
        assert found.dtype == "float32"
        np.testing.assert_allclose(found, expected[number], atol=1e-6)
        np.testing.assert_allclose(np.sum(found, axis=-1), 1, atol=1e-5)
    _, state = backbone(X[:, :2], memory=memory)
    rest = backbone.attention_weights(X[:, 2:], state, memory=memory)
    np.testing.assert_allclose(rest, expected[-1][:, 2:], atol=1e-5)


@every_attention
def test_gradients_reach_the_source_and_every_weight(attention):
    layer, encoded = layer_of(attention), tf.constant(ENCODED)
    with tf.GradientTape() as tape:
        tape.watch(encoded)
        outputs = layer(X, layer.prepare_memory(encoded, MASK))
        loss = tf.reduce_sum(outputs * random(UNITS, seed=4))
    gradients = tape.gradient(loss, [encoded, *layer.trainable_variables])
    per_position = np.abs(gradients[0]).max(axis=-1)
    np.testing.assert_array_equal(per_position > 0, MASK)
    for variable, gradient in zip(layer.trainable_variables, gradients[1:], strict=True):
        assert gradient is not None, variable.path
        assert np.abs(gradient).max() > 0, variable.path


@every_attention
def test_a_layer_makes_the_same_round_trip(attention):
    layer = layer_of(attention)
    again = type(layer).from_config(layer.get_config())
    assert again.get_config() == layer.get_config()
