"""Cutting a sequence into chunks never changes what comes out."""

import functools

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from textapps.backbones.backbone import Backbone
from textapps.backbones.config import BACKBONES, BackboneConfig
from textapps.backbones.cross_attention import CROSS_ATTENTIONS
from textapps.training.seeding import seed_everything

BATCH, TIME, UNITS, SOURCE, MEMORY_UNITS, CONTEXT = 3, 11, 8, 7, 5, 4


@functools.cache
def causal(kind: str, cross: str | None = None):
    """A backbone with random weights as a graph function, and its zero state."""
    seed_everything(1)
    config = BackboneConfig(
        kind=kind,
        units=UNITS,
        layers=2,
        heads=2,
        context=CONTEXT,
        attention=cross or "multi-head",
    )
    backbone = Backbone(config, memory_units=MEMORY_UNITS if cross else None)
    backbone.build((None, None, UNITS))
    rng = np.random.default_rng(5)
    for weight in backbone.trainable_variables:  # norms and biases away from one and zero
        weight.assign(weight + rng.normal(0, 0.1, weight.shape))
    memory = memory_of(backbone) if cross else None
    zeros = backbone.initial_state(BATCH)

    @tf.function(
        input_signature=[
            tf.TensorSpec([BATCH, None, UNITS]),
            tf.TensorSpec([BATCH, None], tf.bool),
            tf.nest.map_structure(lambda leaf: tf.TensorSpec(leaf.shape, leaf.dtype), zeros),
        ]
    )
    def run(x, mask, state):
        return backbone(x, state, mask=mask, memory=memory)

    return backbone, run, zeros


def memory_of(backbone):
    source_mask = np.arange(SOURCE) < np.array([[SOURCE], [4], [1]])
    encoded = np.random.default_rng(6).normal(size=(BATCH, SOURCE, MEMORY_UNITS))
    return backbone.prepare_memory(encoded.astype("float32"), source_mask)


def close(actual, expected):
    expected = np.asarray(expected)
    return np.all(np.abs(actual - expected) <= 1e-5 * np.maximum(1, np.abs(expected)))


@pytest.mark.parametrize(
    ("kind", "cross"),
    [
        *((kind, cross) for kind in BACKBONES for cross in (None, "multi-head")),
        *(("gru", cross) for cross in CROSS_ATTENTIONS if cross != "multi-head"),
        *(("transformer", cross) for cross in CROSS_ATTENTIONS if cross != "multi-head"),
    ],
)
@given(data=st.data())
@settings(max_examples=12, deadline=None)
def test_any_cut_with_any_padding_gives_the_outputs_of_one_call(kind, cross, data):
    _, run, zeros = causal(kind, cross)
    seed = data.draw(st.integers(0, 2**16))
    lengths = np.array(data.draw(st.lists(st.integers(0, 5), min_size=1, max_size=6)))
    total = int(lengths.sum())
    x = np.random.default_rng(seed).normal(size=(BATCH, total, UNITS)).astype("float32")
    whole, last = run(x, np.ones((BATCH, total), bool), zeros)
    state, pieces, start = zeros, [], 0
    for length in lengths:
        padding = data.draw(st.integers(0, 3))
        chunk = np.full((BATCH, length + padding, UNITS), 7.0, "float32")
        chunk[:, :length] = x[:, start : start + length]
        mask = np.broadcast_to(np.arange(length + padding) < length, chunk.shape[:2])
        outputs, state = run(chunk, mask, state)
        pieces.append(outputs[:, :length])
        start += length
    assert close(np.concatenate(pieces, axis=1), whole)
    for leaf, expected in zip(tf.nest.flatten(state), tf.nest.flatten(last), strict=True):
        valid = min(total, CONTEXT)
        if len(leaf.shape) == 3:  # what lies in the empty slots of a cache means nothing
            leaf, expected = leaf[:, CONTEXT - valid :], expected[:, CONTEXT - valid :]
        assert close(leaf, expected)


