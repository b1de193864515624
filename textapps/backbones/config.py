"""What a user may set of a backbone."""

import math
from typing import Annotated, ClassVar, Literal

from pydantic import AfterValidator, Field, model_validator

from textapps.backbones.registry import BACKBONES as BACKBONES
from textapps.backbones.registry import REGISTRY
from textapps.core.config import Section
from textapps.core.errors import unknown
from textapps.core.keys import Option, Search


def _known(kind: str) -> str:
    if kind not in REGISTRY:
        raise ValueError(unknown("backbone", kind, REGISTRY))
    return kind


Kind = Annotated[str, AfterValidator(_known)]
Attention = Literal["multi-head", "dot", "additive", "none"]
Activation = Literal[
    "tanh", "relu", "leaky_relu", "gelu", "silu", "elu", "sigmoid", "hard_sigmoid", "linear"
]


class BackboneConfig(Section):
    """The backbone: a stack of equal blocks around one kind of mixer."""

    FREE: ClassVar = ("dropout", "recurrent_dropout")

    kind: Annotated[
        Kind,
        Option("--backbone", choices=BACKBONES),
        Search(among=("gru", "lstm", "transformer")),
    ] = Field("gru", description="The kind of backbone that reads the sequence.")
    units: Annotated[int, Option("--units"), Search(times=(0.5, 2), multiple=8, cost=1.5)] = Field(
        128, ge=2, le=8192, description="Width of inputs and outputs of each block."
    )
    layers: Annotated[int, Option("--layers"), Search(times=(0.5, 2), cost=1)] = Field(
        1, ge=1, le=64, description="Number of blocks."
    )
    dropout: Annotated[float, Option("--dropout"), Search(between=(0, 0.5))] = Field(
        0.0, ge=0, lt=1, description="Share of features dropped after each part of a block."
    )
    recurrent_dropout: float = Field(
        0.0,
        ge=0,
        lt=1,
        description="Share of the weights from one position to the next that each training step "
        "of a recurrent backbone leaves out.",
    )
    activation: Activation | None = Field(
        None,
        description="Activation of the cell, by default tanh; for the transformer of the "
        "feed-forward part, by default gelu.",
    )
    recurrent_activation: Activation | None = Field(
        None, description="Activation of the gates of lstm and gru; by default sigmoid."
    )
    heads: int = Field(
        4, ge=1, le=128, description="Attention heads; units must be a multiple of twice as many."
    )
    feed_forward: int | None = Field(
        None,
        ge=0,
        le=65536,
        description="Inner width of the feed-forward part, 0 for none; by default four times "
        "units for the transformer, none for the others.",
    )
    context: int = Field(
        256,
        ge=1,
        le=65536,
        description="Past positions that a causal transformer sees besides the present one.",
    )
    residual: bool = Field(True, description="Add the input of each part of a block to its output.")
    normalization: Literal["layer", "none"] = Field(
        "layer", description="Normalisation before each part of a block."
    )
    attention: Attention = Field(
        "multi-head",
        description="How a decoder attends to the outputs of the encoder; with none it gets their "
        "mean as one vector.",
    )

    @model_validator(mode="after")
    def _fits_together(self) -> "BackboneConfig":
        entry = REGISTRY[self.kind]
        if self.recurrent_activation is not None and not entry.gates:
            raise ValueError(f"recurrent_activation: {self.kind} has no gates; leave it out")
        if self.recurrent_dropout and not entry.recurrent:
            raise ValueError(f"recurrent_dropout: {self.kind} has no such weights; leave it out")
        if entry.rotary and self.units % (2 * self.heads):
            raise ValueError(
                f"units {self.units} must be a multiple of 2 x heads (2 x {self.heads}), "
                "because rotary positions turn pairs of features"
            )
        return self


def fitting_units(units: int, kind: str, heads: int) -> int:
    """The nearest width that a backbone of this kind can have.

    >>> fitting_units(100, "transformer", 6), fitting_units(100, "gru", 6)
    (96, 100)
    """
    step = 2 * heads if REGISTRY[kind].rotary else 1
    return max(1, round(units / step)) * step


class StemConfig(Section):
    """Convolutions over time before the backbone, one for each of `strides`."""

    strides: tuple[Annotated[int, Field(ge=1, le=16)], ...] = Field(
        (2, 1),
        max_length=16,
        description="Stride of each convolution; an empty list for no convolutions.",
    )
    kernel: int = Field(5, ge=1, le=99, description="Positions that a convolution sees at a time.")
    channels: int = Field(
        0,
        ge=0,
        le=512,
        description="Channels of a first convolution over time and frequency, which takes every "
        "other feature; 0 for a convolution over time only.",
    )
    separable: bool = Field(
        False,
        description="Split each other convolution into one over time for each feature and one "
        "over features, which takes a fraction of the weights.",
    )
    normalization: Literal["batch", "layer", "none"] = Field(
        "batch", description="Normalisation after each convolution."
    )
    activation: Activation = Field("relu", description="Activation after each convolution.")
    dropout: Annotated[float, Search(between=(0, 0.3))] = Field(
        0.0, ge=0, lt=1, description="Share of features dropped after each convolution."
    )

    @property
    def stride(self) -> int:
        """How many positions come to one."""
        return math.prod(self.strides)

    @model_validator(mode="after")
    def _has_a_first(self) -> "StemConfig":
        if self.channels and not self.strides:
            raise ValueError("channels needs a convolution: give strides, such as [2]")
        return self
