"""Steps on batches that several replicas share, or that one computes in parts."""

from collections import deque
from collections.abc import Callable
from typing import Any

import keras
import tensorflow as tf

from textapps.training.carried import CarriedState
from textapps.training.keras_private import leave_strategy, loss_tracker
from textapps.training.replicas import Replicas


class SharedSteps:
    """What Keras's `fit` calls for each batch, instead of steps of its own.

    Every replica sums loss and gradient over its rows; the sums of all replicas are divided by the
    weights of the whole batch, so that each step is the one that a single device would do. Keras
    means over replicas instead, whatever their weights, and clips before it adds.

    Args:
        model: compiled.
        loss: Keras's, or a function of targets and answers.
        parts: how many times each replica computes a part of its rows; the gradients are added, and
            only those of one part are being computed at a time.
        sizes: gets the number of positive weights of each batch, before the step's end.
        requested: whether this process is to stop.

    Attributes:
        stopping: whether any process was to stop when the last step began; the same in all.
    """

    def __init__(
        self,
        model: Any,
        loss: Any,
        replicas: Replicas,
        parts: int,
        sizes: deque[int],
        requested: Callable[[], bool],
    ) -> None:
        self.model = model
        self.loss = loss
        self.parts = parts
        self.sizes = sizes
        self.requested = requested
        self.strategy = replicas.strategy or tf.distribute.get_strategy()
        self.stopping = False
        self._carried = [layer for layer in model.layers if isinstance(layer, CarriedState)]
        leave_strategy(model)
        # It makes functions of its own only where there are none.
        model.train_function, model.test_function = self.train, self.test
        self._train = tf.function(self._train_step, autograph=False, reduce_retracing=True)
        self._test = tf.function(self._test_step, autograph=False, reduce_retracing=True)

    def train(self, iterator: Any) -> Any:
        """One step; the figures so far, those of the first replica here."""
        requested = tf.constant(float(self.requested()))
        logs, counted, stopping = self._train(iterator, requested)
        self.sizes.append(int(counted))
        self.stopping = bool(stopping > 0)
        return logs

    def test(self, iterator: Any) -> Any:
        """One batch of a validation."""
        return self._test(iterator)

    # They take the iterator, because batches of replicas would each have a trace for their shape.
    def _train_step(self, iterator: Any, requested: Any) -> Any:
        batch = iterator.get_next()
        return self._first(self.strategy.run(self._train_replica, (batch, requested)))

    def _test_step(self, iterator: Any) -> Any:
        return self._first(self.strategy.run(self._test_replica, (iterator.get_next(),)))

    def _first(self, values: Any) -> Any:
        return tf.nest.map_structure(
            lambda value: self.strategy.experimental_local_results(value)[0], values
        )

    def _train_replica(self, batch: Any, requested: Any) -> Any:
        sums, gradients = self._in_parts(batch) if self.parts > 1 else self._gradients(batch)
        sums, requested, *gradients = _over_replicas([sums, requested, *gradients])
        gradients = [tf.math.divide_no_nan(gradient, sums[1]) for gradient in gradients]
        self.model.optimizer.apply(gradients, self.model.trainable_variables)
        self._track(sums)
        return self.model.get_metrics_result(), sums[3], requested

    def _test_replica(self, batch: Any) -> Any:
        inputs, targets, weights = batch
        answers = self.model(inputs, training=False)
        (sums,) = _over_replicas([self._sums(targets, answers, weights)])
        self._track(sums)
        self.model.compute_metrics(inputs, targets, answers, weights)
        return self.model.get_metrics_result()

    def _gradients(self, batch: Any) -> tuple[Any, list[Any]]:
        """`_sums` of a batch, and the gradients of the first of them."""
        inputs, targets, weights = batch
        with tf.GradientTape() as tape:
            answers = self.model(inputs, training=True)
            sums = self._sums(targets, answers, weights)
            loss = sums[0]
        variables = self.model.trainable_variables
        gradients = tape.gradient(loss, variables)
        self.model.compute_metrics(inputs, targets, answers, weights)
        # Dense: slices of an embedding's gradient cannot be added up in one go. Of known shape:
        # loops forget it.
        return sums, [
            tf.ensure_shape(tf.convert_to_tensor(gradient), variable.shape)
            for gradient, variable in zip(gradients, variables, strict=True)
        ]

    def _in_parts(self, batch: Any) -> tuple[Any, list[Any]]:
        """As `_gradients`, a loop over consecutive rows, so that memory is needed for one part."""
        rows = tf.shape(batch[2])[0]
        size = -(-rows // self.parts)

        def add(start: Any, total: Any, totals: list[Any]) -> Any:
            for layer in self._carried:
                layer.first_row = start
            part = tf.nest.map_structure(lambda value: value[start : start + size], batch)
            sums, gradients = self._gradients(part)
            return (
                start + size,
                total + sums,
                [a + b for a, b in zip(totals, gradients, strict=True)],
            )

        none = [tf.zeros(v.shape, v.dtype) for v in self.model.trainable_variables]
        _, sums, gradients = tf.while_loop(
            lambda start, *_: start < rows,
            add,
            (tf.constant(0), tf.zeros([4]), none),
            parallel_iterations=1,
        )
        for layer in self._carried:
            layer.first_row = 0
        return sums, gradients

    def _sums(self, targets: Any, answers: Any, weights: Any) -> Any:
        """float32[4]: weighted losses, weights, rows that have some, and positions that have."""
        loss = self.loss.call if isinstance(self.loss, keras.losses.Loss) else self.loss
        counted = tf.cast(weights > 0, tf.float32)
        rows = counted if counted.shape.rank == 1 else tf.reduce_max(counted, axis=1)
        values = tf.cast(loss(targets, answers), tf.float32) * weights
        return tf.stack([tf.reduce_sum(value) for value in (values, weights, rows, counted)])

    def _track(self, sums: Any) -> None:
        """The loss of an interval as Keras has it: each batch counts by its rows.

        Where the weights of a batch are not all alike, those of a pass are made to sum up to its
        rows, unless the loss divides by them.
        """
        means = getattr(self.loss, "reduction", None) == "mean_with_sample_weight"
        loss = tf.math.divide_no_nan(sums[0], sums[1])
        loss_tracker(self.model).update_state(loss, sample_weight=sums[2] if means else sums[1])


def _over_replicas(tensors: list[Any]) -> list[Any]:
    """The sums of float32 tensors over all replicas, in one go: small ones cost a trip each."""
    context = tf.distribute.get_replica_context()
    if context.num_replicas_in_sync == 1:
        return tensors
    flat = tf.concat([tf.reshape(tensor, [-1]) for tensor in tensors], axis=0)
    flat = context.all_reduce(tf.distribute.ReduceOp.SUM, flat)
    parts = tf.split(flat, [tensor.shape.num_elements() for tensor in tensors])
    return [tf.reshape(part, t.shape) for part, t in zip(parts, tensors, strict=True)]