@pytest.mark.parametrize("kind", BACKBONES)
@given(
    beams=st.integers(1, 3),
    parents=st.lists(st.lists(st.integers(0, 2), min_size=9, max_size=9), min_size=1, max_size=7),
)
@settings(max_examples=12, deadline=None)
def test_a_search_gives_the_outputs_of_one_call_over_each_row_and_its_past(kind, beams, parents):
    """Whatever rows of a search go on, and also where they have read more than the context."""
    backbone, run, zeros = causal(kind)
    draw = np.random.default_rng(4)
    state, rows = backbone.search_state(BATCH, beams), BATCH
    pasts = np.zeros((BATCH, 0, UNITS), "float32")
    for wanted in parents:
        x = draw.normal(size=(rows, 1, UNITS)).astype("float32")
        outputs, state = backbone(x, state)
        pasts = np.concatenate([pasts, x], axis=1)
        for search in range(BATCH):  # `run` has as many rows as there are searches
            row = search * (rows // BATCH) + wanted[0] % (rows // BATCH)
            whole, _ = run(pasts[[row] * BATCH], np.ones((BATCH, pasts.shape[1]), bool), zeros)
            assert close(outputs[row, 0], whole[0, -1])
        width = rows // BATCH
        chosen = (
            np.reshape(wanted, (BATCH, 3))[:, :beams] % width + width * np.arange(BATCH)[:, None]
        )
        state, pasts = backbone.reorder(state, chosen.reshape(-1)), pasts[chosen.reshape(-1)]
        rows = BATCH * beams


@pytest.mark.parametrize("kind", BACKBONES)
def test_rows_of_unequal_lengths_carry_their_own_state(kind):
    backbone, run, zeros = causal(kind)
    x = np.random.default_rng(3).normal(size=(BATCH, TIME, UNITS)).astype("float32")
    first = np.array([4, 0, 2])  # how much of each row the first chunk holds
    chunk, rest = np.zeros((BATCH, 4, UNITS), "float32"), np.zeros((BATCH, TIME, UNITS), "float32")
    for row, length in enumerate(first):
        chunk[row, :length] = x[row, :length]
        rest[row, : TIME - length] = x[row, length:]
    _, state = run(chunk, np.arange(4) < first[:, None], zeros)
    outputs, _ = run(rest, np.arange(TIME) < TIME - first[:, None], state)
    whole, _ = backbone(x)
    for row, length in enumerate(first):
        assert close(outputs[row, : TIME - length], whole[row, length:])


@pytest.mark.parametrize("kind", BACKBONES)
def test_an_empty_chunk_and_a_masked_chunk_leave_the_state_as_it_was(kind):
    _, run, zeros = causal(kind)
    x = np.random.default_rng(4).normal(size=(BATCH, 3, UNITS)).astype("float32")
    _, state = run(x, np.ones((BATCH, 3), bool), zeros)
    empty, same = run(x[:, :0], np.ones((BATCH, 0), bool), state)
    _, also_same = run(x, np.zeros((BATCH, 3), bool), state)
    assert empty.shape == (BATCH, 0, UNITS)
    for old, one, two in zip(*map(tf.nest.flatten, (state, same, also_same)), strict=True):
        np.testing.assert_array_equal(old, one)
        np.testing.assert_array_equal(old, two)


@pytest.mark.parametrize("kind", BACKBONES)
def test_zeros_none_and_the_initial_state_are_the_same_start(kind):
    backbone, _, _ = causal(kind)
    x = np.random.default_rng(6).normal(size=(BATCH, TIME, UNITS)).astype("float32")
    zeros = backbone.initial_state(BATCH)
    assert all(not np.any(leaf) for leaf in tf.nest.flatten(zeros))
    assert all(leaf.shape[0] == BATCH for leaf in tf.nest.flatten(zeros))
    assert close(backbone(x, zeros)[0], backbone(x)[0])


def test_the_transformer_forgets_what_lies_beyond_its_context():
    config = BackboneConfig(kind="transformer", units=UNITS, heads=2, context=CONTEXT)
    backbone = Backbone(config)
    x = np.random.default_rng(7).normal(size=(1, TIME, UNITS)).astype("float32")
    changed = x.copy()
    changed[:, 0, 0] += 1  # of one feature: a shift of all would be normalised away
    difference = np.abs(backbone(changed)[0] - backbone(x)[0]).max(axis=(0, 2))
    assert np.all(difference[: CONTEXT + 1] > 1e-4)
    assert np.all(difference[CONTEXT + 1 :] < 1e-6)


@pytest.mark.parametrize("cross", [None, "multi-head"])
@pytest.mark.parametrize("kind", BACKBONES)
@given(before=st.lists(st.integers(0, 7), min_size=BATCH, max_size=BATCH), steps=st.integers(0, 6))
@settings(max_examples=12, deadline=None)
def test_an_open_state_gives_the_outputs_of_one_call(kind, cross, before, steps):
    """Rows that have read unequally much go on one position at a time, past the context."""
    backbone, run, zeros = causal(kind, cross)
    rng = np.random.default_rng(sum(before) + steps)
    x = rng.normal(size=(BATCH, 7 + steps, UNITS)).astype("float32")
    mask = np.arange(7) < np.array(before)[:, None]
    _, state = run(x[:, :7], mask, zeros)
    expected, after = run(x[:, 7:], np.ones((BATCH, steps), bool), state)
    opened = backbone.begin_decode(state, 6)
    for step in range(steps):
        outputs, opened = stepped(kind, cross)(x[:, 7 + step : 8 + step], opened)
        assert close(outputs, expected[:, step : step + 1])
    closed = backbone.end_decode(opened)
    tf.nest.assert_same_structure(closed, after)
    again = rng.normal(size=(BATCH, 2, UNITS)).astype("float32")
    mask = np.ones((BATCH, 2), bool)
    assert close(run(again, mask, closed)[0], run(again, mask, after)[0])


@functools.cache
def stepped(kind, cross):
    """`Backbone.call` of one position, as a graph."""
    backbone, _, _ = causal(kind, cross)
    memory = memory_of(backbone) if cross else None
    return tf.function(lambda x, state: backbone(x, state, memory=memory))
