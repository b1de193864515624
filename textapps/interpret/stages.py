"""A causal model in the three stages that the functions of this package need."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import keras

from textapps.backbones.backbone import Backbone
from textapps.backbones.recurrent import RecurrentMixer


@dataclass(frozen=True)
class Stages:
    """A model that predicts the next symbol at every position.

    embed: int32[batch, time] → float32[batch, time, units].
    backbone: causal, without memory.
    logits: float32[batch, time, units] → float32[batch, time, symbols].
    """

    embed: Callable[[Any], Any]
    backbone: Backbone
    logits: Callable[[Any], Any]

    @property
    def recurrent(self) -> bool:
        """Whether its state is one vector, or a few, that every step computes anew."""
        return is_recurrent(self.backbone)

    def losses(self, outputs: Any, targets: Any) -> Any:
        """The surprise of int32[batch] at float32[batch, units]: float32[batch], in nats."""
        logits = self.logits(outputs[:, None])[:, 0]
        return keras.losses.sparse_categorical_crossentropy(targets, logits, from_logits=True)


def is_recurrent(backbone: Backbone) -> bool:
    """Whether the mixers of a backbone are recurrent cells."""
    return all(isinstance(block.mixer, RecurrentMixer) for block in backbone.blocks)
