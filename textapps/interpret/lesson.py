"""A network of two units, small enough to follow with a pocket calculator."""

from typing import Any

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from textapps.backbones.backbone import Backbone
from textapps.backbones.config import BackboneConfig
from textapps.interpret.stages import Stages
from textapps.training.seeding import seeded

UNITS = 2
STEPS = 300
LEARNING_RATE = 0.05


class LessonNetwork(keras.Model):
    """Each symbol is two numbers; one cell of two units; its state gives the next symbol's chances.

    There is nothing else in it: no residual connection and no normalisation.

    Args:
        kind: of the backbone, a recurrent one.
        symbols: how many there are.
    """

    def __init__(self, kind: str, symbols: int) -> None:
        super().__init__(name="lesson")
        self.embedding = keras.layers.Embedding(symbols, UNITS, name="embedding")
        config = BackboneConfig.model_validate(
            {"kind": kind, "units": UNITS, "residual": False, "normalization": "none"}
        )
        self.backbone = Backbone(config, name="backbone")
        self.head = keras.layers.Dense(symbols, name="head")

    def call(self, ids: Any, training: bool | None = None) -> Any:
        """int32[batch, time] → float32[batch, time, symbols]."""
        outputs, _ = self.backbone(self.embedding(ids), training=training)
        return self.head(outputs)

    @property
    def stages(self) -> Stages:
        """The model in its parts."""
        return Stages(self.embedding, self.backbone, self.head)


def train_lesson(kind: str, ids: NDArray[np.int32], symbols: int, seed: int = 0) -> LessonNetwork:
    """A network of two units that has learned to continue one short text.

    Args:
        ids: int32[symbols of the text], two at least.
    """
    with seeded(seed):
        model = LessonNetwork(kind, symbols)
        model(ids[None, :1])  # creates the weights
    optimizer = keras.optimizers.Adam(LEARNING_RATE)
    optimizer.build(model.trainable_variables)

    @tf.function(autograph=False)  # type: ignore[untyped-decorator]
    def step(inputs: Any, targets: Any) -> None:
        with tf.GradientTape() as tape:
            logits = model(inputs, training=True)
            losses = keras.losses.sparse_categorical_crossentropy(targets, logits, from_logits=True)
            total = tf.reduce_sum(losses)
        gradients = tape.gradient(total, model.trainable_variables)
        optimizer.apply(gradients, model.trainable_variables)

    inputs, targets = tf.constant(ids[None, :-1]), tf.constant(ids[None, 1:])
    for _ in range(STEPS):
        step(inputs, targets)
    return model


def parameters_of(model: Any) -> dict[str, Any]:
    """The trainable variables by a short name, such as "recurrent_kernel" or "head kernel".

    Those of a cell are named alone if there is one cell, else with their block.
    """
    found: dict[str, Any] = {}
    cells = sum(v.path.endswith("recurrent_kernel") for v in model.trainable_variables)
    for variable in model.trainable_variables:
        _, *layers, name = variable.path.split("/")
        block = [part.replace("_", " ") for part in layers if part.startswith("block_")]
        if layers[:1] == ["backbone"] and "mixer" in layers:
            prefix = block if cells > 1 else []
        else:
            prefix = [layers[-1].replace("_", " ")] if layers else []
            prefix = block + prefix if block else prefix
        found[" ".join([*prefix, name.replace("_", " ")])] = variable
    return found
