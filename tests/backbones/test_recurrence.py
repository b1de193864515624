"""The loop of training gives the numbers and gradients of Keras's."""

from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from tests.quick import quick
from textapps.backbones.backbone import Backbone
from textapps.backbones.config import BackboneConfig
from textapps.backbones.registry import mixer_class
from textapps.core.errors import ConfigurationError
from textapps.training.seeding import seed_everything

RECURRENT = ("simple_rnn", "jordan", "lstm", "gru")
LAYERS = {
    "simple_rnn": keras.layers.SimpleRNN,
    "jordan": keras.layers.RNN,
    "lstm": keras.layers.LSTM,
    "gru": keras.layers.GRU,
}
BATCH, TIME, UNITS = 3, 5, 4
MASKS = {"none": None, "padded": [5, 2, 3], "empty row": [0, 5, 1]}


def mixer_of(kind: str, causal: bool, **options: Any) -> Any:
    config = BackboneConfig(kind=kind, units=UNITS, **options)
    mixer = mixer_class(config.kind).of(config, causal)
    mixer.build((None, None, UNITS))
    draw = np.random.default_rng(2)
    for variable in mixer.trainable_variables:  # biases too
        variable.assign(draw.normal(0, 0.6, variable.shape))
    return mixer


def random_state(mixer: Any) -> Any:
    draw = np.random.default_rng(3)
    leaves = mixer.initial_state(BATCH)
    return {name: tf.constant(draw.normal(0, 1, x.shape), tf.float32) for name, x in leaves.items()}


def run(mixer: Any, inputs: Any, state: Any, mask: Any, training: bool, eager: bool = False) -> Any:
    """Outputs, state, and the gradients by inputs, state and weights of a sum over valid ones."""
    weights = tf.constant(np.random.default_rng(4).normal(size=inputs.shape), tf.float32)
    valid = 1.0 if mask is None else tf.cast(mask, tf.float32)[:, :, None]

    def both(inputs: Any, state: Any) -> Any:
        with tf.GradientTape() as tape:
            tape.watch((inputs, state))
            outputs, last = mixer(inputs, state=state, mask=mask, training=training)
            loss = tf.reduce_sum(outputs * weights * valid)
            for leaf in tf.nest.flatten(last):
                loss += tf.reduce_sum(tf.sin(leaf))
        sources = [inputs, *tf.nest.flatten(state), *mixer.trainable_variables]
        return outputs * valid, last, tape.gradient(loss, sources)

    call = both if eager else tf.function(both)
    return tf.nest.flatten(call(inputs, state))


def inputs_and_mask(lengths: list[int] | None) -> tuple[Any, Any]:
    drawn = np.random.default_rng(1).normal(size=(BATCH, TIME, UNITS))
    mask = None if lengths is None else tf.sequence_mask(lengths, TIME)
    return tf.constant(drawn, tf.float32), mask


def assert_equal(ours: Any, theirs: Any) -> None:
    assert len(ours) == len(theirs) > 4
    for one, other in zip(ours, theirs, strict=True):
        scale = max(1, np.abs(other).max(initial=0))  # a linear cell grows
        np.testing.assert_allclose(one.numpy(), other.numpy(), rtol=1e-5, atol=2e-6 * scale)


@pytest.mark.parametrize("lengths", MASKS.values(), ids=MASKS)
@pytest.mark.parametrize("kind", RECURRENT)
def test_states_and_gradients_are_those_of_keras(kind: str, lengths: list[int] | None) -> None:
    mixer = mixer_of(kind, causal=True)
    inputs, mask = inputs_and_mask(lengths)
    state = random_state(mixer)
    assert_equal(*(run(mixer, inputs, state, mask, training) for training in (True, False)))


@pytest.mark.slow
@pytest.mark.parametrize("lengths", MASKS.values(), ids=MASKS)
@pytest.mark.parametrize("kind", quick(RECURRENT, "gru", "lstm"))
def test_both_directions(kind: str, lengths: list[int] | None) -> None:
    mixer = mixer_of(kind, causal=False)
    inputs, mask = inputs_and_mask(lengths)
    assert_equal(*(run(mixer, inputs, (), mask, training) for training in (True, False)))


@pytest.mark.slow
@pytest.mark.parametrize("activation", ["relu", "leaky_relu", "elu", "sigmoid", "linear", "gelu"])
@pytest.mark.parametrize("kind", quick(RECURRENT, "gru", "jordan"))
def test_other_activations(kind: str, activation: str) -> None:
    """The derivative of gelu does not follow from its value: there Keras's loop is used."""
    mixer = mixer_of(kind, causal=True, activation=activation)
    assert (mixer._steps is None) == (activation == "gelu")
    inputs, mask = inputs_and_mask([5, 1, 4])
    state = random_state(mixer)
    assert_equal(*(run(mixer, inputs, state, mask, training) for training in (True, False)))


