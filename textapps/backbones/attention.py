"""What the kinds of attention have in common."""

from typing import Any

from keras import ops


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
    """Softmax over the visible entries of one axis; over all of them where none is visible.

    Args:
        scores: float32.
        visible: bool, broadcastable to the scores; None: everything is visible.
    """
    if visible is not None:
        scores = ops.where(visible, scores, -1e9)
    # Keras warns about a softmax over one key, which the first character of a text has.
    return ops.ones_like(scores) if scores.shape[axis] == 1 else ops.softmax(scores, axis=axis)


def attention_weights(queries: Any, keys: Any, visible: Any | None) -> Any:
    """Scaled dot products (Vaswani et al. 2017, section 3.2.1), softmax in float32.

    Args:
        queries: float[batch, heads, time, depth].
        keys: float[batch, heads, source, depth].
        visible: bool, broadcastable to [batch, heads, time, source]; None: everything is visible.
            A query that sees nothing gives all keys the same, finite weight.

    Returns:
        float32[batch, heads, time, source].
    """
    scores = products(queries, keys)
    scores = ops.cast(scores, "float32") / float(queries.shape[-1]) ** 0.5
    return masked_softmax(scores, visible)


def products(queries: Any, keys: Any) -> Any:
    """float[…, time, depth], float[…, source, depth] → float[…, time, source]."""
    return ops.matmul(queries, ops.swapaxes(keys, -1, -2))
