"""From the outputs at every position to one vector a sequence."""

from typing import Any

import keras
from keras import ops

POOLINGS = ("max", "mean", "attention", "max_mean")


@keras.saving.register_keras_serializable("textapps")
class Pooling(keras.layers.Layer):
    """Maximum, mean or both over the valid positions, or a mean weighted by learnt attention.

    Attention is that of Yang et al. 2016 (section 2.2): softmax over v · tanh(W x + b). A
    sequence without a valid position gives zeros.
    """

    def __init__(self, kind: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.hidden: Any = None
        self.score: Any = None
        if kind == "attention":
            self.score = keras.layers.Dense(
                1, use_bias=False, dtype=self.dtype_policy, name="score"
            )
        self.kind = kind
        self.supports_masking = True

    def build(self, inputs_shape: Any) -> None:
        """Creates the weights of attention."""
        if self.kind == "attention":
            self.hidden = keras.layers.Dense(
                inputs_shape[-1], "tanh", dtype=self.dtype_policy, name="hidden"
            )
            self.hidden.build(inputs_shape)
            self.score.build(inputs_shape)
        self.built = True

    def call(self, inputs: Any, mask: Any) -> Any:
        """float[batch, time, width], bool[batch, time] → float[batch, width or 2 · width]."""
        valid = mask[:, :, None]
        if self.kind == "attention":
            scores = ops.cast(self.score(self.hidden(inputs)), "float32")
            weights = ops.softmax(ops.where(valid, scores, -1e9), axis=1)
            return ops.sum(ops.where(valid, inputs * ops.cast(weights, inputs.dtype), 0), axis=1)
        count = ops.sum(ops.cast(valid, inputs.dtype), axis=1)
        mean = ops.sum(ops.where(valid, inputs, 0), axis=1) / ops.maximum(count, 1)
        if self.kind == "mean":
            return mean
        largest = ops.max(ops.where(valid, inputs, -1e9), axis=1)
        largest = ops.where(count > 0, largest, 0)
        return largest if self.kind == "max" else ops.concatenate([largest, mean], axis=-1)

    def compute_mask(self, inputs: Any, previous_mask: Any) -> None:
        """No time axis is left to mask."""

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {**super().get_config(), "kind": self.kind}
