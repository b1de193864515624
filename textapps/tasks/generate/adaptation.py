"""Scoring a text while learning from what has been read of it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from textapps.core.errors import ConfigurationError
from textapps.tasks.generate.model import LanguageModel


@dataclass(frozen=True)
class Adaptation:
    """Dynamic evaluation (Krause et al. 2018, sections 3 and 4).

    The text is read in chunks. Each is scored first; then every weight w, which was w₀ before the
    text, takes one step against the gradient g of the chunk's nats:

        w ← w − rate · g / √m + decay · (w₀ − w)

    m is the mean of g² over the chunks read so far. The paper takes that of the training text,
    which a model that is only used need not have.

    Args:
        chunk: characters that are scored before each step, and that the gradient goes back through.
        rate: size of a step.
        decay: share of the way back to the weights before the text, in each step.
        warmup: chunks of which only m is taken.

    Raises:
        ConfigurationError: a chunk has no characters.
    """

    chunk: int = 16
    rate: float = 3e-4
    decay: float = 3e-3
    warmup: int = 20

    def __post_init__(self) -> None:
        if self.chunk < 1:
            raise ConfigurationError(f"chunk {self.chunk}: give 1 character or more")

    @property
    def begins_after(self) -> int:
        """How many characters are read before the first step."""
        return self.chunk * (self.warmup + 1)


def adapted_nats(
    model: LanguageModel, ids: NDArray[np.int32], adaptation: Adaptation
) -> NDArray[np.float32]:
    """The surprise of each character but the first, each scored before it is learned from.

    The weights of the model are afterwards as they were.

    Args:
        ids: int32[1 + characters].

    Returns:
        float32[characters], in nats.
    """
    before = [tf.identity(weight) for weight in model.trainable_variables]
    step = tf.function(_stepper(model, before, adaptation), autograph=False, reduce_retracing=True)
    state, parts = model.initial_state(1), []
    try:
        for number, start in enumerate(range(0, len(ids) - 1, adaptation.chunk), 1):
            part = ids[start : start + adaptation.chunk + 1]
            nats, state = step(tf.constant(part[None]), state, tf.constant(number, tf.float32))
            parts.append(nats.numpy())
    finally:
        for weight, old in zip(model.trainable_variables, before, strict=True):
            weight.assign(old)
    return np.concatenate(parts) if parts else np.zeros(0, np.float32)


def _stepper(
    model: LanguageModel, before: list[Any], adaptation: Adaptation
) -> Callable[[Any, Any, Any], Any]:
    """Scores a chunk, and learns from it."""
    moments = [tf.Variable(tf.zeros_like(weight)) for weight in before]

    def step(ids: Any, state: Any, number: Any) -> Any:
        weights = [weight.value for weight in model.trainable_variables]
        with tf.GradientTape() as tape:
            logits, state = model.read(ids[:, :-1], state)
            nats = model.nats(ids[:, 1:], logits)
            loss = tf.reduce_mean(nats)
        rate = tf.where(number > adaptation.warmup, adaptation.rate, 0.0)
        gradients = tape.gradient(loss, weights)
        for weight, old, moment, gradient in zip(weights, before, moments, gradients, strict=True):
            g = tf.convert_to_tensor(gradient)
            m = moment.assign_add((g * g - moment) / number)
            back = adaptation.decay * (old - weight)
            weight.assign_add(back - rate * tf.math.divide_no_nan(g, tf.sqrt(m)))
        return nats[0], state

    return step
