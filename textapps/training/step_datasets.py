"""The batches of training and of validation as datasets of TensorFlow."""

from collections import deque
from typing import Any

import numpy as np
import tensorflow as tf

from textapps.training.batches import BatchSource
from textapps.training.replicas import Replicas
from textapps.training.shared_steps import SharedSteps


def datasets(
    train: BatchSource,
    validation: BatchSource,
    start: int,
    sizes: deque[int],
    replicas: Replicas,
    shared: SharedSteps | None,
) -> tuple[Any, Any]:
    """All batches from step `start` on, without end, and those of a validation.

    How much counts in each batch of training goes to `sizes`, unless steps are shared. Then those
    of validation have no end either: processes would have to agree on where it is.
    """
    steps, pass_ = tf.data.Dataset.counter(start), tf.data.Dataset.range(validation.steps_per_pass)
    if shared is None:
        return _dataset(steps, train, sizes), _dataset(pass_, validation)
    return (
        replicas.dataset(lambda share: _dataset(steps, share), train),
        replicas.dataset(lambda share: _dataset(pass_.repeat(), share), validation),
    )


def _dataset(steps: Any, source: BatchSource, sizes: deque[int] | None = None) -> Any:
    """The batches of a dataset of steps, one after the other.

    Not `Dataset.from_generator`: beside one, each step of training took from 1.3 times (a GRU) to
    twice (a transformer) as long.
    """
    specs = tf.nest.flatten(source.signature)

    def batch_at(step: Any) -> Any:
        batch = source.batch(*divmod(int(step), source.steps_per_pass))
        if sizes is not None:
            sizes.append(int(np.count_nonzero(batch[2])))  # padding has weight 0
        return tf.nest.flatten(batch)

    def look_up(step: Any) -> Any:
        arrays = tf.numpy_function(batch_at, [step], [s.dtype for s in specs])
        shaped = [tf.ensure_shape(a, s.shape) for a, s in zip(arrays, specs, strict=True)]
        return tf.nest.pack_sequence_as(source.signature, shaped)

    # There is nothing to tune, and an iterator waits for its tuner, up to 10 s, before it is gone.
    options = tf.data.Options()
    options.autotune.enabled = False
    return steps.map(look_up).prefetch(4).with_options(options)
