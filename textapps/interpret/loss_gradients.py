"""Which inputs each loss of a sequence hangs on, in the graph."""

from collections.abc import Callable
from typing import Any

import tensorflow as tf

AT_ONCE = 16  # losses that are derived at a time


def loss_gradients(outputs: Callable[..., Any], losses: Callable[..., Any], x: Any, s: Any) -> Any:
    """The norm of the gradient of the loss at each position by each input up to it.

    That is the connectivity of Madsen 2019 ("Visualizing memorization in RNNs"), of the loss in
    place of the largest logit. Each loss takes a way back of its own, which reads what is before it
    again; a few of them go together, as rows of a batch.

    Args:
        outputs: inputs float32[rows, any, width] and the state of each row → float32[rows, any,
            units]; no output may depend on a later input.
        losses: float32[batch, n, units], the outputs at n successive positions, and the first of
            these positions → float32[batch, n].
        x: float32[batch, time, width].
        s: the state before them, batch-major tensors in any nest.

    Returns:
        float32[batch, time, time]; row t is of the loss at position t, column s by the input at s,
        0 for s > t.
    """
    batch, time = tf.unstack(tf.shape(x))[:2]

    def some(begin: Any, found: Any) -> tuple[Any, Any]:
        count = tf.minimum(AT_ONCE, time - begin)
        known = begin + count
        repeated = tf.repeat(x[:, :known], count, axis=0)  # count successive rows of each text
        state = tf.nest.map_structure(lambda leaf: tf.repeat(leaf, count, axis=0), s)
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(repeated)
            y = outputs(repeated, state)
            at = tf.tile(begin + tf.range(count), [batch])
            y = tf.gather(y, at, batch_dims=1)
            total = tf.reduce_sum(losses(tf.reshape(y, [batch, count, y.shape[-1]]), begin))
        norms = tf.norm(tape.gradient(total, repeated), axis=2)
        rows = tf.reshape(norms, [batch, count, known])
        return begin + count, tf.concat(
            [found, tf.pad(rows, [[0, 0], [0, 0], [0, time - known]])], axis=1
        )

    _, found = tf.while_loop(
        lambda begin, _: begin < time,
        some,
        (0, tf.zeros([batch, 0, time])),
        shape_invariants=(tf.TensorShape([]), tf.TensorShape([x.shape[0], None, x.shape[1]])),
    )
    return found
