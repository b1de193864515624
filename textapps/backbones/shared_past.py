"""Self-attention over a past that the beams of a search share, so that no cache entry is moved.

Each search has up to `beams` successive rows. They share its cache, which has `beams` entries for
each position; when a search reorders its rows, only what each row sees changes. The state:

    keys, values          float[batch, heads, blocks, entries, depth], the keys rotated
    new_keys, new_values  float[batch, heads, entries, depth], the next block while it fills
    seen                  bool[rows, positions, beams]: which entries are of a row's own past

A loop that XLA compiles needs arrays of fixed sizes. With `room` for a known number of positions,
the state is:

    keys, values          float[batch, heads, room · beams, depth], the keys rotated
    seen                  bool[rows, room, beams]
    position              int32[], how many there are

docs/decisions/2026-11-21-shared-past.md says why.
"""

from typing import Any

from keras import ops

from textapps.backbones.attention import masked_softmax, merge_heads, products, split_heads
from textapps.backbones.rotary import cosines_and_sines, turn

SMALL_PRODUCT = 128 * 128
BLOCK_POSITIONS = 8  # the entries of a block that is not full are copied at every step


def begin(batch: Any, beams: int, heads: int, depth: int, dtype: str) -> dict[str, Any]:
    """The state before the first position of `batch` searches."""
    blocks = ops.zeros((batch, heads, 0, _entries_a_block(beams, depth), depth), dtype)
    new = ops.zeros((batch, heads, 0, depth), dtype)
    seen = ops.zeros((batch, 0, beams), "bool")
    return {"keys": blocks, "values": blocks, "new_keys": new, "new_values": new, "seen": seen}


def begin_fixed(batch: Any, beams: int, heads: int, depth: int, dtype: str, room: int) -> Any:
    """The state before the first position of `batch` searches, with room for so many positions."""
    entries = ops.zeros((batch, heads, room * beams, depth), dtype)
    seen = ops.zeros((batch * beams, room, beams), "bool")
    return {"keys": entries, "values": entries, "seen": seen, "position": ops.zeros((), "int32")}


def reorder(state: Any, rows: Any) -> dict[str, Any]:
    """The state in which row i goes on from what row int32[rows][i] has read."""
    return {**state, "seen": ops.take(state["seen"], rows, axis=0)}


def attend(
    query: Any, key: Any, value: Any, state: Any, heads: int, context: int
) -> tuple[Any, Any]:
    """One position of each row: all rows of a search attend to all of its entries at once.

    Args:
        query, key, value: float[rows, units], not rotated.
        context: how many positions before its own a row may see.

    Returns:
        float[rows, units] and the state with this position.
    """
    rows, units, batch = ops.shape(query)[0], query.shape[1], ops.shape(state["keys"])[0]
    fixed = "position" in state
    position = state["position"] if fixed else ops.shape(state["seen"])[1]
    width = ops.maximum(rows // ops.maximum(batch, 1), 1)  # the batch may be empty
    query, key, value = (
        split_heads(ops.reshape(x, (batch, width, units)), heads) for x in (query, key, value)
    )
    here = cosines_and_sines(ops.reshape(position, (1,)), query.shape[-1])
    query = turn(query, *here) / float(query.shape[-1]) ** 0.5
    key = turn(key, *here)
    if fixed:
        mixed, state = _attend_fixed(query, key, value, state, context)
        return ops.reshape(merge_heads(mixed), (rows, units)), state
    state = _added(state, key, value)
    recent = ops.arange(position + 1) >= position - context
    visible = ops.logical_and(state["seen"], recent[:, None])
    visible = ops.reshape(visible, (batch, 1, width, -1))
    # [batch, heads, blocks, width, entries] to and from [batch, heads, width, entries of all]
    old = ops.transpose(products(query[:, :, None], state["keys"]), (0, 1, 3, 2, 4))
    by_block, together = ops.shape(old), (batch, heads, width, -1)
    scores = ops.concatenate(
        [ops.reshape(old, together), products(query, state["new_keys"])], axis=-1
    )
    weights = ops.cast(masked_softmax(ops.cast(scores, "float32"), visible), value.dtype)
    olds = by_block[3] * by_block[4]
    old = ops.transpose(ops.reshape(weights[..., :olds], by_block), (0, 1, 3, 2, 4))
    mixed = ops.sum(ops.matmul(old, state["values"]), axis=2)
    mixed += ops.matmul(weights[..., olds:], state["new_values"])
    return ops.reshape(merge_heads(mixed), (rows, units)), state


def _attend_fixed(
    query: Any, key: Any, value: Any, state: Any, context: int
) -> tuple[Any, dict[str, Any]]:
    """As `attend`, of float[batch, heads, beams, depth] and for arrays of fixed sizes."""
    (rows, room, beams), position = ops.shape(state["seen"]), state["position"]
    begin = (0, 0, position * beams, 0)
    keys = ops.slice_update(state["keys"], begin, key)
    values = ops.slice_update(state["values"], begin, value)
    slots = ops.arange(room)
    own = ops.arange(rows)[:, None] % beams == ops.arange(beams)
    seen = ops.where(slots[:, None] == position, own[:, None], state["seen"])
    visible = ops.logical_and(seen, (slots >= position - context)[:, None])
    visible = ops.reshape(visible, (-1, 1, beams, room * beams))
    scores = ops.cast(products(query, keys), "float32")
    weights = ops.cast(masked_softmax(scores, visible), value.dtype)
    state = {"keys": keys, "values": values, "seen": seen, "position": position + 1}
    return ops.matmul(weights, values), state


def _added(state: Any, key: Any, value: Any) -> Any:
    """The state with one more position: key and value are float[batch, heads, width, depth]."""
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
    alike = (1, 1, beams // width, 1)  # at the first position all beams have the same entry
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


def _entries_a_block(beams: int, depth: int) -> int:
    """How many entries a block has: those of a few positions.

    TensorFlow spreads small matrix products over its threads, one product for each. From 128 · 128
    multiplications on it uses all threads for one product after the other, which takes several
    times as long.
    """
    positions = max(SMALL_PRODUCT // (beams * beams * depth), 1)
    return min(positions, BLOCK_POSITIONS) * beams
