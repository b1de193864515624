"""From the outputs at every position to one vector for each sequence."""

from typing import Any

import keras
from keras import ops

from textapps.backbones.attention import masked_softmax

POOLINGS = ("max", "mean", "attention", "max_mean")


@keras.saving.register_keras_serializable("textapps")
class Pooling(keras.layers.Layer):
    """Maximum, mean or both over the valid positions, or a mean weighted by learned attention.

    The attention is that of Yang et al. 2016 (section 2.2): softmax over v · tanh(W x + b). A
    sequence without a valid position gives zeros.

    With a `window`, `slide` pools the last `window` positions at every position of an endless
    sequence; at first, when there are fewer, all of them. Its state holds the last inputs,
    right-aligned, and how many there are:

        past    float[batch, window - 1, width]
        length  int32[batch]
    """

    def __init__(self, kind: str, window: int | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.hidden: Any = None
        self.score: Any = None
        if kind == "attention":
            self.score = keras.layers.Dense(
                1, use_bias=False, dtype=self.dtype_policy, name="score"
            )
        self.kind = kind
        self.window = window
        self.width: int = 0  # of the inputs, known when built
        self.supports_masking = True

    def build(self, inputs_shape: Any) -> None:
        """Creates the weights of attention."""
        self.width = inputs_shape[-1]
        if self.kind == "attention":
            self.hidden = keras.layers.Dense(
                inputs_shape[-1], "tanh", dtype=self.dtype_policy, name="hidden"
            )
            self.hidden.build(inputs_shape)
            self.score.build(inputs_shape)
        self.built = True

    def call(self, inputs: Any, mask: Any = None) -> Any:
        """float[batch, time, width], bool[batch, time] → float[batch, width or 2 · width].

        Without a mask everything is valid.
        """
        valid = ops.ones_like(inputs[:, :, :1], "bool") if mask is None else mask[:, :, None]
        if self.kind == "attention":
            scores = ops.cast(self.score(self.hidden(inputs)), "float32")
            weights = masked_softmax(scores, valid, axis=1)
            return ops.sum(ops.where(valid, inputs * ops.cast(weights, inputs.dtype), 0), axis=1)
        count = ops.sum(ops.cast(valid, inputs.dtype), axis=1)
        mean = ops.sum(ops.where(valid, inputs, 0), axis=1) / ops.maximum(count, 1)
        if self.kind == "mean":
            return mean
        largest = ops.max(ops.where(valid, inputs, -1e9), axis=1)
        largest = ops.where(count > 0, largest, 0)
        return largest if self.kind == "max" else ops.concatenate([largest, mean], axis=-1)

    def initial_state(self, batch: Any) -> Any:
        """The state of `slide` at the start of `batch` sequences: zeros."""
        past = ops.zeros((batch, self._past, self.width), self.compute_dtype)
        return {"past": past, "length": ops.zeros((batch,), "int32")}

    def slide(self, inputs: Any, mask: Any = None, state: Any = None) -> tuple[Any, Any]:
        """Pools, at each position of a chunk, the `window` positions that end there.

        Args:
            inputs: float[batch, time, width].
            mask: bool[batch, time], padding on the right; None: everything is valid. Outputs at
                masked positions have no meaning.
            state: None at the start.

        Returns:
            float[batch, time, width or 2 · width], the new state.
        """
        rows, time = ops.shape(inputs)[:2]
        state = self.initial_state(rows) if state is None else state
        mask = ops.ones((rows, time), "bool") if mask is None else mask
        past, inputs = self._past, ops.cast(inputs, self.compute_dtype)
        known = ops.concatenate([state["past"], inputs], axis=1)
        slots = ops.arange(past)[None, :] >= past - state["length"][:, None]
        valid = ops.concatenate([slots, mask], axis=1)
        distance = ops.arange(past, past + time)[:, None] - ops.arange(past + time)[None, :]
        seen = ops.logical_and(distance >= 0, distance <= past)[None]
        seen = ops.logical_and(seen, valid[:, None, :])  # [batch, time, past + time]
        added = ops.sum(ops.cast(mask, "int32"), axis=1)
        places = added[:, None] + ops.arange(past)[None, :]
        new = {
            "past": ops.take_along_axis(known, places[:, :, None], axis=1),
            "length": ops.cast(ops.minimum(state["length"] + added, past), "int32"),
        }
        return self._windows(known, seen), new

    @property
    def _past(self) -> int:
        if self.window is None:
            raise ValueError("a pooling without a window has no answer at each position")
        return self.window - 1

    def _windows(self, known: Any, seen: Any) -> Any:
        """float[batch, all, width], bool[batch, time, all] → float[batch, time, …]."""
        if self.kind == "attention":
            scores = ops.cast(self.score(self.hidden(known)), "float32")
            weights = masked_softmax(ops.transpose(scores, (0, 2, 1)), seen)
            return ops.matmul(ops.cast(weights, known.dtype), known)
        weights = ops.cast(seen, "float32")
        weights /= ops.maximum(ops.sum(weights, axis=-1, keepdims=True), 1)
        mean = ops.matmul(ops.cast(weights, known.dtype), known)
        if self.kind == "mean":
            return mean
        rows = ops.where(seen[..., None], known[:, None], -1e9)
        largest = ops.max(
            rows, axis=2, initial=-1e9
        )  # without `initial`, no positions are an error
        return largest if self.kind == "max" else ops.concatenate([largest, mean], axis=-1)

    def compute_mask(self, inputs: Any, previous_mask: Any) -> None:
        """No time axis is left to mask."""

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {**super().get_config(), "kind": self.kind, "window": self.window}
