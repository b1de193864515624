"""What holds for every layer that is a stateful map over chunks: one table of contracts."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.backbones.maps import (
    BATCH,
    BOTH_WAYS,
    KINDS,
    MEMORY_UNITS,
    STATEFUL,
    TIME,
    TOY,
    UNITS,
    built,
    caller,
    close,
    make,
    same_state,
    width_of,
)
from textapps.backbones.backbone import Backbone
from textapps.backbones.config import BackboneConfig
from textapps.training.seeding import seed_everything

every_map = pytest.mark.parametrize("name", STATEFUL)
every_kind = pytest.mark.parametrize("kind", KINDS)
both_ways = pytest.mark.parametrize(
    ("name", "causal"), BOTH_WAYS, ids=[f"{n}, {'causal' if c else 'not'}" for n, c in BOTH_WAYS]
)


def mask_of(lengths, time):
    return np.arange(time) < np.asarray(lengths)[:, None]


@every_map
@given(
    lengths=st.lists(
        st.lists(st.integers(0, 5), min_size=BATCH, max_size=BATCH), min_size=1, max_size=5
    ),
    padding=st.integers(0, 2),
    seed=st.integers(0, 2**16),
)
@settings(max_examples=10)
def test_any_cut_of_each_row_gives_the_outputs_of_one_call(name, lengths, padding, seed):
    """The law: rows of unequal lengths in chunks of unequal lengths, each with any padding."""
    layer, totals = built(name), np.sum(lengths, axis=0)
    x = layer.inputs(int(totals.max()), seed)
    state, starts, found = layer.start(), np.zeros(BATCH, int), [[] for _ in range(BATCH)]
    for sizes in np.array(lengths):
        chunk = np.full((BATCH, sizes.max() + padding, layer.width), 1e3, "float32")
        for row, size in enumerate(sizes):
            chunk[row, :size] = x[row, starts[row] : starts[row] + size]
        outputs, valid, state = layer.run(chunk, mask_of(sizes, chunk.shape[1]), state)
        for row in range(BATCH):
            found[row].extend(outputs.numpy()[row, valid.numpy()[row]])
        starts += sizes
    whole, _, last = layer.run(x, mask_of(totals, x.shape[1]), layer.start())
    for row, total in enumerate(totals):
        assert len(found[row]) == -(-total // layer.stride)
        if total:
            close(found[row], whole[row, : len(found[row])])
    same_state(state, last)


@every_map
def test_none_zeros_and_the_initial_state_are_the_same_start(name):
    layer, x = built(name), built(name).inputs()
    zeros = layer.start()
    outputs, none, state = layer.call(x)
    again, valid, same = layer.run(x, np.ones((BATCH, TIME), bool), zeros)
    assert none is None
    assert valid.numpy().all()
    for leaf in tf.nest.flatten(zeros):
        assert leaf.shape[0] == BATCH
        assert not np.any(leaf)
    close(outputs, again)
    same_state(state, same)


@every_map
def test_an_empty_chunk_and_a_masked_chunk_leave_the_state_as_it_was(name):
    layer, x = built(name), built(name).inputs(4)
    _, _, state = layer.run(x, np.ones((BATCH, 4), bool), layer.start())
    outputs, _, same = layer.run(x[:, :0], np.ones((BATCH, 0), bool), state)
    _, valid, also_same = layer.run(x, np.zeros((BATCH, 4), bool), state)
    assert outputs.shape[:2] == (BATCH, 0)
    assert not valid.numpy().any()
    for old, one, two in zip(*map(tf.nest.flatten, (state, same, also_same)), strict=True):
        np.testing.assert_array_equal(old, one)
        np.testing.assert_array_equal(old, two)


@both_ways
def test_neither_padding_nor_neighbours_change_an_output(name, causal):
    layer, x = built(name, causal), built(name, causal).inputs()
    lengths = [TIME, 4, 0]
    mask = np.pad(mask_of(lengths, TIME), ((0, 0), (0, 3)))
    padded = np.where(mask[..., None], np.pad(x, ((0, 0), (0, 3), (0, 0))), 1e3)
    outputs, valid, _ = layer.run(padded.astype("float32"), mask, layer.start())
    assert outputs.dtype == "float32"
    assert np.isfinite(outputs).all()
    np.testing.assert_array_equal(valid.numpy().sum(axis=1), -(-np.array(lengths) // layer.stride))
    for row, length in enumerate(lengths[:2]):
        alone, _, _ = layer.run(
            x[row : row + 1, :length], mask_of([length], length), layer.start(1)
        )
        close(outputs[row, : alone.shape[1]], alone[0])


@both_ways
def test_a_causal_one_sees_nothing_that_comes_later_and_the_other_does(name, causal):
    layer = built(name, causal)
    x = layer.inputs()
    changed, step = x.copy(), (TIME - 1) // layer.stride
    changed[:, step * layer.stride, 0] += 1  # one feature: a shift of all would be normalised away
    mask = np.ones((BATCH, TIME), bool)
    one, other = (layer.run(each, mask, layer.start())[0] for each in (x, changed))
    difference = np.abs(one - other).max(axis=(0, 2))
    assert difference[step] > 1e-4
    if causal:
        assert difference[:step].max() < 1e-6
    elif name in KINDS:
        assert difference[:step].min() > 1e-7


@pytest.mark.slow
@both_ways
def test_no_rows_and_no_positions_give_no_outputs(name, causal):
    layer = built(name, causal)
    steps = -(-TIME // layer.stride)
    outputs, _, _ = layer.run(layer.inputs()[:0], np.ones((0, TIME), bool), layer.start(0))
    assert outputs.shape[:2] == (0, steps)
    outputs, _, _ = layer.run(layer.inputs(0), np.ones((BATCH, 0), bool), layer.start())
    assert outputs.shape[:2] == (BATCH, 0)


@both_ways
def test_gradients_are_finite_and_reach_every_weight_and_the_first_valid_input(name, causal):
    layer = make(name, causal)
    layer.build((None, None, width_of(name)))
    x, mask = built(name, causal).inputs(5), mask_of([5, 3, 1], 5)
    x = tf.constant(np.where(mask[..., None], x, 9).astype("float32"))
    with tf.GradientTape() as tape:
        tape.watch(x)
        outputs, valid, _ = caller(layer)(x, mask)
        weights = np.random.default_rng(4).normal(size=outputs.shape).astype("float32")
        if causal and name in KINDS:  # back through time, from the last position alone
            weights = np.where(mask_of([4, 2, 0], 5)[..., None], 0, weights)
        total = tf.reduce_sum(tf.where(valid[..., None], outputs * weights, 0))
    gradient, *others = tape.gradient(total, [x, *layer.trainable_variables])
    reached = np.abs(gradient).max(axis=-1) > 0
    assert not reached[~mask].any()
    assert reached[:, 0].all()
    for variable, found in zip(layer.trainable_variables, others, strict=True):
        assert found is not None, variable.path
        assert np.isfinite(found).all(), variable.path
        assert np.abs(found).max() > 0, variable.path


@pytest.mark.slow
@every_map
def test_made_again_from_its_configuration_with_its_weights_it_is_the_same(name):
    options = {"causal": False, "dropout": 0.3} if name in KINDS else {}
    layer = make(name, dtype="mixed_bfloat16", **options)
    again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(layer))
    assert again.get_config() == layer.get_config()
    for each in (layer, again):
        each.build((None, None, width_of(name)))
    again.set_weights(layer.get_weights())
    x = built(name).inputs(3)
    outputs, _, _ = caller(layer)(x)
    assert outputs.dtype == "bfloat16"
    np.testing.assert_array_equal(outputs, caller(again)(x)[0])


@every_map
def test_mixed_bfloat16_stays_near_float32(name):
    layer, half = built(name), make(name, dtype="mixed_bfloat16")
    half.build((None, None, layer.width))
    half.set_weights(layer.layer.get_weights())
    assert all(weight.dtype == "float32" for weight in half.trainable_variables)
    x, call, mask = layer.inputs(4), caller(half), np.ones((BATCH, 4), bool)
    _, _, state = call(x)
    outputs, _, _ = call(x, state=state)
    _, _, state = layer.run(x, mask, layer.start())
    expected, _, _ = layer.run(x, mask, state)
    scale = np.maximum(1, np.abs(expected))
    assert np.max(np.abs(tf.cast(outputs, "float32") - expected) / scale) < 0.15


@pytest.mark.slow
@every_kind
@given(
    beams=st.integers(1, 3),
    parents=st.lists(st.lists(st.integers(0, 2), min_size=9, max_size=9), min_size=1, max_size=7),
)
@settings(max_examples=6)
def test_a_search_gives_the_outputs_of_one_call_over_each_row_and_its_past(kind, beams, parents):
    """Whatever rows of a search go on, and also where they have read more than the context."""
    layer, draw = built(kind), np.random.default_rng(4)
    state, rows = layer.layer.search_state(BATCH, beams), BATCH
    pasts = np.zeros((BATCH, 0, UNITS), "float32")
    for wanted in parents:
        x = draw.normal(size=(rows, 1, UNITS)).astype("float32")
        outputs, _, state = layer.call(x, None, state)
        pasts = np.concatenate([pasts, x], axis=1)
        whole, _, _ = layer.run(pasts, np.ones(pasts.shape[:2], bool), layer.start(rows))
        close(outputs[:, 0], whole[:, -1])
        width = rows // BATCH
        chosen = np.reshape(wanted, (BATCH, 3))[:, :beams] % width
        chosen = (chosen + width * np.arange(BATCH)[:, None]).reshape(-1)
        state, pasts, rows = layer.layer.reorder(state, chosen), pasts[chosen], BATCH * beams


@every_kind
@given(before=st.lists(st.integers(0, 7), min_size=BATCH, max_size=BATCH), steps=st.integers(0, 6))
@settings(max_examples=6)
def test_decoding_gives_the_outputs_of_one_call(kind, before, steps):
    """Rows that have read unequally much go on one position at a time, past the context."""
    layer, x = built(kind), built(kind).inputs(7 + steps)
    _, _, state = layer.run(x[:, :7], mask_of(before, 7), layer.start())
    expected, _, after = layer.run(x[:, 7:], np.ones((BATCH, steps), bool), state)
    decoding = layer.layer.begin_decode(state, 6)
    for step in range(steps):
        outputs, _, decoding = layer.call(x[:, 7 + step : 8 + step], None, decoding)
        close(outputs, expected[:, step : step + 1])
    same_state(layer.layer.end_decode(decoding), after)


@every_kind
def test_dropout_acts_in_training_only(kind):
    layer, x = make(kind, causal=False, dropout=0.5), built(kind).inputs(3)
    still, again = layer(x)[0], layer(x, training=False)[0]
    np.testing.assert_array_equal(still, again)
    assert np.abs(layer(x, training=True)[0] - still).max() > 1e-2


@every_kind
def test_the_memory_reaches_the_outputs(kind):
    layer, x = built(kind), built(kind).inputs(4)
    memory = layer.layer.prepare_memory(np.ones((1, 2, MEMORY_UNITS), "float32"))
    other, _ = layer.layer(x, memory=memory)
    assert np.abs(layer.call(x)[0] - other).max() > 1e-3
    assert make(kind, causal=False).prepare_memory(np.ones((1, 2, 3))) is None


@pytest.mark.parametrize("kind", ["lstm", "transformer", TOY])
def test_a_saved_model_loads_with_equal_answers(kind, tmp_path):
    seed_everything(11)
    x = keras.Input((None, UNITS), name="x")
    mask = keras.Input((None,), dtype="bool", name="mask")
    config = BackboneConfig(kind=kind, units=UNITS, heads=2, dropout=0.1)
    outputs, _ = Backbone(config, causal=kind != "lstm")(x, mask=mask)
    model = keras.Model({"x": x, "mask": mask}, outputs)
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    batch = {"x": built(kind).inputs(5), "mask": mask_of([5, 3, 1], 5)}
    np.testing.assert_array_equal(model(batch)[:, :1], loaded(batch)[:, :1])
