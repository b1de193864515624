"""A stack of convolutions between frames of features and the backbone."""

from typing import Any

import keras

from textapps.backbones.config import StemConfig
from textapps.backbones.stem import Stem


@keras.saving.register_keras_serializable("textapps")
class ConvStem(keras.layers.Layer):
    """Convolutions over time, each normalised and activated, to the width of the backbone.

    A convolution that changes neither length nor width is residual: its outputs are added to its
    inputs (He et al. 2016, section 3.1). A dense layer makes the width of the backbone where the
    last convolution does not, or where there is none.

    A causal stem keeps the law of the backbone: chunks of any lengths give the outputs of one
    call. Its state is that of each convolution; () if not causal.

    Args:
        config: sizes and options.
        units: width of the outputs.
        causal: whether no output sees a later input.

    >>> import numpy as np
    >>> stem = ConvStem(StemConfig(strides=(2, 1)), units=6, causal=True)
    >>> outputs, mask, state = stem(np.ones((3, 9, 4), "float32"))
    >>> outputs.shape, mask, len(state)
    (TensorShape([3, 5, 6]), None, 2)
    """

    def __init__(
        self, config: StemConfig, units: int, *, causal: bool = False, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        policy = self.dtype_policy
        self.convolutions = []
        for index, stride in enumerate(config.strides):
            grid = config.channels > 0 and index == 0
            self.convolutions.append(
                Stem(
                    config.channels if grid else units,
                    config.kernel,
                    stride,
                    kind="grid" if grid else "separable" if config.separable else "full",
                    causal=causal,
                    activation=config.activation,
                    normalization=config.normalization,
                    dtype=policy,
                    name=f"convolution_{index}",
                )
            )
        self.projection: Any = None
        if len(self.convolutions) <= (config.channels > 0):
            self.projection = keras.layers.Dense(units, dtype=policy, name="projection")
        self.dropout = keras.layers.Dropout(config.dropout, dtype=policy, name="dropout")
        self.config = config
        self.units = units
        self.causal = causal
        self.supports_masking = True

    def build(self, inputs_shape: Any) -> None:
        """Creates all weights."""
        shape = (None, None, inputs_shape[-1])
        for convolution in self.convolutions:
            convolution.build(shape)
            shape = (None, None, convolution.outputs_width)
        if self.projection is not None:
            self.projection.build(shape)
        self.built = True

    def initial_state(self, batch: Any) -> Any:
        """The state at the start of `batch` sequences: zeros, () when not causal."""
        if not self.causal:
            return ()
        return tuple(convolution.initial_state(batch) for convolution in self.convolutions)

    def call(
        self, inputs: Any, mask: Any = None, state: Any = None, training: bool | None = None
    ) -> tuple[Any, Any, Any]:
        """float[batch, time, features] → float[batch, steps, units], mask, state: see `Stem`."""
        x, states = inputs, []
        for index, convolution in enumerate(self.convolutions):
            before = x
            x, mask, new = convolution(
                x, mask=mask, state=state[index] if state else None, training=training
            )
            if convolution.stride == 1 and convolution.width == convolution.outputs_width:
                x = before + x
            states.append(new)
        if self.projection is not None:
            x = self.projection(x)
        return self.dropout(x, training=training), mask, tuple(states) if self.causal else ()

    def compute_mask(self, inputs: Any, previous_mask: Any) -> None:
        """The mask is one of the outputs."""

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {
            **super().get_config(),
            "config": self.config.model_dump(),
            "units": self.units,
            "causal": self.causal,
        }

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> "ConvStem":
        """The stem whose `get_config` this is."""
        return cls(**{**config, "config": StemConfig(**config["config"])})
