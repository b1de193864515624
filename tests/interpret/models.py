"""Tiny models in double precision, with weights large enough to matter."""

from typing import Any

import keras
import numpy as np

from textapps.backbones.backbone import Backbone
from textapps.backbones.config import BackboneConfig
from textapps.interpret.stages import Stages

SYMBOLS, UNITS, CONTEXT = 5, 6, 4


def stages(kind: str, seed: int = 3, **options: Any) -> Stages:
    """Two blocks, unless told otherwise."""
    values = {"kind": kind, "units": UNITS, "layers": 2, "heads": 1, "context": CONTEXT, **options}
    units = values["units"]
    embedding = keras.layers.Embedding(SYMBOLS, units, dtype="float64")
    backbone = Backbone(BackboneConfig.model_validate(values), dtype="float64")
    head = keras.layers.Dense(SYMBOLS, dtype="float64")
    for layer, shape in ((embedding, [None, None]), (backbone, [None, None, units])):
        layer.build(shape)
    head.build([None, None, units])
    draw = np.random.default_rng(seed)
    scale = 0.3 if kind == "transformer" else 0.6
    for variable in (*embedding.variables, *backbone.variables, *head.variables):
        if variable.dtype == "float64" and "norm" not in variable.path:
            variable.assign(scale * draw.normal(size=variable.shape))
    return Stages(embedding, backbone, head)


def text(length: int, seed: int = 5) -> Any:
    """int32[length] of all symbols."""
    return np.random.default_rng(seed).integers(0, SYMBOLS, length).astype(np.int32)


def slopes(function: Any, at: Any, step: float = 0.001) -> Any:
    """The gradient by float64[units], from differences exact to the fourth order.

    `function` takes float64[rows, units] and returns float64[rows].
    """
    units = np.eye(len(at))
    values = [np.asarray(function(at + step * k * units)) for k in (-2, -1, 1, 2)]
    return (values[0] - 8 * values[1] + 8 * values[2] - values[3]) / (12 * step)


def replaced(x: Any, place: int, rows: Any) -> Any:
    """float64[1, time, units] → float64[rows, time, units] with other values at one place."""
    changed = np.repeat(np.asarray(x), len(rows), axis=0)
    changed[:, place] = rows
    return changed
