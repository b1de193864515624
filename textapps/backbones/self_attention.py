"""Self-attention with a bounded cache as state."""

from typing import Any, ClassVar

import keras
from keras import ops

from textapps.backbones import growing_cache, shared_past
from textapps.backbones.attention import (
    attention_weights,
    masked_softmax,
    merge_heads,
    split_heads,
)
from textapps.backbones.mixer import Mixer
from textapps.backbones.rotary import rotate, rotate_to


@keras.saving.register_keras_serializable("textapps")
class SelfAttention(Mixer):
    """Multi-head self-attention (Vaswani et al. 2017, section 3.2), the mixer of the transformer.

    Causal: a position sees itself and the `context` positions before it. The state is a cache of
    the last `context` valid positions, right-aligned; the keys in it are not rotated yet:

        keys, values  float[batch, context, units]
        length        int32[batch], how many positions the cache holds

    A search has another state, see `shared_past`, and so has a decoding loop, see `growing_cache`.

    Rotary positions count from the first slot of the cache. They never grow, so the outputs at
    position 1,000,000 are as exact as at the first. Not causal: every valid position sees every
    valid position, and the state is ().
    """

    options: ClassVar = ("heads", "context")
    leaves: ClassVar = ("keys", "values", "length")
    feed_forward_factor: ClassVar = 4
    compiled_from: ClassVar = 2_000

    def __init__(
        self, units: int, causal: bool = True, *, heads: int, context: int, **kwargs: Any
    ) -> None:
        super().__init__(units, causal, **kwargs)
        self.projection = keras.layers.Dense(
            3 * units, use_bias=False, dtype=self.dtype_policy, name="query_key_value"
        )
        self.output_projection = keras.layers.Dense(
            units, use_bias=False, dtype=self.dtype_policy, name="output"
        )
        self.heads = heads
        self.context = context

    def build(self, inputs_shape: Any) -> None:
        """Creates the projections."""
        self.projection.build(inputs_shape)
        self.output_projection.build((*inputs_shape[:-1], self.units))
        self.built = True

    def initial_state(self, batch: Any) -> Any:
        """The state at the start of `batch` sequences: zeros in `context` slots."""
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
            past, new_state = ops.shape(state["keys"])[1], state
            all_keys = ops.concatenate([state["keys"], keys], axis=1)
            all_values = ops.concatenate([state["values"], values], axis=1)
            slots = ops.arange(past)[None, :] >= past - state["length"][:, None]
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

    def search_state(self, batch: Any, beams: int, room: int | None = None) -> Any:
        """The state at the start of `batch` searches with up to `beams` rows: see `shared_past`."""
        sizes = (batch, beams, self.heads, self.units // self.heads, self.compute_dtype)
        return shared_past.begin(*sizes) if room is None else shared_past.begin_fixed(*sizes, room)

    def reorder(self, state: Any, rows: Any) -> Any:
        """The state of searches whose row i goes on from what row int32[rows][i] has read."""
        return shared_past.reorder(state, rows)

    def begin_decode(self, state: Any, room: int) -> Any:
        """See `growing_cache`."""
        return growing_cache.begin(state, self.heads, room) if self.causal else state

    def end_decode(self, state: Any) -> Any:
        """The state that any call takes: the cache moved on by the positions read since."""
        return growing_cache.end(state) if self.causal else state

    def tables(self, state: Any) -> Any:
        """See `Mixer`."""
        return growing_cache.tables(state) if "added" in state else ()

    def step(self, inputs: Any, state: Any, tables: Any) -> tuple[Any, Any]:
        """See `Mixer`."""
        if "added" not in state and "seen" not in state:
            return super().step(inputs, state, tables)
        projected = self.projection(inputs)
        if "added" in state:
            mixed, state = growing_cache.attend(projected, state, tables)
        else:
            query, key, value = ops.split(projected, 3, axis=-1)
            mixed, state = shared_past.attend(query, key, value, state, self.heads, self.context)
        return self.output_projection(mixed), state

    def _one_position(self, query: Any, key: Any, value: Any, state: Any) -> tuple[Any, Any]:
        """As `call`, for one position without padding.

        Rotates the query once for every distance instead of all cached keys, so that the cache is
        read in place: no transpose, and no copy that is one position longer.
        """
        rows, past_slots = ops.shape(state["keys"])[:2]
        shape = (rows, past_slots, self.heads, self.units // self.heads)
        by_head = (-1, 1, *shape[2:])
        distances = ops.arange(past_slots, 0, -1)
        turned = rotate_to(ops.reshape(query, by_head), distances)
        past = ops.sum(turned * ops.reshape(state["keys"], shape), axis=-1)
        own = ops.sum(ops.reshape(query * key, by_head), axis=-1)  # at distance 0 nothing turns
        slots = ops.arange(past_slots)[None, :] >= past_slots - state["length"][:, None]
        past = ops.where(slots[:, :, None], past, -1e9)
        scores = ops.cast(ops.concatenate([past, own], axis=1), "float32")
        weights = masked_softmax(scores / float(shape[-1]) ** 0.5, None, axis=1)
        weights = ops.cast(weights, value.dtype)[..., None]  # [batch, slots + 1, heads, 1]
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
        weights = ops.cast(attention_weights(queries, keys, visible), values.dtype)
        mixed = ops.matmul(weights, split_heads(values, self.heads))
        return self.output_projection(merge_heads(mixed))

    def _advance(self, state: Any, keys: Any, values: Any, mask: Any) -> dict[str, Any]:
        """The last valid keys and values of the past and the chunk together."""
        time = ops.shape(keys)[1]
        keys = ops.concatenate([state["keys"], keys], axis=1)
        values = ops.concatenate([state["values"], values], axis=1)
        if mask is None:
            added, keys, values = time, keys[:, time:], values[:, time:]
        else:  # the valid part of each row ends where its padding begins
            added = ops.sum(ops.cast(mask, "int32"), axis=1)
            places = (added[:, None] + ops.arange(self.context)[None, :])[:, :, None]
            keys = ops.take_along_axis(keys, places, axis=1)
            values = ops.take_along_axis(values, places, axis=1)
        length = ops.minimum(state["length"] + added, self.context)
        return {"keys": keys, "values": values, "length": ops.cast(length, "int32")}
