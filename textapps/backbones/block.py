"""One block: mixer, optional cross-attention, optional feed-forward."""

from typing import Any

import keras

from textapps.backbones.config import BackboneConfig
from textapps.backbones.cross_attention import CROSS_ATTENTIONS, NoAttention
from textapps.backbones.registry import mixer_class


class Block(keras.layers.Layer):
    """Up to three parts, each as x + dropout(part(norm(x))).

    That is the pre-norm order (Xiong et al. 2020, section 3.1). The backbones differ in the mixer
    only. Arguments as in `Backbone`.
    """

    def __init__(
        self, config: BackboneConfig, causal: bool, memory_units: int | None, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        policy = self.dtype_policy
        mixer = mixer_class(config.kind)
        self.mixer = mixer.of(config, causal, dtype=policy, name="mixer")
        self.cross_attention: Any = None
        self.feed_forward: Any = None
        if memory_units is not None:
            self.cross_attention = CROSS_ATTENTIONS[config.attention](
                config.units, config.heads, memory_units, dtype=policy, name="cross_attention"
            )
        inner_units = config.feed_forward
        if inner_units is None:
            inner_units = mixer.feed_forward_factor * config.units
        if inner_units:
            own = None if "activation" in mixer.options else config.activation
            self.feed_forward = keras.Sequential(
                [
                    keras.layers.Dense(inner_units, own or "gelu", dtype=policy, name="expand"),
                    keras.layers.Dense(config.units, dtype=policy, name="contract"),
                ],
                name="feed_forward",
            )
        self.norms = {}
        if config.normalization == "layer":
            parts = (self.mixer, self.cross_attention, self.feed_forward)
            self.norms = {
                part.name: keras.layers.LayerNormalization(
                    epsilon=1e-6, dtype=policy, name=f"{part.name}_norm"
                )
                for part in parts
                if part is not None and not isinstance(part, NoAttention)  # which reads no inputs
            }
        self.dropout = keras.layers.Dropout(config.dropout, dtype=policy, name="dropout")
        self.residual = config.residual
        self.supports_masking = True

    def build(self, inputs_shape: Any) -> None:
        """Creates the weights of all parts."""
        parts = (self.mixer, self.cross_attention, self.feed_forward, *self.norms.values())
        for part in parts:
            if part is not None:
                part.build(inputs_shape)
        self.built = True

    def call(
        self,
        inputs: Any,
        state: Any = None,
        mask: Any = None,
        memory: Any = None,
        training: bool | None = None,
    ) -> tuple[Any, Any]:
        """As `Backbone.call`, with this block's part of state and memory."""
        x, state = self._mix(inputs, state, mask, training)
        return self._behind(x, memory, training), state

    def step(self, inputs: Any, state: Any, memory: Any, tables: Any) -> tuple[Any, Any]:
        """As `call`, for one position, float[rows, units] → outputs, new state.

        Layers of Keras take a tenth of the operations for it that a sequence of length 1 takes.

        Args:
            tables: of `Mixer.tables`.
        """
        mixed, state = self.mixer.step(self.mixer_inputs(inputs), state, tables)
        return self._behind(self._add(inputs, mixed, False), memory, False), state

    def attention_weights(
        self, inputs: Any, state: Any = None, mask: Any = None, memory: Any = None
    ) -> Any:
        """The weights with which this block attends to the memory: see `CrossAttention`."""
        x, _ = self._mix(inputs, state, mask, training=False)
        return self.cross_attention.weights_of(self._normed(self.cross_attention, x), memory)

    def mixer_inputs(self, inputs: Any) -> Any:
        """What the mixer reads of the block's inputs: float[batch, time, units]."""
        return self._normed(self.mixer, inputs)

    def _mix(self, inputs: Any, state: Any, mask: Any, training: bool | None) -> tuple[Any, Any]:
        mixed, state = self.mixer(self.mixer_inputs(inputs), state=state, mask=mask)
        return self._add(inputs, mixed, training), state

    def _behind(self, x: Any, memory: Any, training: bool | None) -> Any:
        """The parts behind the mixer, of float[rows, time, units] or float[rows, units]."""
        if self.cross_attention is not None:
            seen = self.cross_attention(self._normed(self.cross_attention, x), memory=memory)
            x = self._add(x, seen, training)
        if self.feed_forward is not None:
            wide = self._normed(self.feed_forward, x)
            for layer in self.feed_forward.layers:  # as a whole it takes sequences only
                wide = layer(wide)
            x = self._add(x, wide, training)
        return x

    def _normed(self, part: Any, x: Any) -> Any:
        norm = self.norms.get(part.name)
        return x if norm is None else norm(x)

    def _add(self, x: Any, update: Any, training: bool | None) -> Any:
        update = self.dropout(update, training=training)
        return x + update if self.residual else update
