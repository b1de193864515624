"""Self-attention in a decoding loop, over a cache that it adds one position at a time to.

The cache is laid out by heads and rotated once, before the loop; new positions go into arrays of
their own, with `room` for a known number of them. So the loop neither moves nor rotates what it
keeps. The state:

    keys                     float[batch, context, units], the cache, not rotated
    length                   int32[batch], how many positions the cache holds
    turned_keys              float[batch, heads, depth, context], the cache, rotated
    old_values               float[batch, heads, context, depth]
    new_keys                 float[batch, heads, depth, room], rotated
    new_values               float[batch, heads, room, depth]
    added                    int32[], how many positions they hold
"""

from typing import Any, NamedTuple

import numpy as np
from keras import ops

from textapps.backbones.attention import merge_heads, split_heads
from textapps.backbones.rotary import cosines_and_sines, rotate, turn


class Tables(NamedTuple):
    """What all blocks need for the next position.

    cosines, sines  float32[2, 1, depth], of its angles for queries, scaled, and for keys
    place           bool[room], where it goes among the new positions
    seen            float32[batch, 1, 1, context + room], 0 for what it sees, else -1e9
    """

    cosines: Any
    sines: Any
    place: Any
    seen: Any


def begin(state: Any, heads: int, room: int) -> dict[str, Any]:
    """The state of the loop, from a cache of `SelfAttention`."""
    keys, values = (split_heads(state[name], heads) for name in ("keys", "values"))
    shape = (ops.shape(keys)[0], heads, room, keys.shape[-1])
    return {
        "keys": state["keys"],
        "length": state["length"],
        "turned_keys": ops.swapaxes(rotate(keys, ops.arange(keys.shape[2])), -1, -2),
        "old_values": values,
        "new_keys": ops.zeros((*shape[:2], shape[3], room), keys.dtype),
        "new_values": ops.zeros(shape, keys.dtype),
        "added": ops.zeros((), "int32"),
    }


def end(state: Any) -> dict[str, Any]:
    """The cache that `SelfAttention` takes, moved on by the positions added.

    The new keys are turned back. That is done once to each, so that errors of rounding do not grow.
    """
    _, context, units = state["keys"].shape
    new = ops.swapaxes(state["new_keys"], -1, -2)
    cosines, sines = cosines_and_sines(context + ops.arange(new.shape[2]), new.shape[3])

    def shifted(old: Any, new: Any) -> Any:
        both = ops.concatenate([old, merge_heads(new)], axis=1)
        return ops.slice(both, (0, state["added"], 0), (ops.shape(old)[0], context, units))

    return {
        "keys": shifted(state["keys"], turn(new, cosines, -sines)),
        "values": shifted(merge_heads(state["old_values"]), state["new_values"]),
        "length": ops.minimum(state["length"] + state["added"], context),
    }


def tables(state: Any) -> Tables:
    """What all blocks need, which have read equally much."""
    added, (_, _, room, depth) = state["added"], state["new_values"].shape
    context = state["keys"].shape[1]
    # Constants to look up: sines computed in the loop take longer than the attention itself.
    angles = [ops.convert_to_tensor(table) for table in _angles(context, room, depth)]
    cosines, sines = (ops.take(table, added, axis=0) for table in angles)
    slots = ops.arange(context + room)
    first = ops.maximum(context - state["length"], added)[:, None]
    seen = ops.logical_and(slots >= first, slots <= context + added)
    seen = ops.where(seen, 0.0, -1e9)[:, None, None]
    return Tables(cosines, sines, ops.arange(room) == added, seen)


def attend(projected: Any, state: Any, known: Tables) -> tuple[Any, Any]:
    """One more position of each row.

    Args:
        projected: float[batch, 3 · units], query, key and value.

    Returns:
        float[batch, units] and the state with this position.
    """
    _, heads, context, depth = state["old_values"].shape
    dtype = projected.dtype
    both, value = ops.split(ops.reshape(projected, (-1, 3, heads, depth)), [2], axis=1)
    first, second = ops.split(both, 2, axis=-1)
    across = ops.concatenate([second, first], axis=-1)
    both = both * ops.cast(known.cosines, dtype) + across * ops.cast(known.sines, dtype)
    query, key = ops.split(both, 2, axis=1)
    query, value = (ops.reshape(x, (-1, heads, 1, depth)) for x in (query, value))
    key = ops.reshape(key, (-1, heads, depth, 1))
    new_keys = ops.where(known.place, key, state["new_keys"])
    new_values = ops.where(known.place[:, None], value, state["new_values"])
    scores = [ops.matmul(query, keys) for keys in (state["turned_keys"], new_keys)]
    weights = ops.softmax(
        ops.cast(ops.concatenate(scores, axis=-1), "float32") + known.seen, axis=-1
    )
    old, new = ops.split(ops.cast(weights, dtype), [context], axis=-1)
    mixed = ops.matmul(old, state["old_values"]) + ops.matmul(new, new_values)
    added = {"new_keys": new_keys, "new_values": new_values, "added": state["added"] + 1}
    return ops.reshape(mixed, (-1, heads * depth)), {**state, **added}


def _angles(context: int, room: int, depth: int) -> tuple[Any, Any]:
    """`Tables.cosines` and `sines` of all new positions, float32[room, 2, 1, depth].

    With them, [a, b] · cosines + [b, a] · sines is the pair a, b turned.
    """
    frequencies = np.power(10_000.0, -np.arange(depth // 2) / (depth // 2)).astype("float32")
    angles = np.arange(context, context + room, dtype="float32")[:, None] * frequencies
    cosines, sines = np.cos(angles), np.sin(angles)
    scale = np.array([depth**-0.5, 1], "float32")[:, None, None]
    return (
        np.concatenate([cosines, cosines], axis=-1)[:, None, None] * scale,
        np.concatenate([-sines, sines], axis=-1)[:, None, None] * scale,
    )
