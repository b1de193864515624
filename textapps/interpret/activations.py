"""What the cells and gates of a recurrent backbone do while it reads.

Keras's cells give only what they pass on. Their gates are computed here from their weights, by the
equations of the papers in the form in which Keras has them.
"""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import keras
import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from textapps.backbones.backbone import Backbone
from textapps.backbones.recurrent import RecurrentMixer

Series = NDArray[np.float32]
"""float32[time, units]"""
Cell = Any  # of Keras
Activation = Callable[[NDArray[Any]], NDArray[Any]]

BINS = (0.1, 0.9)  # closed below, open above: left and right saturated in Karpathy et al. 2015
_FAST: dict[str, Activation] = {"tanh": np.tanh, "sigmoid": expit}


class Trace(NamedTuple):
    """One cell over a text.

    name: its block, such as "block 1"; with its direction where the backbone reads both ways.
    state: by name of the leaf, what it is after each step; the output of the step comes first.
    gates: by name, how far each is open at each step, 0 to 1; none for a cell without gates.
    """

    name: str
    state: Mapping[str, Series]
    gates: Mapping[str, Series]

    def after_first(self) -> "Trace":
        """Without the first step, such as that of a symbol that stands for the beginning."""
        state, gates = (
            {name: values[1:] for name, values in part.items()} for part in (self.state, self.gates)
        )
        return Trace(self.name, state, gates)


class GateFigures(NamedTuple):
    """What a gate does, over all units and steps.

    mean: how far it is open.
    closed, open: the share of values below 0.1 and above 0.9.
    open_steps: the mean length, in steps, of the stretches in which a unit's gate is above 0.5;
        0.0 if it never is.
    """

    mean: float
    closed: float
    open: float
    open_steps: float


def traces(backbone: Backbone, inputs: Any) -> list[Trace]:
    """All cells of a recurrent backbone over one text, first block first.

    Args:
        inputs: float32[1, time, units], the embedded text; the state before it is zero.
    """
    found = []
    x = inputs
    for number, block in enumerate(backbone.blocks, 1):
        mixer = block.mixer
        read = np.asarray(block.mixer_inputs(x))[0]
        ways = [("", mixer.forward, read)]
        if not backbone.causal:
            ways = [(", forward", mixer.forward, read), (", backward", mixer.backward, read[::-1])]
        for way, layer, sequence in ways:
            state, gates = _run(mixer, layer.cell, sequence)
            turn = slice(None, None, -1) if "backward" in way else slice(None)
            found.append(
                Trace(
                    f"block {number}{way}",
                    {name: values[turn] for name, values in state.items()},
                    {name: values[turn] for name, values in gates.items()},
                )
            )
        x, _ = block(x)
    return found


def block_outputs(backbone: Backbone, inputs: Any, chunk: int = 256) -> list[Series]:
    """What each block of any causal backbone gives over one text, first block first.

    Args:
        inputs: float32[1, time, units], the embedded text, read in chunks that pass the state on.
    """
    states: list[Any] = [None] * len(backbone.blocks)
    parts: list[list[Series]] = [[] for _ in states]
    for start in range(0, inputs.shape[1], chunk):
        x = inputs[:, start : start + chunk]
        for number, block in enumerate(backbone.blocks):
            x, states[number] = block(x, state=states[number])
            parts[number].append(np.asarray(x)[0])
    return [np.concatenate(each) for each in parts]


def gate_figures(gate: Series) -> GateFigures:
    """The figures of a gate, float32[time, units].

    >>> gate_figures(np.array([[0.0], [1.0], [1.0], [0.0], [1.0]], np.float32))
    GateFigures(mean=0.6, closed=0.4, open=0.6, open_steps=1.5)
    """
    is_open = gate > 0.5
    before = np.vstack([np.zeros_like(is_open[:1]), is_open[:-1]])
    stretches = int((is_open & ~before).sum())
    return GateFigures(
        mean=round(float(gate.mean(dtype=np.float64)), 6),
        closed=float((gate < BINS[0]).mean()),
        open=float((gate > BINS[1]).mean()),
        open_steps=float(is_open.sum() / stretches) if stretches else 0.0,
    )


def lstm(cell: Cell, inputs: Series) -> tuple[dict[str, Series], dict[str, Series]]:
    """Keras's LSTM cell (Hochreiter and Schmidhuber 1997; Gers et al. 2000) over a sequence.

    i, f, g, o = split(x W + h U + b);  c' = σ(f) c + σ(i) tanh(g);  h' = σ(o) tanh(c')

    Args:
        inputs: float32[time, width].

    Returns:
        h and c, and the gates forget, input and output.
    """
    squash, gate = _function(cell.activation), _function(cell.recurrent_activation)
    recurrent = np.asarray(cell.recurrent_kernel)
    h = c = np.zeros(cell.units, np.float32)
    rows = []
    for x in inputs @ np.asarray(cell.kernel) + np.asarray(cell.bias):
        i, f, g, o = np.split(x + h @ recurrent, 4)
        i, f, o = gate(i), gate(f), gate(o)
        c = f * c + i * squash(g)
        h = o * squash(c)
        rows.append((h, c, f, i, o))
    h_all, c_all, f_all, i_all, o_all = np.array(rows, np.float32).transpose(1, 0, 2)
    return {"h": h_all, "c": c_all}, {"forget": f_all, "input": i_all, "output": o_all}


def gru(cell: Cell, inputs: Series) -> tuple[dict[str, Series], dict[str, Series]]:
    """Keras's GRU cell (Cho et al. 2014), whose reset gate comes after the matrix product.

    z = σ(x Wz + h Uz + …);  r = σ(x Wr + h Ur + …);  g = tanh(x Wh + b + r (h Uh + c))
    h' = z h + (1 - z) g

    Args:
        inputs: float32[time, width].

    Returns:
        h, and the gates update (z, which keeps the old state where it is open) and reset.
    """
    squash, gate = _function(cell.activation), _function(cell.recurrent_activation)
    recurrent, (bias, recurrent_bias) = np.asarray(cell.recurrent_kernel), np.asarray(cell.bias)
    h = np.zeros(cell.units, np.float32)
    rows = []
    for x in inputs @ np.asarray(cell.kernel) + bias:
        z, r, g = np.split(x, 3)
        z_past, r_past, past = np.split(h @ recurrent + recurrent_bias, 3)
        z, r = gate(z + z_past), gate(r + r_past)
        h = z * h + (1 - z) * squash(g + r * past)
        rows.append((h, z, r))
    h_all, z_all, r_all = np.array(rows, np.float32).transpose(1, 0, 2)
    return {"h": h_all}, {"update": z_all, "reset": r_all}


GATED = {"lstm": lstm, "gru": gru}


def _run(
    mixer: RecurrentMixer, cell: Cell, inputs: Series
) -> tuple[dict[str, Series], dict[str, Series]]:
    name = type(cell).__name__.removesuffix("Cell").lower()
    if name in GATED:
        return GATED[name](cell, inputs)
    layer = mixer.forward if cell is mixer.forward.cell else mixer.backward
    outputs, _ = mixer.run(layer, keras.ops.convert_to_tensor(inputs[None]))
    return {mixer.leaves[0]: np.asarray(outputs)[0]}, {}


def _function(activation: Any) -> Activation:
    """An activation of Keras's on arrays."""
    name = keras.activations.serialize(activation)
    return _FAST.get(name, lambda x: np.asarray(activation(keras.ops.convert_to_tensor(x))))
