"""The loss of models that predict one token after another."""

from typing import Any

import keras
import tensorflow as tf


@keras.saving.register_keras_serializable("textapps")
class TokenLoss(keras.losses.Loss):
    """Cross-entropy in nats, averaged over tokens: weighted losses divided by the sum of weights.

    Label smoothing (Szegedy et al. 2016, section 7) moves the share `smoothing` of each target
    evenly to all tokens. Logits for two versions of each input get a second loss, of weight
    `consistency`: how far the second prediction is from the first (SimCut; Gao et al. 2022,
    section 2.2).
    """

    def __init__(
        self,
        smoothing: float = 0.0,
        consistency: float = 0.0,
        name: str = "token_loss",
        **options: Any,
    ) -> None:
        super().__init__(name=name, **{"reduction": "mean_with_sample_weight", **options})
        self.smoothing = smoothing
        self.consistency = consistency

    def call(self, targets: Any, logits: Any) -> Any:
        """int32[batch, time], float32[batch, time, vocabulary] → float32[batch, time].

        Or float32[2, batch, time, vocabulary].
        """
        if len(logits.shape) == len(targets.shape) + 1:
            return token_nats(targets, logits, self.smoothing)
        first, second = tf.unstack(logits)
        nats = token_nats(targets, first, self.smoothing)
        return nats + self.consistency * token_divergence(first, second)

    def get_config(self) -> dict[str, Any]:
        """The arguments of the constructor."""
        own = {"smoothing": self.smoothing, "consistency": self.consistency}
        return {**super().get_config(), **own}


def token_nats(targets: Any, logits: Any, smoothing: float = 0.0) -> Any:
    """int[...], float32[..., vocabulary] → float32[...], the cross-entropy of each token in nats.

    The logits are by far the largest array of a training. Their gradient, softmax minus target, is
    implemented here, because the gradient that TensorFlow derives reads them many more times.
    """
    shape, vocabulary = tf.shape(logits), logits.shape[-1]
    ids = tf.reshape(tf.cast(targets, tf.int32), [-1])
    places = tf.stack([tf.range(tf.size(ids)), ids], axis=1)

    def nats(logits: Any) -> tuple[Any, Any]:
        top = tf.reduce_max(logits, axis=-1)
        shares = tf.exp(logits - top[:, None])
        total = tf.reduce_sum(shares, axis=-1)
        answer = (1 - smoothing) * tf.gather_nd(logits, places)
        if smoothing:
            answer += smoothing * tf.reduce_mean(logits, axis=-1)

        def gradient(above: Any) -> Any:
            of_all = shares * (above / total)[:, None]
            if smoothing:
                of_all -= (above * (smoothing / vocabulary))[:, None]
            return tf.tensor_scatter_nd_sub(of_all, places, (1 - smoothing) * above)

        return tf.math.log(total) + top - answer, gradient

    flat = tf.custom_gradient(nats)(tf.reshape(logits, [-1, vocabulary]))
    return tf.reshape(flat, shape[:-1])


def token_divergence(logits: Any, others: Any) -> Any:
    """Two float32[..., vocabulary] → float32[...], the Kullback-Leibler divergence in nats.

    It is that of the second predictions from the first, and its gradient moves both.
    """

    def divergence(logits: Any, others: Any) -> tuple[Any, Any]:
        log_shares, log_others = tf.nn.log_softmax(logits), tf.nn.log_softmax(others)
        shares, difference = tf.exp(log_shares), log_shares - log_others
        nats = tf.reduce_sum(shares * difference, axis=-1)

        def gradient(above: Any) -> tuple[Any, Any]:
            above = above[..., None]
            first = above * shares * (difference - nats[..., None])
            return first, above * (tf.exp(log_others) - shares)

        return nats, gradient

    return tf.custom_gradient(divergence)(logits, others)
