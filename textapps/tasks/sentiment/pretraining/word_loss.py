"""The surprise at a token among all of a large vocabulary, or among a sample of it."""

from typing import Any

import keras
import numpy as np
import tensorflow as tf
from keras import ops
from numpy.typing import NDArray

from textapps.core.tokens import FIRST
from textapps.training.token_loss import token_nats

SCALE_OF_RARE = 1e-4  # the share of all tokens below which a token is rare


class WordLoss(keras.layers.Layer):
    """The logits are products of features with the rows of an embedding, and a bias.

    In training the sum over the vocabulary is estimated (Bengio and Senécal 2008, section III): the
    `exact` most frequent tokens are summed, and `sampled` draws from the others, from a
    log-uniform distribution over their ranks, stand for the rest, each divided by how often it is
    expected. Ids must be in the order of frequency, as a vocabulary has them.

    Targets below FIRST (PAD, UNK) have weight 0.
    """

    def __init__(
        self, size: int, exact: int, sampled: int, rare_weight: float = 0.0, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.size = size
        self.exact = min(exact, size - FIRST)
        self.sampled = sampled
        self.rare_weight = rare_weight
        self.supports_masking = True
        self.seed_generator = keras.random.SeedGenerator()

    def build(self, inputs_shape: Any = None) -> None:
        """Creates the biases."""
        self.bias = self.add_weight((self.size,), "zeros", name="bias")
        self.weight = self.add_weight((self.size,), "ones", trainable=False, name="weight")
        self.built = True

    def adapt(self, ids: NDArray[np.int32]) -> None:
        """Sets the biases to the logarithms of the shares of the tokens, int32[tokens]."""
        counts = np.bincount(ids, minlength=self.size)[: self.size] + 1.0
        counts[:FIRST] = 1.0
        share = counts / counts.sum()
        self.bias.assign(np.log(share))
        weight = np.minimum(1.0, SCALE_OF_RARE / share) ** self.rare_weight
        weight[:FIRST] = 0.0
        self.weight.assign(weight)

    def call(
        self, features: Any, targets: Any, table: Any, training: bool | None = None
    ) -> tuple[Any, Any]:
        """The surprise at targets, and what each weighs; in evaluations 1 or 0.

        Args:
            features: float[batch, n, width].
            targets: int32[batch, n].
            table: float32[vocabulary, width].

        Returns:
            float32[batch, n], float32[batch, n].
        """
        features = ops.cast(features, "float32")
        known = ops.cast(targets >= FIRST, "float32")
        if training:
            weights = known * ops.take(self.weight, targets)
            return self._sampled(features, targets, table), weights

        def row(pair: Any) -> Any:
            logits = tf.matmul(pair[0], table, transpose_b=True) + self.bias
            return token_nats(pair[1], logits + self._never())

        # Row by row, because the logits of a batch would not fit into memory.
        nats = tf.map_fn(
            row, (features, targets), fn_output_signature=tf.float32, parallel_iterations=1
        )
        return nats, known

    def _sampled(self, features: Any, targets: Any, table: Any) -> Any:
        width = features.shape[-1]
        flat, wanted = ops.reshape(features, (-1, width)), ops.reshape(targets, (-1,))
        candidates, correction = self._candidates()
        rows = ops.take(table, candidates, axis=0)
        biases = ops.take(self.bias, candidates) - correction
        logits = tf.nn.bias_add(tf.matmul(flat, rows, transpose_b=True), biases)
        # The target has a logit of its own.
        logits = ops.where(wanted[:, None] == candidates[None, :], -1e9, logits)
        own = ops.sum(flat * ops.take(table, wanted, axis=0), axis=1)
        own += ops.take(self.bias, wanted)
        logits = ops.concatenate([own[:, None], logits], axis=1)
        nats = token_nats(ops.zeros_like(wanted), logits)
        return ops.reshape(nats, ops.shape(targets))

    def _candidates(self) -> tuple[Any, Any]:
        """Ids of tokens, and the logarithm of how often each is expected among them."""
        exact = ops.arange(FIRST, FIRST + self.exact)
        rest = self.size - FIRST - self.exact
        if rest < 1:
            return exact, ops.zeros((self.exact,))
        first = float(self.exact)
        spread = np.log((self.exact + rest) / first)
        drawn = keras.random.uniform((self.sampled,), seed=self.seed_generator)
        ranks = ops.cast(first * ops.exp(drawn * spread), "int32")  # self.exact … size - FIRST - 1
        ranks = ops.clip(ranks, self.exact, self.exact + rest - 1)
        place = ops.cast(ranks, "float32")
        share = ops.log((place + 1.0) / place) / spread
        correction = ops.log(share * self.sampled)
        return (
            ops.concatenate([exact, FIRST + ranks]),
            ops.concatenate([ops.zeros((self.exact,)), correction]),
        )

    def _never(self) -> Any:
        """Minus infinity for PAD and UNK, float32[vocabulary]."""
        return ops.where(ops.arange(self.size) < FIRST, -1e9, 0.0)