@pytest.mark.parametrize("activation", ["sigmoid", "tanh", "relu", "leaky_relu"])
@pytest.mark.parametrize("kind", ["simple_rnn", "lstm", "gru"])
def test_a_layer_of_keras_with_this_activation_has_the_same_gradients(
    kind: str, activation: str
) -> None:
    """Jordan's has none in Keras: test_oracles.py has it in NumPy."""
    mixer = mixer_of(kind, causal=True, activation=activation)
    layer = LAYERS[kind](UNITS, activation=activation, return_sequences=True)
    layer.build((None, None, UNITS))
    layer.set_weights(mixer.get_weights())
    inputs, _ = inputs_and_mask(None)
    found = []
    for call, weights in (
        (lambda x: mixer(x, training=True)[0], mixer.trainable_variables),
        (layer, layer.trainable_variables),
    ):
        with tf.GradientTape() as tape:
            tape.watch(inputs)
            outputs = call(inputs)
            loss = tf.reduce_sum(tf.sin(outputs))
        found.append([outputs, *tape.gradient(loss, [inputs, *weights])])
    assert_equal(*found)


@pytest.mark.parametrize("kind", RECURRENT)
def test_without_a_graph_and_with_open_shapes(kind: str) -> None:
    mixer = mixer_of(kind, causal=True)
    inputs, _ = inputs_and_mask(None)
    state = random_state(mixer)
    expected = run(mixer, inputs, state, None, training=False)
    assert_equal(run(mixer, inputs, state, None, training=True, eager=True), expected)
    open_shapes = tf.function(
        lambda x: mixer(x, state=None, training=True)[0],
        input_signature=[tf.TensorSpec([None, None, UNITS])],
    )
    for time in (TIME, 1, 0):
        outputs, _ = mixer(inputs[:, :time], state=None, training=False)
        np.testing.assert_allclose(open_shapes(inputs[:, :time]), outputs, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("kind", RECURRENT)
def test_keras_loop_is_used_outside_of_training_and_in_half_precision(
    kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An export holds stock operations only."""
    asked = []
    layer = LAYERS[kind]
    own = layer.call
    monkeypatch.setattr(
        layer, "call", lambda self, *args, **kw: asked.append(1) or own(self, *args, **kw)
    )
    inputs, _ = inputs_and_mask(None)
    for dtype, training, expected in (
        ("float32", False, 1),
        ("float32", True, 0),
        ("mixed_bfloat16", True, 1),
    ):
        asked.clear()
        config = BackboneConfig(kind=kind, units=UNITS)
        Backbone(config, dtype=dtype)(inputs, training=training)
        assert len(asked) == expected, (dtype, training)


@pytest.mark.slow
@pytest.mark.parametrize("causal", quick([True, False], True))
@pytest.mark.parametrize("kind", quick(RECURRENT, "gru", "lstm"))
def test_recurrent_dropout_leaves_out_the_same_weights_at_all_positions(
    kind: str, causal: bool
) -> None:
    seed_everything(5)
    mixer = mixer_of(kind, causal, recurrent_dropout=0.4)
    inputs, mask = inputs_and_mask([5, 2, 3])
    state = random_state(mixer) if causal else ()
    seeds = mixer.dropout.seed_generator.state
    first = tf.identity(seeds)
    found = [run(mixer, inputs, state, mask, training=True) for _ in range(5)]
    # Each step draws anew; of the four weights of a direction two draws may be equal.
    assert not all(np.allclose(found[0][0], other[0]) for other in found[1:])
    # The same draws, on weights that an ordinary call then reads.
    seeds.assign(first)
    dropped: list[bool] = []
    factors: dict[str, Any] = {}  # of the gradient of a kernel by that of what is left of it
    for layer in (mixer.forward, mixer.backward):
        if layer is not None:
            kernel = layer.cell.recurrent_kernel
            left = mixer.dropout(tf.convert_to_tensor(kernel), training=True).numpy()
            dropped.extend(left.ravel() == 0)
            np.testing.assert_allclose(left[left != 0], kernel.numpy()[left != 0] / 0.6, rtol=1e-6)
            kernel.assign(left)
            factors[kernel.path] = (left != 0) / 0.6
    assert any(dropped)
    assert not all(dropped)
    expected = run(mixer, inputs, state, mask, training=False)
    paths = [None] * len(expected)
    paths[-len(mixer.trainable_variables) :] = [each.path for each in mixer.trainable_variables]
    assert factors.keys() <= set(paths)
    for path, one, other in zip(paths, found[0], expected, strict=True):
        np.testing.assert_allclose(one, other * factors.get(path, 1.0), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(
    "options", [{"activation": "gelu"}, {"kind": "gru", "recurrent_activation": "tanh"}]
)
def test_recurrent_dropout_needs_the_loop_of_training(options: dict[str, Any]) -> None:
    config = BackboneConfig(**{"kind": "lstm", "recurrent_dropout": 0.4, **options})
    with pytest.raises(ConfigurationError, match="recurrent_dropout needs full precision, one of"):
        Backbone(config)
