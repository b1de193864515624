"""Each mixer against a second implementation in NumPy, written from the papers' equations."""

import numpy as np
import pytest

from textapps.backbones.registry import mixer_class
from textapps.backbones.rotary import rotate
from textapps.backbones.self_attention import SelfAttention

BATCH, TIME, WIDTH, UNITS = 3, 5, 7, 6


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def simple_rnn(x, kernel, recurrent, bias):
    h, outputs = np.zeros((len(x), UNITS)), []
    for t in range(x.shape[1]):
        h = np.tanh(x[:, t] @ kernel + h @ recurrent + bias)
        outputs.append(h)
    return np.stack(outputs, 1), {"h": h}


def jordan(x, kernel, recurrent, bias, output_kernel, output_bias, activation=np.tanh):
    y, outputs = np.zeros((len(x), UNITS)), []
    for t in range(x.shape[1]):
        h = activation(x[:, t] @ kernel + y @ recurrent + bias)
        y = activation(h @ output_kernel + output_bias)
        outputs.append(y)
    return np.stack(outputs, 1), {"y": y}


def lstm(x, kernel, recurrent, bias):
    h = c = np.zeros((len(x), UNITS))
    outputs = []
    for t in range(x.shape[1]):
        i, f, g, o = np.split(x[:, t] @ kernel + h @ recurrent + bias, 4, axis=1)
        c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
        h = sigmoid(o) * np.tanh(c)
        outputs.append(h)
    return np.stack(outputs, 1), {"h": h, "c": c}


def gru(x, kernel, recurrent, bias):
    """With the reset gate after the matrix product (the form that Keras and cuDNN compute)."""
    h, outputs = np.zeros((len(x), UNITS)), []
    for t in range(x.shape[1]):
        xz, xr, xh = np.split(x[:, t] @ kernel + bias[0], 3, axis=1)
        hz, hr, hh = np.split(h @ recurrent + bias[1], 3, axis=1)
        z, r = sigmoid(xz + hz), sigmoid(xr + hr)
        h = z * h + (1 - z) * np.tanh(xh + r * hh)
        outputs.append(h)
    return np.stack(outputs, 1), {"h": h}


CELLS = {"simple_rnn": simple_rnn, "jordan": jordan, "lstm": lstm, "gru": gru}


def randomised(layer):
    layer.build((None, None, WIDTH))
    rng = np.random.default_rng(2)
    weights = [rng.normal(0, 0.5, w.shape).astype("float32") for w in layer.get_weights()]
    layer.set_weights(weights)
    return weights


@pytest.mark.parametrize("kind", CELLS)
def test_the_causal_recurrences(kind):
    mixer = mixer_class(kind)(UNITS)
    weights = randomised(mixer)
    x = np.random.default_rng(1).normal(size=(BATCH, TIME, WIDTH)).astype("float32")
    outputs, state = mixer(x)
    expected, last = CELLS[kind](x, *weights)
    np.testing.assert_allclose(outputs, expected, atol=1e-5)
    assert set(state) == set(last)
    for leaf, value in last.items():
        np.testing.assert_allclose(state[leaf], value, atol=1e-5)


@pytest.mark.parametrize("kind", CELLS)
def test_the_recurrences_both_ways(kind):
    mixer = mixer_class(kind)(2 * UNITS, causal=False)
    weights = randomised(mixer)
    x = np.random.default_rng(1).normal(size=(BATCH, TIME, WIDTH)).astype("float32")
    outputs, state = mixer(x)
    half = len(weights) // 2
    ahead, _ = CELLS[kind](x, *weights[:half])
    back, _ = CELLS[kind](x[:, ::-1], *weights[half:])
    np.testing.assert_allclose(outputs, np.concatenate([ahead, back[:, ::-1]], 2), atol=1e-5)
    assert state == ()


@pytest.mark.parametrize(
    ("name", "activation"),
    [
        ("sigmoid", sigmoid),
        ("tanh", np.tanh),
        ("relu", lambda x: np.maximum(x, 0)),
        ("leaky_relu", lambda x: np.maximum(x, 0.2 * x)),
    ],
)
@pytest.mark.parametrize("training", [True, False])
def test_both_layers_of_a_jordan_network_have_the_activation(name, activation, training):
    mixer = mixer_class("jordan")(UNITS, activation=name)
    weights = randomised(mixer)
    x = np.random.default_rng(1).normal(size=(BATCH, TIME, WIDTH)).astype("float32")
    outputs, state = mixer(x, training=training)
    expected, last = jordan(x, *weights, activation=activation)
    np.testing.assert_allclose(outputs, expected, rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(state["y"], last["y"], rtol=1e-5, atol=1e-5)


def test_the_activations_are_the_ones_named():
    mixer = mixer_class("lstm")(UNITS, activation="relu", recurrent_activation="hard_sigmoid")
    kernel, _, bias = randomised(mixer)
    x = np.random.default_rng(1).normal(size=(BATCH, 1, WIDTH)).astype("float32")
    i, _, g, o = np.split(x[:, 0] @ kernel + bias, 4, axis=1)
    gate = lambda v: np.clip(v / 6 + 0.5, 0, 1)  # noqa: E731
    expected = gate(o) * np.maximum(gate(i) * np.maximum(g, 0), 0)
    np.testing.assert_allclose(mixer(x)[0][:, 0], expected, atol=1e-5)


def turned(vector, position):
    """Rotary embedding as the product of complex numbers."""
    half = len(vector) // 2
    turn = np.exp(1j * position * 10_000.0 ** (-np.arange(half) / half))
    result = (vector[:half] + 1j * vector[half:]) * turn
    return np.concatenate([result.real, result.imag])


def test_rotation_is_a_product_of_complex_numbers():
    x = np.random.default_rng(8).normal(size=(2, 3, 5, 4)).astype("float32")
    expected = [[[turned(v, p) for p, v in enumerate(head)] for head in row] for row in x]
    np.testing.assert_allclose(rotate(x, np.arange(5)), np.array(expected), atol=1e-5)


@pytest.mark.parametrize("causal", [True, False])
def test_self_attention(causal):
    heads, depth, context = 2, 4, 3
    mixer = SelfAttention(heads * depth, causal, heads=heads, context=context)
    mixer.build((None, None, heads * depth))
    project, out = mixer.get_weights()
    x = np.random.default_rng(1).normal(size=(BATCH, TIME, heads * depth)).astype("float32")
    expected = np.zeros_like(x)
    for row in range(BATCH):
        q, k, v = np.split(x[row] @ project, 3, axis=1)
        for head in range(heads):
            part = slice(head * depth, (head + 1) * depth)
            for t in range(TIME):
                seen = range(max(0, t - context), t + 1) if causal else range(TIME)
                scores = [turned(q[t, part], t) @ turned(k[s, part], s) / 2.0 for s in seen]
                weights = np.exp(scores) / np.sum(np.exp(scores))
                expected[row, t, part] = weights @ v[list(seen), part]
    np.testing.assert_allclose(mixer(x)[0], expected @ out, atol=1e-5)
