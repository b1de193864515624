"""What a user may set of a backbone."""

import math
from typing import Annotated, Literal

from pydantic import Field, model_validator

from textapps.core.config import Section

BACKBONES = ("simple_rnn", "lstm", "gru", "transformer")
GATED = ("lstm", "gru")

Kind = Literal["simple_rnn", "lstm", "gru", "transformer"]
Attention = Literal["multi-head", "dot", "additive", "none"]
Activation = Literal["tanh", "relu", "gelu", "silu", "elu", "sigmoid", "hard_sigmoid", "linear"]


class BackboneConfig(Section):
    """The backbone: `layers` equal blocks of `units` around one kind of mixer.

    `activation` is the cell's (default tanh), for the transformer that of the feed-forward
    (default gelu); `recurrent_activation` is that of the gates of `lstm` and `gru` (default
    sigmoid). `feed_forward` is the inner width, 0 for none; None takes the kind's default: four
    times `units` for the transformer, none for the others. `context` is how many past positions
    a causal transformer sees besides the present one. `attention` is the score function of a
    decoder's attention to an encoder's outputs; `none` gives it one vector instead of them.
    """

    kind: Kind = "gru"
    units: int = Field(128, ge=2, le=8192)
    layers: int = Field(1, ge=1, le=64)
    dropout: float = Field(0.0, ge=0, lt=1)
    activation: Activation | None = None
    recurrent_activation: Activation | None = None
    heads: int = Field(4, ge=1, le=128)
    feed_forward: int | None = Field(None, ge=0, le=65536)
    context: int = Field(256, ge=1, le=65536)
    residual: bool = True
    normalization: Literal["layer", "none"] = "layer"
    attention: Attention = "multi-head"

    @property
    def inner_units(self) -> int:
        """The inner width of the feed-forward part, 0 for none."""
        default = 4 * self.units if self.kind == "transformer" else 0
        return default if self.feed_forward is None else self.feed_forward

    @model_validator(mode="after")
    def _fits_together(self) -> "BackboneConfig":
        if self.recurrent_activation is not None and self.kind not in GATED:
            raise ValueError(f"recurrent_activation: {self.kind} has no gates; leave it out")
        if self.kind == "transformer" and self.units % (2 * self.heads):
            raise ValueError(
                f"units {self.units} must be a multiple of 2 x heads (2 x {self.heads}), "
                "because rotary positions turn pairs of features"
            )
        return self


class StemConfig(Section):
    """Convolutions over time before the backbone: one of `kernel` positions for each of `strides`.

    With `channels` the first of them sees frequency as it sees time, in so many channels, at every
    other feature. The others see all features at once, `separable` ones each feature by itself
    and then all at one position, with a fraction of the weights. Without `strides` there is none.
    """

    strides: tuple[Annotated[int, Field(ge=1, le=16)], ...] = Field((2, 1), max_length=16)
    kernel: int = Field(5, ge=1, le=99)
    channels: int = Field(0, ge=0, le=512)
    separable: bool = False
    normalization: Literal["batch", "layer", "none"] = "batch"
    activation: Activation = "relu"
    dropout: float = Field(0.0, ge=0, lt=1)

    @property
    def stride(self) -> int:
        """How many positions come to one."""
        return math.prod(self.strides)

    @model_validator(mode="after")
    def _has_a_first(self) -> "StemConfig":
        if self.channels and not self.strides:
            raise ValueError("channels needs a convolution: give strides, such as [2]")
        return self
