"""Every layer that is a stateful map over chunks, made alike, for the table of contracts."""

import functools
import itertools
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

from textapps.backbones.backbone import Backbone
from textapps.backbones.config import BackboneConfig, StemConfig
from textapps.backbones.conv_stem import ConvStem
from textapps.backbones.pooling import POOLINGS, Pooling
from textapps.backbones.registry import BACKBONES
from textapps.training.seeding import seed_everything

BATCH, TIME, UNITS, FEATURES, SOURCE, MEMORY_UNITS, CONTEXT = 3, 11, 8, 5, 7, 6, 4
TOY = "moving_average"
KINDS = (*BACKBONES, TOY)
# Each kind attends to a memory in another way than its neighbours.
ATTENTIONS = dict(zip(KINDS, itertools.cycle(("multi-head", "none", "dot", "additive"))))
STEMS = {
    "full": StemConfig(strides=(2, 1), kernel=4, activation="gelu"),
    "separable": StemConfig(strides=(1, 3, 1), kernel=3, separable=True, normalization="layer"),
    "grid": StemConfig(strides=(2, 2), kernel=3, channels=4, separable=True),
    "grid alone": StemConfig(
        strides=(3,), kernel=5, channels=2, normalization="none", activation="gelu"
    ),
    "pointwise": StemConfig(strides=(1, 2), kernel=1, normalization="none"),
    "none": StemConfig(strides=()),
}
WINDOW = 4
STATEFUL = (*KINDS, *(f"stem {name}" for name in STEMS), *(f"pooling {kind}" for kind in POOLINGS))
# What can be asked of both directions; a pooling slides one way.
BOTH_WAYS = [
    (name, causal)
    for name in STATEFUL
    for causal in (True, False)
    if causal or not name.startswith("pooling")
]


class Map(NamedTuple):
    """A built layer and how it is called.

    call    x float32[batch, time, width], mask, state → outputs, valid bool[batch, steps], state
    run     the same as a graph in which only the width is known
    stride  how many inputs make an output
    """

    layer: Any
    call: Callable[..., Any]
    run: Callable[..., Any]
    width: int
    stride: int = 1

    def inputs(self, time: int = TIME, seed: int = 1) -> Any:
        draw = np.random.default_rng(seed)
        return draw.normal(size=(BATCH, time, self.width)).astype("float32")

    def start(self, rows: int = BATCH) -> Any:
        return self.layer.initial_state(rows) if getattr(self.layer, "causal", True) else ()


def make(name: str, causal: bool = True, dtype: Any = None, **options: Any) -> Any:
    """A layer without weights; a causal backbone attends to a memory."""
    seed_everything(1)
    kind, _, rest = name.partition(" ")
    if kind == "stem":
        return ConvStem(STEMS[rest], FEATURES + 1, causal=causal, dtype=dtype)
    if kind == "pooling":
        return Pooling(rest, WINDOW, dtype=dtype)
    sizes = {"units": UNITS, "layers": 2, "heads": 2, "context": CONTEXT}
    config = BackboneConfig(kind=name, attention=ATTENTIONS[name], **sizes, **options)
    return Backbone(
        config, causal=causal, memory_units=MEMORY_UNITS if causal else None, dtype=dtype
    )


def width_of(name: str) -> int:
    return UNITS if name in KINDS else FEATURES


def memory_of(layer: Any) -> Any:
    """One source for all rows, with padding; None for a layer that has no memory."""
    if getattr(layer, "memory_units", None) is None:
        return None
    encoded = np.random.default_rng(6).normal(size=(1, SOURCE, MEMORY_UNITS))
    return layer.prepare_memory(encoded.astype("float32"), np.arange(SOURCE)[None] < SOURCE - 2)


def caller(layer: Any) -> Callable[..., Any]:
    """See `Map.call`."""
    if isinstance(layer, Pooling):
        return lambda x, mask=None, state=None: _with_mask(layer.slide(x, mask, state), mask)
    if isinstance(layer, ConvStem):
        return lambda x, mask=None, state=None: layer(x, mask=mask, state=state)
    memory = memory_of(layer)
    return lambda x, mask=None, state=None: _with_mask(
        layer(x, state=state, mask=mask, memory=memory), mask
    )


def _with_mask(answer: Any, mask: Any) -> Any:
    outputs, state = answer
    return outputs, mask, state


def randomise(layer: Any) -> None:
    """Moves norms and biases away from one and zero, and the statistics of batches too."""
    draw = np.random.default_rng(5)
    for weight in layer.variables:
        if "variance" in weight.path:
            weight.assign(draw.uniform(0.5, 2, weight.shape))
        elif "seed" not in weight.path:
            weight.assign(weight + draw.normal(0, 0.1, weight.shape))


@functools.cache
def built(name: str, causal: bool = True) -> Map:
    """One of each, so that its graph is traced once."""
    layer, width = make(name, causal), width_of(name)
    layer.build((None, None, width))
    randomise(layer)
    call = caller(layer)
    specs = [
        tf.TensorSpec([None, None, width]),
        tf.TensorSpec([None, None], tf.bool),
        tf.nest.map_structure(
            lambda leaf: tf.TensorSpec([None, *leaf.shape[1:]], leaf.dtype),
            layer.initial_state(1) if causal else (),
        ),
    ]
    run = tf.function(call, input_signature=specs, autograph=False)
    stride = STEMS[name.partition(" ")[2]].stride if name.startswith("stem") else 1
    return Map(layer, call, run, width, stride)


def close(actual: Any, expected: Any) -> None:
    np.testing.assert_allclose(actual, expected, rtol=1e-5, atol=1e-5)


def same_state(state: Any, expected: Any) -> None:
    """Equal leaves; what lies in the empty slots of a cache has no meaning."""
    tf.nest.assert_same_structure(state, expected)
    if isinstance(state, dict):
        state, expected = (state,), (expected,)
    for leaves, others in zip(state, expected, strict=True):
        for name, leaf in leaves.items():
            held = np.ones(leaf.shape, bool)
            if "length" in leaves and len(leaf.shape) == 3:
                empty = leaf.shape[1] - np.asarray(others["length"])
                held[np.arange(leaf.shape[1]) < empty[:, None]] = False
            close(np.asarray(leaf)[held], np.asarray(others[name])[held])
