"""What holds for every backbone: one table-driven contract."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from textapps.backbones.backbone import Backbone
from textapps.backbones.config import BACKBONES, BackboneConfig
from textapps.core.errors import ConfigurationError
from textapps.training.seeding import seed_everything

BATCH, TIME, UNITS = 3, 5, 8

both_ways = pytest.mark.parametrize("causal", [True, False], ids=["causal", "both ways"])
every_kind = pytest.mark.parametrize("kind", BACKBONES)


def inputs(time=TIME, seed=0):
    return np.random.default_rng(seed).normal(size=(BATCH, time, UNITS)).astype("float32")


def make(kind, causal=True, memory_units=None, dtype=None, **options):
    seed_everything(11)
    config = BackboneConfig(kind=kind, units=UNITS, layers=2, heads=2, **options)
    return Backbone(config, causal=causal, memory_units=memory_units, dtype=dtype)


def test_the_list_of_backbones():
    assert BACKBONES == ("simple_rnn", "lstm", "gru", "transformer")


def test_sizes_that_do_not_fit_together_are_refused():
    odd = BackboneConfig(kind="gru", units=7)
    with pytest.raises(ConfigurationError, match="units 7 must be even"):
        Backbone(odd, causal=False)
    with pytest.raises(ConfigurationError, match=r"units 7 must be a multiple of heads \(4\)"):
        Backbone(odd, memory_units=5)


def test_inputs_of_another_width_are_refused():
    with pytest.raises(ValueError, match="8 wide, not 6"):
        make("gru")(np.zeros((BATCH, TIME, 6), "float32"))


@both_ways
@every_kind
def test_shapes_and_dtypes(kind, causal):
    outputs, state = make(kind, causal=causal)(inputs())
    assert outputs.shape == (BATCH, TIME, UNITS)
    assert outputs.dtype == "float32"
    leaves = tf.nest.flatten(state)
    assert (len(state) == 2 and all(leaf.shape[0] == BATCH for leaf in leaves)) or not causal
    assert causal or state == ()


@both_ways
@every_kind
def test_padding_changes_nothing(kind, causal):
    backbone = make(kind, causal=causal)
    lengths = np.array([[5], [2], [0]])
    mask = np.arange(TIME) < lengths
    noisy = np.where(mask[..., None], inputs(), 1e3).astype("float32")
    wide = np.pad(noisy, ((0, 0), (0, 4), (0, 0)), constant_values=-50)
    wide_mask = np.pad(mask, ((0, 0), (0, 4)))
    outputs = np.asarray(backbone(wide, mask=wide_mask)[0])
    assert np.all(np.isfinite(outputs))
    for row, (length,) in enumerate(lengths):
        if length:
            alone, _ = backbone(inputs()[row : row + 1, :length])
            np.testing.assert_allclose(outputs[row : row + 1, :length], alone, atol=1e-5)


@both_ways
@every_kind
def test_batched_equals_single(kind, causal):
    backbone = make(kind, causal=causal)
    together, _ = backbone(inputs())
    for row in range(BATCH):
        alone, _ = backbone(inputs()[row : row + 1])
        np.testing.assert_allclose(together[row : row + 1], alone, atol=1e-5)


@every_kind
def test_a_causal_backbone_does_not_look_ahead_and_the_other_does(kind):
    changed = inputs()
    changed[:, -1, 0] += 1  # of one feature: a shift of all would be normalised away
    for causal in (True, False):
        backbone = make(kind, causal=causal)
        difference = np.abs(backbone(changed)[0] - backbone(inputs())[0]).max(axis=(0, 2))
        assert difference[-1] > 1e-4
        assert (difference[0] < 1e-6) == causal


@every_kind
def test_dropout_acts_in_training_only(kind):
    backbone = make(kind, dropout=0.5)
    still, again = backbone(inputs())[0], backbone(inputs(), training=False)[0]
    np.testing.assert_array_equal(still, again)
    assert np.abs(backbone(inputs(), training=True)[0] - still).max() > 1e-2


@both_ways
@every_kind
def test_gradients_reach_the_first_step_and_every_weight(kind, causal):
    backbone = make(kind, causal=causal, memory_units=3)
    x = tf.constant(inputs())
    backbone.build(x.shape)
    encoded = np.random.default_rng(3).normal(size=(BATCH, 4, 3)).astype("float32")
    with tf.GradientTape() as tape:
        tape.watch(x)
        memory = backbone.prepare_memory(encoded)
        outputs, _ = backbone(x, memory=memory)
        ends = outputs[:, -1:] if causal else outputs[:, :: TIME - 1]
        loss = tf.reduce_sum(ends * np.random.default_rng(4).normal(size=UNITS))
    gradients = tape.gradient(loss, [x, *backbone.trainable_variables])
    assert np.abs(gradients[0][:, 0]).max() > 1e-6
    for variable, gradient in zip(backbone.trainable_variables, gradients[1:], strict=True):
        assert gradient is not None, variable.path
        assert np.abs(gradient).max() > 0, variable.path


@both_ways
@every_kind
def test_saved_and_loaded_equals_the_original(kind, causal, tmp_path):
    x = keras.Input((None, UNITS), name="x")
    mask = keras.Input((None,), dtype="bool", name="mask")
    outputs, _ = make(kind, causal=causal, dropout=0.1)(x, mask=mask)
    model = keras.Model({"x": x, "mask": mask}, outputs)
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    batch = {"x": inputs(), "mask": np.arange(TIME) < np.array([[5], [3], [1]])}
    np.testing.assert_array_equal(
        model.predict_on_batch(batch)[:, :1], loaded.predict_on_batch(batch)[:, :1]
    )


@every_kind
def test_the_configuration_makes_the_same_round_trip(kind):
    options = {"dropout": 0.3, "context": 9, "attention": "dot"}
    backbone = make(kind, causal=False, memory_units=3, **options)
    again = Backbone.from_config(backbone.get_config())
    assert again.get_config() == backbone.get_config()
    assert (again.config, again.causal, again.memory_units) == (backbone.config, False, 3)


@every_kind
def test_mixed_bfloat16_runs_and_stays_near(kind):
    full = make(kind)
    half = make(kind, dtype="mixed_bfloat16")
    full.build((None, None, UNITS)), half.build((None, None, UNITS))
    half.set_weights(full.get_weights())
    outputs, state = half(inputs())
    assert outputs.dtype == "bfloat16"
    assert all(weight.dtype == "float32" for weight in half.trainable_variables)
    outputs, _ = half(inputs(), state)
    expected, _ = full(inputs(), full(inputs())[1])
    np.testing.assert_allclose(tf.cast(outputs, "float32"), expected, atol=0.15)


def test_without_cross_attention_there_is_no_memory():
    assert make("gru").prepare_memory(np.zeros((1, 2, 3))) is None
