"""Training steps on batches that replicas share, or that one replica computes in parts."""

from collections import deque
from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from textapps.training.adversarial import PERTURBATION, Adversarial
from textapps.training.carried import CarriedState
from textapps.training.keras_private import leave_strategy, loss_tracker
from textapps.training.replicas import Replicas


class SharedSteps:
    """The step functions that Keras's `fit` calls for each batch, instead of its own.

    Every replica sums loss and gradient over its rows; the sums over all replicas are divided by
    the total weight of the batch, so each step equals that of a single device. Keras averages over
    replicas instead, whatever their weights, and clips before it adds.

    Args:
        model: compiled.
        loss: a Keras loss, or a function of targets and outputs.
        parts: the number of parts in which each replica computes its rows; only one part is in
            memory at a time, and the gradients are added.
        sizes: receives the number of positive weights of each batch, before the step ends.
        requested: whether this process should stop.
        class_weights: float32[classes], the factor of the loss of an example of each class, in
            training alone; None for classes that count the same, and for targets of another kind.
        adversarial: a second loss that is added in training, None for none.

    Attributes:
        stopping: whether any process should stop, as of the start of the last step; the same in
            all processes.
    """

    def __init__(
        self,
        model: Any,
        loss: Any,
        replicas: Replicas,
        parts: int,
        sizes: deque[int],
        requested: Callable[[], bool],
        class_weights: NDArray[np.float32] | None = None,
        adversarial: Adversarial | None = None,
    ) -> None:
        self.model = model
        self.loss = loss
        self.parts = parts
        self.sizes = sizes
        self.requested = requested
        self.class_weights = class_weights
        self.adversarial = adversarial
        self.strategy = replicas.strategy or tf.distribute.get_strategy()
        self.stopping = False
        self._carried = [layer for layer in model.layers if isinstance(layer, CarriedState)]
        leave_strategy(model)
        # Keras keeps these functions if they are set.
        model.train_function, model.test_function = self.train, self.test
        self._train = tf.function(self._train_step, autograph=False, reduce_retracing=True)
        self._test = tf.function(self._test_step, autograph=False, reduce_retracing=True)

    def train(self, iterator: Any) -> Any:
        """One step; returns the metrics so far, those of the first local replica."""
        requested = tf.constant(float(self.requested()))
        logs, counted, stopping = self._train(iterator, requested)
        self.sizes.append(int(counted))
        self.stopping = bool(stopping > 0)
        return logs

    def test(self, iterator: Any) -> Any:
        """One validation batch."""
        return self._test(iterator)

    # They take the iterator, because with batches as arguments each shape would be traced anew.
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
        """`_sums` of a batch, and the gradients of the first sum and of the adversarial loss."""
        inputs, targets, weights = batch
        added, variables = self.adversarial, self.model.trainable_variables
        seeds = [v for v in self.model.variables if v.name == "seed_generator_state"]
        before = [tf.identity(seed.value) for seed in seeds] if added else []
        unmoved = added.unmoved(inputs) if added else inputs
        watched = [unmoved[PERTURBATION]] if added else []
        with tf.GradientTape() as tape:
            tape.watch(watched)
            answers = self.model(unmoved, training=True)
            sums = self._sums(targets, answers, weights, self.class_weights)
            loss = sums[0]
        gradients = tape.gradient(loss, [*variables, *watched])
        self.model.compute_metrics(inputs, targets, answers, weights)
        if added:
            for seed, value in zip(seeds, before, strict=True):
                seed.assign(value)  # the same words and features are dropped again
            moved = added.moved(inputs, gradients.pop())
            with tf.GradientTape() as tape:
                answers = self.model(moved, training=True)
                losses = self._weighted(added.loss, targets, answers, weights, self.class_weights)
                loss = tf.reduce_sum(losses)
            more = tape.gradient(loss, variables)
            gradients = list(map(_sum, gradients, more))
        # Dense, because slices of an embedding's gradient cannot be part of one all-reduce. With a
        # fixed shape, because loops lose it.
        return sums, [
            tf.ensure_shape(tf.convert_to_tensor(gradient), variable.shape)
            for gradient, variable in zip(gradients, variables, strict=True)
        ]

    def _in_parts(self, batch: Any) -> tuple[Any, list[Any]]:
        """As `_gradients`, in a loop over consecutive rows that holds one part in memory."""
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

    def _sums(self, targets: Any, answers: Any, weights: Any, class_weights: Any = None) -> Any:
        """float32[4], sums: weighted losses, weights, and rows and positions of weight above 0."""
        loss = self.loss.call if isinstance(self.loss, keras.losses.Loss) else self.loss
        counted = tf.cast(weights > 0, tf.float32)
        rows = counted if counted.shape.rank == 1 else tf.reduce_max(counted, axis=1)
        values = self._weighted(loss, targets, answers, weights, class_weights)
        return tf.stack([tf.reduce_sum(value) for value in (values, weights, rows, counted)])

    def _weighted(
        self, loss: Any, targets: Any, answers: Any, weights: Any, class_weights: Any
    ) -> Any:
        """The losses of the rows or positions times their weights and those of their classes."""
        values = tf.cast(loss(targets, answers), tf.float32) * weights
        if class_weights is None:
            return values
        if targets.shape.rank == 1:
            return values * tf.gather(class_weights, targets)
        return values * tf.linalg.matvec(targets, class_weights)  # probabilities of the classes

    def _track(self, sums: Any) -> None:
        """Tracks the loss of an interval as Keras does: each batch is weighted by its rows.

        Batch sources with unequal weights scale them so that those of a pass sum to its rows,
        unless the loss divides by the weights.
        """
        means = getattr(self.loss, "reduction", None) == "mean_with_sample_weight"
        loss = tf.math.divide_no_nan(sums[0], sums[1])
        loss_tracker(self.model).update_state(loss, sample_weight=sums[2] if means else sums[1])


def _sum(one: Any, other: Any) -> Any:
    """The sum of two gradients of a variable, of which the second may be none."""
    return one if other is None else tf.convert_to_tensor(one) + tf.convert_to_tensor(other)


def _over_replicas(tensors: list[Any]) -> list[Any]:
    """Sums float32 tensors over all replicas in one all-reduce, to save round trips."""
    context = tf.distribute.get_replica_context()
    if context.num_replicas_in_sync == 1:
        return tensors
    flat = tf.concat([tf.reshape(tensor, [-1]) for tensor in tensors], axis=0)
    flat = context.all_reduce(tf.distribute.ReduceOp.SUM, flat)
    parts = tf.split(flat, [tensor.shape.num_elements() for tensor in tensors])
    return [tf.reshape(part, t.shape) for part, t in zip(parts, tensors, strict=True)]
