"""Where the heads of a transformer look."""

from typing import Any, NamedTuple

import numpy as np
from keras import ops
from numpy.typing import NDArray

from textapps.backbones.attention import attention_weights, split_heads
from textapps.backbones.backbone import Backbone
from textapps.backbones.rotary import rotate


class HeadFigures(NamedTuple):
    """How one head looks, as means over the positions.

    distance: how far back, in positions.
    entropy: of its weights, in nats; 0 if it always looks at one position only.
    own: the weight of the position itself.
    before: the weight of the position just before.
    """

    distance: float
    entropy: float
    own: float
    before: float


def self_attention(backbone: Backbone, inputs: Any) -> list[NDArray[np.float32]]:
    """The weights of every head over one text (Vaswani et al. 2017, section 3.2), by block.

    Args:
        inputs: float32[1, time, units], the embedded text.

    Returns:
        For each block float32[heads, time, time]: row t is where position t looks.
    """
    time = inputs.shape[1]
    positions = ops.arange(time)
    x, found = inputs, []
    for block in backbone.blocks:
        mixer = block.mixer
        queries, keys, _ = ops.split(mixer.projection(block.mixer_inputs(x)), 3, axis=-1)
        queries, keys = (rotate(split_heads(a, mixer.heads), positions) for a in (queries, keys))
        visible = None
        if backbone.causal:
            distance = positions[:, None] - positions[None, :]
            visible = ops.logical_and(distance >= 0, distance <= mixer.context)[None, None]
        found.append(np.asarray(attention_weights(queries, keys, visible))[0])
        x, _ = block(x)
    return found


def head_figures(weights: NDArray[np.float32]) -> HeadFigures:
    """The figures of one head, float32[time, time].

    >>> head_figures(np.eye(3, dtype=np.float32))
    HeadFigures(distance=0.0, entropy=0.0, own=1.0, before=0.0)
    """
    w = weights.astype(np.float64)
    places = np.arange(len(w))
    distance = float((w * np.abs(places[:, None] - places)).sum(axis=1).mean())
    entropy = float(-(w * np.log(np.maximum(w, 1e-30))).sum(axis=1).mean())
    before = np.diagonal(w, -1)
    return HeadFigures(
        distance=abs(distance),
        entropy=abs(entropy),
        own=float(np.diagonal(w).mean()),
        before=float(before.mean()) if len(before) else 0.0,
    )
