"""Self-attention with a bounded cache as state, and what all dot-product attention shares."""

from typing import Any

import keras
from keras import ops

from textapps.backbones.rotary import cosines_and_sines, rotate, rotate_to, turn

SMALL_PRODUCT = 128 * 128
BLOCK_POSITIONS = 8  # of a search: those that do not fill a block yet are copied at every step


def split_heads(x: Any, heads: int) -> Any:
    """float[batch, time, width] → float[batch, heads, time, width / heads]."""
    x = ops.reshape(x, (*ops.shape(x)[:2], heads, x.shape[-1] // heads))
    return ops.transpose(x, (0, 2, 1, 3))


def merge_heads(x: Any) -> Any:
    """float[batch, heads, time, depth] → float[batch, time, heads · depth]."""
    heads, depth = x.shape[1], x.shape[3]
    x = ops.transpose(x, (0, 2, 1, 3))
    return ops.reshape(x, (*ops.shape(x)[:2], heads * depth))


def masked_softmax(scores: Any, visible: Any | None, axis: int = -1) -> Any:
    """Softmax over one axis, of what is visible; of everything where nothing is.

    Args:
        scores: float32.
        visible: bool, broadcastable to the scores; None shows everything.
    """
    if visible is not None:
        scores = ops.where(visible, scores, -1e9)
    # Keras warns of a softmax over one key, as the first character of a text makes it
    return ops.ones_like(scores) if scores.shape[axis] == 1 else ops.softmax(scores, axis=axis)


def attention_weights(queries: Any, keys: Any, visible: Any | None) -> Any:
    """Scaled dot products (Vaswani et al. 2017, section 3.2.1), softmax in float32.

    Args:
        queries: float[batch, heads, time, depth].
        keys: float[batch, heads, source, depth].
        visible: bool, broadcastable to [batch, heads, time, source]; None shows everything. A
            query that may see nothing gives all keys the same weight, which is finite.

    Returns:
        float32[batch, heads, time, source].
    """
    scores = _products(queries, keys)
    scores = ops.cast(scores, "float32") / float(queries.shape[-1]) ** 0.5
    return masked_softmax(scores, visible)


def _products(queries: Any, keys: Any) -> Any:
    """float[…, time, depth], float[…, source, depth] → float[…, time, source]."""
    return ops.matmul(queries, ops.swapaxes(keys, -1, -2))


def _entries_a_block(beams: int, depth: int) -> int:
    """How many keys all beams of a search are multiplied with at once: those of some positions.

    TensorFlow gives each of many small products to one thread, but works with all threads on one
    after the other from 128 · 128 multiplications on, which takes five times as long.
    """
    positions = max(SMALL_PRODUCT // (beams * beams * depth), 1)
    return min(positions, BLOCK_POSITIONS) * beams


@keras.saving.register_keras_serializable("textapps")
class SelfAttention(keras.layers.Layer):
    """Multi-head self-attention as a stateful map over chunks.

    Causal: a position sees itself and the `context` positions before it. The state holds the
    keys, not yet rotated, and the values of the last `context` valid positions, at the right end
    of their arrays, and how many of them there are:

        keys, values  float[batch, slots, units]
        length        int32[batch]

    (A search has another: see `search_state`.)

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
        if state and "seen" in state:
            return self._search_position(queries, keys, values, state)
        if state and "added" in state:
            return self._open_position(queries, keys, values, state)
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

    def search_state(self, batch: Any, beams: int) -> Any:
        """The state at the start of searches, read one position at a time without padding.

        Each goes on in up to `beams` rows, which belong together and come in succession. They
        share its entries, as many for each position as there are beams: rows that change their
        places change what they see, and no entry is moved.

            keys, values          float[batch, heads, blocks, entries, units / heads], the keys
                                  rotated by their positions
            new_keys, new_values  float[batch, heads, entries, units / heads], which will be the
                                  next block
            seen                  bool[rows, positions, beams]: what is of a row's own past

        `reorder` puts other rows into the places of those before.
        """
        depth = self.units // self.heads
        entries = _entries_a_block(beams, depth)
        blocks = ops.zeros((batch, self.heads, 0, entries, depth), self.compute_dtype)
        new = ops.zeros((batch, self.heads, 0, depth), self.compute_dtype)
        seen = ops.zeros((batch, 0, beams), "bool")
        return {"keys": blocks, "values": blocks, "new_keys": new, "new_values": new, "seen": seen}

    def reorder(self, state: Any, rows: Any) -> Any:
        """The state of searches whose row i goes on from what row int32[rows][i] has read."""
        return {**state, "seen": ops.take(state["seen"], rows, axis=0)}

    def _search_position(self, query: Any, key: Any, value: Any, state: Any) -> tuple[Any, Any]:
        """As `call` for one position of searches: the rows of one ask all its entries at once."""
        rows, batch = ops.shape(query)[0], ops.shape(state["keys"])[0]
        position = ops.shape(state["seen"])[1]
        width = ops.maximum(rows // ops.maximum(batch, 1), 1)  # an empty batch is one, too
        query, key, value = (
            split_heads(ops.reshape(x, (batch, width, self.units)), self.heads)
            for x in (query, key, value)
        )
        here = cosines_and_sines(ops.reshape(position, (1,)), query.shape[-1])
        query = turn(query, *here) / float(query.shape[-1]) ** 0.5
        state = self._added(state, turn(key, *here), value)
        recent = ops.arange(position + 1) >= position - self.context
        visible = ops.logical_and(state["seen"], recent[:, None])
        visible = ops.reshape(visible, (batch, 1, width, -1))
        # [batch, heads, blocks, width, entries] to and from [batch, heads, width, entries of all]
        old = ops.transpose(_products(query[:, :, None], state["keys"]), (0, 1, 3, 2, 4))
        by_block, together = ops.shape(old), (batch, self.heads, width, -1)
        scores = ops.concatenate(
            [ops.reshape(old, together), _products(query, state["new_keys"])], axis=-1
        )
        weights = ops.cast(masked_softmax(ops.cast(scores, "float32"), visible), value.dtype)
        olds = by_block[3] * by_block[4]
        old = ops.transpose(ops.reshape(weights[..., :olds], by_block), (0, 1, 3, 2, 4))
        mixed = ops.sum(ops.matmul(old, state["values"]), axis=2)
        mixed += ops.matmul(weights[..., olds:], state["new_values"])
        return self.output_projection(ops.reshape(merge_heads(mixed), (rows, 1, self.units))), state

    def _added(self, state: Any, key: Any, value: Any) -> Any:
        """The state of searches with a position more, float[batch, heads, width, depth] of it."""
        rows, width = ops.shape(state["seen"])[0], ops.shape(key)[2]
        beams, names = state["seen"].shape[2], ("keys", "values", "new_keys", "new_values")

        def another_block() -> list[Any]:
            keys, values, new_keys, new_values = (state[name] for name in names)
            return [
                ops.concatenate([keys, new_keys[:, :, None]], axis=2),
                ops.concatenate([values, new_values[:, :, None]], axis=2),
                new_keys[:, :, :0],
                new_values[:, :, :0],
            ]

        full = ops.shape(state["new_keys"])[2] == _entries_a_block(beams, key.shape[3])
        keys, values, *new = ops.cond(full, another_block, lambda: [state[name] for name in names])
        alike = (1, 1, beams // width, 1)  # what the first position has for all beams
        new_keys, new_values = (
            ops.concatenate([before, ops.tile(x, alike)], axis=2)
            for before, x in zip(new, (key, value), strict=True)
        )
        own = ops.arange(rows)[:, None] % width == ops.arange(beams)
        seen = ops.concatenate([state["seen"], own[:, None]], axis=1)
        return {
            "keys": keys,
            "values": values,
            "new_keys": new_keys,
            "new_values": new_values,
            "seen": seen,
        }

    def open_state(self, state: Any, room: Any) -> Any:
        """The state with room for `room` positions more, to be read one at a time without padding.

        They go into arrays of their own, and the cache is laid out and rotated once for all of
        them, so that a loop neither moves nor turns it at every step. `close_state` makes a plain
        state again.
        """
        if not self.causal:
            return state
        keys, values = (split_heads(state[name], self.heads) for name in ("keys", "values"))
        shape = (ops.shape(keys)[0], self.heads, room, keys.shape[-1])
        return {
            **state,
            "turned_keys": rotate(keys, ops.arange(self.context)),
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

    def _open_position(self, query: Any, key: Any, value: Any, state: Any) -> tuple[Any, Any]:
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
        slots = ops.arange(self.context)
        cached = slots[None, :] >= self.context - state["length"][:, None]
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
        mixed = ops.matmul(weights[..., : self.context], state["split_values"])
        mixed += ops.matmul(weights[..., self.context :], written["new_values"])
        outputs = self.output_projection(merge_heads(mixed))
        return outputs, {**state, **written, "added": added + 1}

    def _one_position(self, query: Any, key: Any, value: Any, state: Any) -> tuple[Any, Any]:
        """As `call` for one position without padding: decoding, where the size of the cache counts.

        Turning the query once for every distance, instead of all cached keys, lets the cache be
        read where it lies, without a transpose or a copy that is one position longer.
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

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {
            **super().get_config(),
            "units": self.units,
            "heads": self.heads,
            "context": self.context,
            "causal": self.causal,
        }
