"""Self-attention with a bounded cache as state, and cross-attention to a prepared memory."""

from typing import Any

import keras
from keras import ops

from textapps.backbones.rotary import rotate


def split_heads(x: Any, heads: int) -> Any:
    """float[batch, time, width] → float[batch, heads, time, width / heads]."""
    x = ops.reshape(x, (*ops.shape(x)[:2], heads, x.shape[-1] // heads))
    return ops.transpose(x, (0, 2, 1, 3))


def merge_heads(x: Any) -> Any:
    """float[batch, heads, time, depth] → float[batch, time, heads · depth]."""
    heads, depth = x.shape[1], x.shape[3]
    x = ops.transpose(x, (0, 2, 1, 3))
    return ops.reshape(x, (*ops.shape(x)[:2], heads * depth))


def attend(queries: Any, keys: Any, values: Any, visible: Any | None) -> Any:
    """Scaled dot-product attention (Vaswani et al. 2017, section 3.2.1), softmax in float32.

    Args:
        queries: float[batch, heads, time, depth].
        keys: float[batch, heads, source, depth]; `values` likewise.
        visible: bool, broadcastable to [batch, heads, time, source]; None shows everything. A
            query that may see nothing gets the mean of all values, which is finite.

    Returns:
        float[batch, heads, time, depth].
    """
    scores = ops.matmul(queries, ops.transpose(keys, (0, 1, 3, 2)))
    scores = ops.cast(scores, "float32") / float(queries.shape[-1]) ** 0.5
    if visible is not None:
        scores = ops.where(visible, scores, -1e9)
    # Keras warns of a softmax over one key, as the first character of a text makes it
    weights = ops.ones_like(scores) if scores.shape[-1] == 1 else ops.softmax(scores, axis=-1)
    return ops.matmul(ops.cast(weights, values.dtype), values)


@keras.saving.register_keras_serializable("textapps")
class SelfAttention(keras.layers.Layer):
    """Multi-head self-attention as a stateful map over chunks.

    Causal: a position sees itself and the `context` positions before it. The state holds the
    keys, not yet rotated, and the values of the last `context` valid positions, at the right end
    of their arrays, and how many of them there are:

        keys, values  float[batch, context, units]
        length        int32[batch]

    Rotary positions count from the first cached slot, so that they never grow and the answer at
    position 1,000,000 is as exact as at the first. Not causal: every valid position sees every
    valid position, and the state is ().
    """

    def __init__(
        self, units: int, heads: int, context: int, causal: bool = True, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.projection = keras.layers.Dense(
            3 * units, use_bias=False, dtype=self.dtype_policy, name="query_key_value"
        )
        self.output_projection = keras.layers.Dense(
            units, use_bias=False, dtype=self.dtype_policy, name="output"
        )
        self.units = units
        self.heads = heads
        self.context = context
        self.causal = causal
        self.supports_masking = True

    def build(self, inputs_shape: Any) -> None:
        """Creates the projections."""
        self.projection.build(inputs_shape)
        self.output_projection.build((*inputs_shape[:-1], self.units))
        self.built = True

    def initial_state(self, batch: Any) -> Any:
        """The state at the start of `batch` sequences: zeros."""
        if not self.causal:
            return ()
        shape = (batch, self.context, self.units)
        return {
            "keys": ops.zeros(shape, self.compute_dtype),
            "values": ops.zeros(shape, self.compute_dtype),
            "length": ops.zeros((batch,), "int32"),
        }

    def call(self, inputs: Any, state: Any = None, mask: Any = None) -> tuple[Any, Any]:
        """float[batch, time, units], state, bool[batch, time] → outputs, new state."""
        queries, keys, values = ops.split(self.projection(inputs), 3, axis=-1)
        if self.causal and state is not None and mask is None and inputs.shape[1] == 1:
            return self._one_position(queries, keys, values, state)
        time = ops.shape(inputs)[1]
        if not self.causal:
            visible = None if mask is None else mask[:, None, None, :]
            positions = ops.arange(time)
            return self._attend(queries, keys, values, positions, positions, visible), ()
        if state is None:
            past, new_state = 0, self.initial_state(ops.shape(inputs)[0])
            all_keys, all_values, valid = keys, values, mask
        else:
            past, new_state = self.context, state
            all_keys = ops.concatenate([state["keys"], keys], axis=1)
            all_values = ops.concatenate([state["values"], values], axis=1)
            slots = ops.arange(self.context)[None, :] >= self.context - state["length"][:, None]
            new = ops.ones(ops.shape(inputs)[:2], "bool") if mask is None else mask
            valid = ops.concatenate([slots, new], axis=1)
        key_positions = ops.arange(past + time)
        query_positions = key_positions[past:]
        distance = query_positions[:, None] - key_positions[None, :]
        visible = ops.logical_and(distance >= 0, distance <= self.context)[None, None]
        if valid is not None:
            visible = ops.logical_and(visible, valid[:, None, None, :])
        outputs = self._attend(
            queries, all_keys, all_values, query_positions, key_positions, visible
        )
        return outputs, self._advance(new_state, keys, values, mask)

    def _one_position(self, query: Any, key: Any, value: Any, state: Any) -> tuple[Any, Any]:
        """As `call` for one position without padding: decoding, where the size of the cache counts.

        Turning the query once for every distance, instead of all cached keys, lets the cache be
        read where it lies, without a transpose or a copy that is one position longer.
        """
        shape = (-1, self.context, self.heads, self.units // self.heads)
        by_head = (-1, 1, *shape[2:])
        distances = ops.arange(self.context, 0, -1)
        # float[batch, heads, context, depth] → float[batch, context, heads, depth]
        turned = ops.transpose(rotate(split_heads(query, self.heads), distances), (0, 2, 1, 3))
        past = ops.sum(turned * ops.reshape(state["keys"], shape), axis=-1)
        own = ops.sum(ops.reshape(query * key, by_head), axis=-1)  # at distance 0 nothing turns
        slots = ops.arange(self.context)[None, :] >= self.context - state["length"][:, None]
        past = ops.where(slots[:, :, None], past, -1e9)
        scores = ops.cast(ops.concatenate([past, own], axis=1), "float32")
        weights = ops.softmax(scores / float(shape[-1]) ** 0.5, axis=1)
        weights = ops.cast(weights, value.dtype)[..., None]  # [batch, context + 1, heads, 1]
        mixed = ops.sum(
            weights[:, :-1] * ops.reshape(state["values"], shape), axis=1, keepdims=True
        )
        mixed += weights[:, -1:] * ops.reshape(value, by_head)
        outputs = self.output_projection(ops.reshape(mixed, (-1, 1, self.units)))
        return outputs, self._advance(state, key, value, None)

    def _attend(
        self,
        queries: Any,
        keys: Any,
        values: Any,
        query_positions: Any,
        key_positions: Any,
        visible: Any,
    ) -> Any:
        queries = rotate(split_heads(queries, self.heads), query_positions)
        keys = rotate(split_heads(keys, self.heads), key_positions)
        mixed = attend(queries, keys, split_heads(values, self.heads), visible)
        return self.output_projection(merge_heads(mixed))

    def _advance(self, state: Any, keys: Any, values: Any, mask: Any) -> dict[str, Any]:
        """The last `context` valid keys and values of the past and the chunk together."""
        keys = ops.concatenate([state["keys"], keys], axis=1)
        values = ops.concatenate([state["values"], values], axis=1)
        if mask is None:
            added = ops.shape(keys)[1] - self.context
            keys, values = keys[:, -self.context :], values[:, -self.context :]
        else:  # the valid part of each row ends where its padding begins
            added = ops.sum(ops.cast(mask, "int32"), axis=1)
            slots = (added[:, None] + ops.arange(self.context)[None, :])[:, :, None]
            keys = ops.take_along_axis(keys, slots, axis=1)
            values = ops.take_along_axis(values, slots, axis=1)
        length = ops.minimum(state["length"] + added, self.context)
        return {"keys": keys, "values": values, "length": ops.cast(length, "int32")}

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {
            **super().get_config(),
            "units": self.units,
            "heads": self.heads,
            "context": self.context,
            "causal": self.causal,
        }


@keras.saving.register_keras_serializable("textapps")
class CrossAttention(keras.layers.Layer):
    """Multi-head attention to a memory whose keys and values are projected once.

    The memory of one block is {"keys", "values": float[batch, source, units],
    "mask": bool[batch, source]}, as `prepare_memory` makes it.
    """

    def __init__(self, units: int, heads: int, memory_units: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.query = keras.layers.Dense(
            units, use_bias=False, dtype=self.dtype_policy, name="query"
        )
        self.key_value = keras.layers.Dense(
            2 * units, use_bias=False, dtype=self.dtype_policy, name="key_value"
        )
        self.output_projection = keras.layers.Dense(
            units, use_bias=False, dtype=self.dtype_policy, name="output"
        )
        self.units = units
        self.heads = heads
        self.memory_units = memory_units
        self.supports_masking = True

    def build(self, inputs_shape: Any) -> None:
        """Creates the projections, that of the memory included."""
        self.query.build(inputs_shape)
        self.key_value.build((None, None, self.memory_units))
        self.output_projection.build((*inputs_shape[:-1], self.units))
        self.built = True

    def prepare_memory(self, encoder_outputs: Any, mask: Any = None) -> dict[str, Any]:
        """float[batch, source, memory_units], bool[batch, source] → this block's memory."""
        keys, values = ops.split(self.key_value(encoder_outputs), 2, axis=-1)
        if mask is None:
            mask = ops.ones(ops.shape(encoder_outputs)[:2], "bool")
        return {"keys": keys, "values": values, "mask": mask}

    def call(self, inputs: Any, memory: Any) -> Any:
        """float[batch, time, units] and the memory → float[batch, time, units]."""
        mixed = attend(
            split_heads(self.query(inputs), self.heads),
            split_heads(memory["keys"], self.heads),
            split_heads(memory["values"], self.heads),
            memory["mask"][:, None, None, :],
        )
        return self.output_projection(merge_heads(mixed))

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {
            **super().get_config(),
            "units": self.units,
            "heads": self.heads,
            "memory_units": self.memory_units,
        }
