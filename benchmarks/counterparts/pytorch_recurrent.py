"""A training step of PyTorch's recurrent layers."""

from typing import Any

import numpy as np
import torch

from benchmarks.counterparts.pytorch_speech import GATES
from benchmarks.suites.recurrent_sides import Ask, Layer, Step, timed


def pytorch(scratch: str) -> Ask:
    """A side of `recurrent-steps`."""
    return timed(step_of)


def step_of(layer: Layer) -> Step:
    """The step of a layer with the weights of Keras's, by PyTorch's order of the gates."""
    order, kind = GATES[layer.kind]
    made = kind(layer.inputs, layer.width, batch_first=True, bidirectional=layer.both_ways)
    names = []
    for (kernel, recurrent, bias), way in zip(layer.cells(), ("", "_reverse"), strict=False):
        both = bias if bias.ndim == 2 else np.stack([bias, np.zeros_like(bias)])
        arrays = (kernel.T, recurrent.T, *both)
        for name, array in zip(
            ("weight_ih", "weight_hh", "bias_ih", "bias_hh"), arrays, strict=True
        ):
            parts = np.split(array, len(order))
            value = torch.tensor(np.concatenate([parts[place] for place in order]))
            getattr(made, f"{name}_l0{way}").data.copy_(value)
        names += [f"weight_ih_l0{way}", f"weight_hh_l0{way}"]
    inputs, weights = (torch.tensor(array) for array in layer.data())
    inputs.requires_grad_()
    sources: list[Any] = [inputs, *(getattr(made, name) for name in names)]

    def step() -> list[float]:
        made.zero_grad()
        inputs.grad = None
        (made(inputs)[0] * weights).sum().backward()
        return [float(torch.linalg.vector_norm(source.grad)) for source in sources]

    return step
