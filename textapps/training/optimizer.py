"""AdamW with averaged weights."""

from collections.abc import Sequence
from typing import Any

import keras
import tensorflow as tf
from keras import ops

from textapps.training.config import TrainingConfig
from textapps.training.keras_private import OpenAdamW
from textapps.training.schedule import WarmupSchedule


@keras.saving.register_keras_serializable("textapps")
class AveragedAdamW(OpenAdamW):
    """AdamW (Loshchilov and Hutter 2019) whose weight averages warm up.

    Keras starts its moving averages at the weights of the first step; with a momentum of 0.999
    nearly half of these initial weights would remain after 800 steps. Here the momentum of step t
    is min(ema_momentum, (1 + t) / (10 + t)), so early averages cover few steps.

    The gradient of an embedding consists of slices, one per token. Keras 3.15 squares them one by
    one, so a word that occurs k times in a batch adds k·g² instead of (k·g)² to the second moment
    and to the norm to be clipped; here its slices are summed first.

    Args:
        shares: the share of the learning rate that each trainable variable has, in their order;
            by default all of it. Weight decay has all of it in any case.

    Attributes:
        clipped: a variable that counts the steps in which the gradient was clipped, to be set back
            by its reader. It is none of the optimizer's `variables`, which checkpoints hold.
    """

    def __init__(self, *args: Any, shares: Sequence[float] = (), **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.shares = tuple(shares)
        # Each replica counts for itself, because all have the same gradients.
        self.clipped = tf.Variable(
            0.0,
            trainable=False,
            synchronization=tf.VariableSynchronization.ON_READ,
            aggregation=tf.VariableAggregation.ONLY_FIRST_REPLICA,
        )

    def note_gradients(self, grads: Any) -> None:
        """Counts the step if its gradient is larger than `global_clipnorm`."""
        if self.global_clipnorm:
            norm = tf.linalg.global_norm(grads)
            self.clipped.assign_add(tf.cast(norm > self.global_clipnorm, tf.float32))

    def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        """One step of one variable."""
        share = self.shares[self.position(variable)] if self.shares else 1.0
        super().update_step(gradient, variable, share * learning_rate)

    def apply(self, grads: Any, trainable_variables: Any = None) -> None:
        """One step along `grads`."""
        # Dense, because AdamW's moment decay touches every row anyway.
        dense = [tf.convert_to_tensor(g) if isinstance(g, tf.IndexedSlices) else g for g in grads]
        super().apply(dense, trainable_variables)

    def update_averages(self, trainable_variables: Any) -> None:
        """Moves the averages towards the variables, further in the first steps."""
        step = ops.cast(self.iterations, "float32")  # 0 in the first step
        momentum = ops.minimum(self.ema_momentum, (1 + step) / (10 + step))
        for variable, average in zip(trainable_variables, self.averages, strict=True):
            # The first average equals the first weights.
            share = ops.where(step > 0, 1 - momentum, 1.0)
            average.assign_add(ops.cast(share, average.dtype) * (variable - average))


def build_optimizer(
    model: Any, config: TrainingConfig, total_steps: int, shares: Sequence[float] = ()
) -> AveragedAdamW:
    """The optimizer of `config`, built on the trainable variables of the built `model`.

    Weight decay applies to matrices and embeddings, not to biases and normalisation gains: these
    cannot overfit much, and decay would only pull activations towards 0.
    """
    schedule = WarmupSchedule(
        config.learning_rate, config.schedule, config.warmup_steps, total_steps
    )
    optimizer = AveragedAdamW(
        schedule,
        weight_decay=config.weight_decay,
        global_clipnorm=config.clip_norm or None,
        use_ema=config.average > 0,
        ema_momentum=config.average,
        shares=shares,
        name="adamw",
    )
    variables = model.trainable_variables
    # The bias of a Keras GRU is a matrix of two vectors, so the shape alone does not identify it.
    kept = [v for v in variables if len(v.shape) < 2 or v.name == "bias"]
    optimizer.exclude_from_weight_decay(var_list=kept)
    optimizer.build(variables)
    return optimizer
