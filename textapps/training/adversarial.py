"""Adversarial training: the loss of inputs that are moved to where the model is wrong sooner."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import tensorflow as tf

PERTURBATION = "perturbation"
"""The input of a model that is added to its embedded sequences: float32[batch, time, width]."""


@dataclass(frozen=True)
class Adversarial:
    """The adversarial loss (Goodfellow et al. 2015; for embedded texts Miyato et al. 2017, section
    3), added to that of the inputs as they are.

    Each sequence is moved along the gradient of its loss, which raises the loss most for a small
    distance.

    Attributes:
        size: how far, as the L2 norm over the whole sequence.
        width: of the embedding.
        loss: of the targets and the outputs for moved inputs, float32[batch].
    """

    size: float
    width: int
    loss: Callable[[Any, Any], Any]

    def unmoved(self, inputs: Mapping[str, Any]) -> dict[str, Any]:
        """The inputs with a perturbation of zeros, whose gradient is that of the embeddings."""
        shape = tf.concat([tf.shape(inputs["ids"]), [self.width]], axis=0)
        return {**inputs, PERTURBATION: tf.zeros(shape)}

    def moved(self, inputs: Mapping[str, Any], gradient: Any) -> dict[str, Any]:
        """The inputs moved along float32[batch, time, width]; a gradient of zero moves nothing."""
        norm = tf.sqrt(tf.reduce_sum(gradient**2, axis=[1, 2], keepdims=True))
        step = self.size * tf.math.divide_no_nan(gradient, norm)
        return {**inputs, PERTURBATION: tf.stop_gradient(step)}
