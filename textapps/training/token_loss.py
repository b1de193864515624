"""The loss of models that predict one token after the other."""

from typing import Any

import keras
from keras import ops


@keras.saving.register_keras_serializable("textapps")
class TokenLoss(keras.losses.Loss):
    """Cross-entropy in nats, as the mean over tokens: weighted losses by the sum of weights.

    Label smoothing (Szegedy et al. 2016, section 7) moves the share `smoothing` of each answer to
    all tokens alike.
    """

    def __init__(self, smoothing: float = 0.0, name: str = "token_loss", **options: Any) -> None:
        super().__init__(name=name, **{"reduction": "mean_with_sample_weight", **options})
        self.smoothing = smoothing

    def call(self, targets: Any, logits: Any) -> Any:
        """int32[batch, time], float32[batch, time, vocabulary] → float32[batch, time]."""
        nats = keras.losses.sparse_categorical_crossentropy(targets, logits, from_logits=True)
        if not self.smoothing:
            return nats
        # log-sum-exp minus the mean of the logits, with the first one found already
        of_answer = ops.take_along_axis(logits, targets[..., None], axis=-1)[..., 0]
        return nats + self.smoothing * (of_answer - ops.mean(logits, axis=-1))

    def get_config(self) -> dict[str, Any]:
        """The arguments of the constructor."""
        return {**super().get_config(), "smoothing": self.smoothing}
