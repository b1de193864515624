"""Which inputs a score comes from, by gradients along the way from a baseline."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

Score = Callable[..., Any]


def mean_gradients(
    score: Score, inputs: Sequence[Any], baselines: Sequence[Any], steps: int
) -> list[Any]:
    """The gradients of a score, averaged on the straight line from the baselines to the inputs.

    Times `input - baseline` they are the integrated gradients of Sundararajan, Taly and Yan 2017
    (section 3), whose sum is the difference of the scores at both ends (completeness) but for the
    error of the numerical integral. The points are the middles of equal steps. Where a score has
    kinks, as with max-pooling, those of Gauss and Legendre are no better: they lie further apart
    in the middle.

    It runs in a graph, and `score` once for all steps.

    Args:
        score: tensors like the inputs, [batch · steps, …] → float32[batch · steps]; `steps`
            successive rows belong to one row of the inputs. No row may depend on another one.
        inputs, baselines: float32[batch, …] each.

    Returns:
        float32[batch, …] for each of the inputs.
    """
    share = tf.constant((np.arange(steps) + 0.5) / steps, tf.float32)

    def along(end: Any, start: Any) -> Any:
        ones = [1] * (len(end.shape) - 1)
        path = start[:, None] + tf.reshape(share, [1, steps, *ones]) * (end - start)[:, None]
        return tf.reshape(path, tf.concat([[-1], tf.shape(end)[1:]], axis=0))

    paths = [along(end, start) for end, start in zip(inputs, baselines, strict=True)]
    for path, end in zip(paths, inputs, strict=True):
        path.set_shape([None, *end.shape[1:]])
    with tf.GradientTape(watch_accessed_variables=False) as tape:
        tape.watch(paths)
        total = tf.reduce_sum(score(*paths))
    means = []
    for gradient, end in zip(tape.gradient(total, paths), inputs, strict=True):
        shape = tf.concat([[tf.shape(end)[0], steps], tf.shape(end)[1:]], axis=0)
        means.append(tf.reduce_mean(tf.reshape(gradient, shape), axis=1))
    return means


def log_odds(logits: Any, label: Any) -> Any:
    """The logarithm of p / (1 - p) for the probability p of a label.

    Args:
        logits: float32[batch, labels], at least two labels.
        label: int32[batch].

    Returns:
        float32[batch].
    """
    own = tf.one_hot(label, logits.shape[-1], on_value=True, off_value=False)
    rest = tf.reduce_logsumexp(tf.where(own, -1e9, logits), axis=1)
    return tf.reduce_sum(tf.where(own, logits, 0), axis=1) - rest
