"""The loss of models that predict one token after another."""

from typing import Any

import keras
import tensorflow as tf


@keras.saving.register_keras_serializable("textapps")
class TokenLoss(keras.losses.Loss):
    """Cross-entropy in nats, averaged over tokens: weighted losses divided by the sum of weights.

    Label smoothing (Szegedy et al. 2016, section 7) moves the share `smoothing` of each target
    evenly to all tokens.
    """

    def __init__(self, smoothing: float = 0.0, name: str = "token_loss", **options: Any) -> None:
        super().__init__(name=name, **{"reduction": "mean_with_sample_weight", **options})
        self.smoothing = smoothing

    def call(self, targets: Any, logits: Any) -> Any:
        """int32[batch, time], float32[batch, time, vocabulary] → float32[batch, time]."""
        return token_nats(targets, logits, self.smoothing)

    def get_config(self) -> dict[str, Any]:
        """The arguments of the constructor."""
        return {**super().get_config(), "smoothing": self.smoothing}


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
