"""The metric of training and validation on batches of tokens."""

from typing import Any

import keras
from keras import ops

from textapps.training.token_loss import token_nats


@keras.saving.register_keras_serializable("textapps")
class NatsPerToken(keras.metrics.Mean):
    """Mean cross-entropy in nats over tokens, weighted by the tokens' weights.

    Keras's own wrappers first average losses and weights over time, so a token in a batch padded to
    40 would count half as much as one in a batch padded to 20.
    """

    def __init__(self, name: str = "nats_per_token", dtype: Any = None) -> None:
        super().__init__(name=name, dtype=dtype)

    def update_state(self, targets: Any, logits: Any, sample_weight: Any = None) -> None:
        """int32[batch, time], float32[batch, time, vocabulary], float32[batch, time].

        Of two logits for each token, see `TokenLoss`, the first ones count.
        """
        if len(logits.shape) == len(targets.shape) + 2:
            logits = logits[0]
        nats = token_nats(targets, logits)
        if sample_weight is not None:
            sample_weight = ops.reshape(sample_weight, [-1])
        super().update_state(ops.reshape(nats, [-1]), sample_weight)
