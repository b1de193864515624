"""States and gates against the layers themselves and a cell in NumPy."""

import numpy as np
import pytest
import tensorflow as tf

from tests.interpret.models import UNITS, stages, text
from textapps.backbones.registry import BACKBONES
from textapps.interpret.activations import block_outputs, gate_figures, traces

TIME = 7
RECURRENT = [kind for kind in BACKBONES if kind != "transformer"]


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


@pytest.mark.parametrize("kind", RECURRENT)
def test_states_are_those_that_the_backbone_passes_on(kind: str) -> None:
    model = stages(kind)
    x = model.embed(text(TIME)[None])
    found = traces(model.backbone, x)
    assert [trace.name for trace in found] == ["block 1", "block 2"]
    for time in range(1, TIME + 1):
        _, state = model.backbone(x[:, :time])
        for trace, leaves in zip(found, state, strict=True):
            for name, values in trace.state.items():
                expected = np.array(leaves[name])[0]
                assert values[time - 1] == pytest.approx(expected, abs=1e-5), (trace.name, name)


@pytest.mark.parametrize("gate", ["sigmoid", "hard_sigmoid"])
@pytest.mark.parametrize("kind", ["lstm", "gru"])
def test_gates_are_those_of_one_cell_from_the_state_before(kind: str, gate: str) -> None:
    """One step at a time, from the states that the backbone itself passes on."""
    squash = sigmoid if gate == "sigmoid" else (lambda z: np.clip(z / 6 + 0.5, 0, 1))
    model = stages(kind, layers=1, recurrent_activation=gate, activation="elu")
    x = model.embed(text(TIME)[None])
    (trace,) = traces(model.backbone, x)
    block = model.backbone.blocks[0]
    kernel, recurrent, bias = map(np.array, block.mixer.forward.cell.get_weights())
    read = np.array(block.mixer_inputs(x))[0]
    for time in range(1, TIME):
        _, (leaves,) = model.backbone(x[:, :time])
        h = np.array(leaves["h"])[0]
        if kind == "lstm":
            i, f, _, o = np.split(read[time] @ kernel + h @ recurrent + bias, 4)
            expected = {"forget": f, "input": i, "output": o}
        else:
            z, r, _ = np.split(read[time] @ kernel + bias[0] + h @ recurrent + bias[1], 3)
            expected = {"update": z, "reset": r}
        assert trace.gates.keys() == expected.keys()
        for name, values in expected.items():
            assert trace.gates[name][time] == pytest.approx(squash(values), abs=1e-5)


@pytest.mark.parametrize("kind", RECURRENT)
def test_both_directions_are_told_apart(kind: str) -> None:
    from textapps.backbones.backbone import Backbone
    from textapps.backbones.config import BackboneConfig

    config = BackboneConfig(kind=kind, units=UNITS, residual=False, normalization="none")
    backbone = Backbone(config, causal=False)
    x = tf.constant(np.random.default_rng(1).normal(size=(1, TIME, UNITS)), tf.float32)
    outputs, _ = backbone(x)
    ahead, back = traces(backbone, x)
    assert (ahead.name, back.name) == ("block 1, forward", "block 1, backward")
    together = [next(iter(trace.state.values())) for trace in (ahead, back)]
    assert np.concatenate(together, axis=1) == pytest.approx(np.array(outputs)[0], abs=1e-5)


@pytest.mark.parametrize("kind", ["gru", "transformer"])
def test_outputs_of_blocks_in_chunks_are_those_of_one_call(kind: str) -> None:
    model = stages(kind)
    x = model.embed(text(TIME)[None])
    first, second = block_outputs(model.backbone, x, chunk=3)
    whole, _ = model.backbone.blocks[0](x)
    assert first == pytest.approx(np.array(whole)[0], abs=1e-5)
    whole, _ = model.backbone.blocks[1](whole)
    assert second == pytest.approx(np.array(whole)[0], abs=1e-5)


def test_figures_of_a_gate_that_never_opens() -> None:
    figures = gate_figures(np.full((4, 3), 0.2, np.float32))
    assert figures == pytest.approx((0.2, 0.0, 0.0, 0.0))


def test_without_the_first_step() -> None:
    model = stages("lstm", layers=1)
    (trace,) = traces(model.backbone, model.embed(text(TIME)[None]))
    rest = trace.after_first()
    assert rest.state["c"].tolist() == trace.state["c"][1:].tolist()
    assert rest.gates["forget"].tolist() == trace.gates["forget"][1:].tolist()
