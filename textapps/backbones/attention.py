"""Self-attention with a bounded cache as state, and cross-attention to a prepared memory."""

from typing import Any

import keras
from keras import ops

from textapps.backbones.rotary import cosines_and_sines, rotate, turn


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
    scores = _products(queries, keys)
    scores = ops.cast(scores, "float32") / float(queries.shape[-1]) ** 0.5
    if visible is not None:
        scores = ops.where(visible, scores, -1e9)
    # Keras warns of a softmax over one key, as the first character of a text makes it
    weights = ops.ones_like(scores) if scores.shape[-1] == 1 else ops.softmax(scores, axis=-1)
    return ops.matmul(ops.cast(weights, values.dtype), values)


def _products(queries: Any, keys: Any) -> Any:
    """float[…, time, depth], float[…, source, depth] → float[…, time, source]."""
    return ops.matmul(queries, ops.transpose(keys, (0, 1, 3, 2)))


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

    def initial_state(self, batch: Any, context: int | None = None) -> Any:
        """The state at the start of `batch` sequences: zeros; `context` 0 leaves out the cache."""
        if not self.causal:
            return ()
        shape = (batch, self.context if context is None else context, self.units)
        return {
            "keys": ops.zeros(shape, self.compute_dtype),
            "values": ops.zeros(shape, self.compute_dtype),
            "length": ops.zeros((batch,), "int32"),
        }

    def call(self, inputs: Any, state: Any = None, mask: Any = None) -> tuple[Any, Any]:
        """float[batch, time, units], state, bool[batch, time] → outputs, new state."""
        queries, keys, values = ops.split(self.projection(inputs), 3, axis=-1)
        if state and "added" in state:
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

    def open_state(self, state: Any, room: Any) -> Any:
        """The state with room for `room` positions more, to be read one at a time without padding.

        They go into arrays of their own, and the cache is laid out and rotated once for all of
        them, so that a loop neither moves nor turns it at every step. `close_state` makes a plain
        state again.
        """
        if not self.causal:
            return state
        keys, values = (split_heads(state[name], self.heads) for name in ("keys", "values"))
        size = keys.shape[2]
        shape = (ops.shape(keys)[0], self.heads, room, keys.shape[-1])
        return {
            **state,
            "turned_keys": rotate(keys, self.context - size + ops.arange(size)),
            "split_values": values,
            "new_keys": ops.zeros(shape, keys.dtype),
            "new_turned_keys": ops.zeros(shape, keys.dtype),
            "new_values": ops.zeros(shape, keys.dtype),
            "added": ops.zeros((), "int32"),
        }

    def close_state(self, state: Any) -> Any:
        """The plain state after what an open one has read."""
        if not self.causal:
            return state

        def shifted(old: Any, new: Any) -> Any:
            both = ops.concatenate([old, merge_heads(new)], axis=1)
            size = (ops.shape(old)[0], self.context, self.units)
            return ops.slice(both, (0, state["added"], 0), size)

        return {
            "keys": shifted(state["keys"], state["new_keys"]),
            "values": shifted(state["values"], state["new_values"]),
            "length": ops.minimum(state["length"] + state["added"], self.context),
        }

    def _one_position(self, query: Any, key: Any, value: Any, state: Any) -> tuple[Any, Any]:
        """As `call` for one position of an open state."""
        added, places = state["added"], ops.arange(ops.shape(state["new_keys"])[2])
        query, key, value = (split_heads(x, self.heads) for x in (query, key, value))
        # Looked up: a sine in a loop takes longer than all that it is for.
        tables = cosines_and_sines(self.context + places, query.shape[-1])
        here = [ops.take(table, ops.reshape(added, (1,)), axis=0) for table in tables]
        written = {
            name: ops.where((places == added)[:, None], new, state[name])
            for name, new in {
                "new_keys": key,
                "new_turned_keys": turn(key, *here),
                "new_values": value,
            }.items()
        }
        size = state["keys"].shape[1]
        slots = ops.arange(size)
        cached = slots[None, :] >= size - state["length"][:, None]
        cached = ops.logical_and(cached, slots >= added)[:, None, None, :]
        new = ops.logical_and(places <= added, places >= added - self.context)
        query = turn(query, *here) / float(query.shape[-1]) ** 0.5
        scores = ops.concatenate(
            [
                ops.where(cached, _products(query, state["turned_keys"]), -1e9),
                ops.where(new, _products(query, written["new_turned_keys"]), -1e9),
            ],
            axis=-1,
        )
        weights = ops.cast(ops.softmax(ops.cast(scores, "float32"), axis=-1), value.dtype)
        mixed = ops.matmul(weights[..., :size], state["split_values"])
        mixed += ops.matmul(weights[..., size:], written["new_values"])
        outputs = self.output_projection(merge_heads(mixed))
        return outputs, {**state, **written, "added": added + 1}

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
