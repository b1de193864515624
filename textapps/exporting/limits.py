"""The limits of calls as part of the graph, so that they hold in every server."""

from collections.abc import Mapping, Sequence
from typing import Any

import tensorflow as tf

from textapps.savedmodel.limits import CallLimits

# Far more than a call should need. A server can be told to allow less, but not more.
MOST_BYTES = 4 * 2**30


def within_limits(inputs: Mapping[str, Any], limits: CallLimits) -> dict[str, Any]:
    """The same tensors, but nothing reads them before the limits have been checked.

    Otherwise a graph could allocate memory for a call while it finds out that it is too large. The
    call fails with InvalidArgumentError if it exceeds a limit, or needs more than `MOST_BYTES`.
    """
    if limits == CallLimits():
        return dict(inputs)
    lengths = {name: _lengths(name, inputs[name]) for name in limits.longest}
    rows = tf.shape(next(iter(inputs.values())), tf.int64)[0]
    integers = [name for name in lengths if _is_integer(inputs[name])]
    steps = _longest(rows, [lengths[name] for name in integers])
    length = _longest(rows, [lengths[name] for name in lengths.keys() - integers])
    counted = length if limits.counted is None else tf.minimum(length, limits.counted)
    needed = rows * (limits.row_bytes + limits.cell_bytes * counted + limits.step_bytes * steps)
    checks = [
        tf.debugging.Assert(
            tf.reduce_all(lengths[name] <= most),
            [f"input '{name}' exceeds the limit of {most:,} for a row"],
        )
        for name, most in limits.longest.items()
    ]
    if limits.cells is not None:
        checks.append(
            tf.debugging.Assert(
                rows * (length + steps) <= limits.cells,
                [f"rows times the longest row exceed the limit of {limits.cells:,}"],
            )
        )
    checks.append(
        tf.debugging.Assert(
            needed <= MOST_BYTES,
            [f"the call needs more than {MOST_BYTES // 2**20:,} MB: send fewer or shorter rows"],
        )
    )
    with tf.control_dependencies(checks):
        return {name: tf.identity(tensor) for name, tensor in inputs.items()}


def _is_integer(tensor: Any) -> Any:
    return tensor.dtype != tf.string and tensor.shape.rank == 1


def _longest(rows: Any, lengths: Sequence[Any]) -> Any:
    """int64[]: the largest sum of a row, 0 without rows."""
    total = tf.add_n([tf.zeros([rows], tf.int64), *lengths])
    return tf.maximum(tf.reduce_max(total), 0)


def _lengths(name: str, tensor: Any) -> Any:
    """int64[batch], as `CallLimits` measures rows."""
    if tensor.dtype == tf.string:
        unit = "BYTE" if name.endswith("_bytes") else "UTF8_CHAR"
        return tf.cast(tf.strings.length(tensor, unit), tf.int64)
    if _is_integer(tensor):
        return tf.maximum(tf.cast(tensor, tf.int64), 0)
    return tf.fill(tf.shape(tensor)[:1], tf.shape(tensor, tf.int64)[1])
