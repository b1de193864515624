"""Token ids to the surprise at tokens that the backbone has not seen."""

from typing import Any

import keras
import numpy as np
import tensorflow as tf
from keras import ops
from numpy.typing import NDArray

from textapps.backbones.backbone import Backbone
from textapps.backbones.registry import REGISTRY
from textapps.backbones.stem import Stem
from textapps.core.errors import ConfigurationError
from textapps.core.tokens import PAD, UNK
from textapps.tasks.sentiment.pretraining.config import PretrainingConfig
from textapps.tasks.sentiment.pretraining.token_head import TokenHead
from textapps.tasks.sentiment.pretraining.word_loss import WordLoss


class PretrainingModel(keras.Model):
    """Embedding → stem → bidirectional backbone, as in `SentimentModel`, and a language model.

    Objective "next": each direction of the recurrent layer predicts the next tokens that neither
    it nor the stem under it has seen: the forward half of the outputs those after, the backward
    half those before. The layer's outputs are taken before the last normalisation, which would mix
    the halves; more than one layer, or a feed-forward part, would mix them too.

    Objective "masked": some spans of `stride` tokens are hidden, and the outputs there predict
    them (Devlin et al. 2019, section 3.1; Joshi et al. 2020 for spans).

    The embedding is the table of the outputs too (Press and Wolf 2017). Takes
    {"ids": int32[batch, time]}; returns float32[batch], the mean surprise in nats at the predicted
    tokens of each row: in training by a sampled softmax, else by the whole vocabulary.

    Raises:
        ConfigurationError: objective and backbone do not fit together.
    """

    def __init__(self, config: PretrainingConfig, vocabulary_size: int) -> None:
        super().__init__(name="sentiment")  # whose weights it shares by name
        model, units = config.model, config.backbone.units
        _check(config)
        self.masked = model.objective == "masked"
        self.masked_share = model.masked_share
        self.stride = model.stride
        self.embedding = keras.layers.Embedding(
            vocabulary_size, model.embedding_units, name="embedding"
        )
        self.embedding_dropout = keras.layers.SpatialDropout1D(
            model.embedding_dropout, name="embedding_dropout"
        )
        self.stem = Stem(units, model.kernel, model.stride, name="stem")
        self.backbone = Backbone(config.backbone, causal=False, name="backbone")
        # The tokens after and before those that output 0 of the stem has seen, or its own.
        after = model.kernel - (model.kernel - 1) // 2
        before = after - model.kernel - 1
        places = {
            "ahead_head": [after + k for k in range(model.ahead)],
            "back_head": [before - k for k in range(model.ahead)],
        }
        if self.masked:
            places = {"masked_head": list(range(model.stride))}
        neighbours = 0 if self.masked else model.neighbours
        self.heads = [
            TokenHead(model.embedding_units, each, model.stride, neighbours, name=name)
            for name, each in places.items()
        ]
        self.word_loss = WordLoss(
            vocabulary_size,
            model.exact_words,
            model.sampled_words,
            model.rare_weight,
            dtype="float32",
            name="word_loss",
        )
        self.seed_generator = keras.random.SeedGenerator()
        self._widths = (model.embedding_units, units, units // len(places))

    def build(self, inputs_shape: Any = None) -> None:
        """Creates all weights without tracing a graph."""
        embedded, units, half = self._widths
        self.embedding.build((None, None))
        self.stem.build((None, None, embedded))
        self.backbone.build((None, None, units))
        if self.backbone.norm is not None and not self.masked:
            self.backbone.norm.trainable = False  # unused here
        for head in self.heads:
            head.build((None, None, half))
        self.word_loss.build()
        self.built = True

    def adapt(self, ids: NDArray[np.int32]) -> None:
        """Lets the language model begin with the frequencies of the tokens, int32[tokens]."""
        self.word_loss.adapt(ids)

    def call(self, inputs: Any, training: bool | None = None) -> Any:
        """See the class."""
        ids = inputs["ids"]
        if self.masked:
            features, targets = self._masked(ids, training)
        else:
            features, targets = self._next(ids, training)
        nats, weights = self.word_loss(features, targets, self.table, training=training)
        return ops.sum(nats * weights, axis=1) / ops.maximum(ops.sum(weights, axis=1), 1e-6)

    @property
    def table(self) -> Any:
        """float32[vocabulary, embedding]."""
        return ops.convert_to_tensor(self.embedding.embeddings, "float32")

    def _next(self, ids: Any, training: bool | None) -> tuple[Any, Any]:
        x, mask = self._stemmed(ids, training)
        for block in self.backbone.blocks:
            x, _ = block(x, mask=mask, training=training)
        embedded = ops.where(ops.not_equal(ids, PAD)[:, :, None], self.embedding(ids), 0)
        halves = zip(self.heads, ops.split(x, 2, axis=-1), strict=True)
        found = [head(half, ids=ids, embedded=embedded, mask=mask) for head, half in halves]
        features, targets = zip(*found, strict=True)
        return ops.concatenate(features, axis=1), ops.concatenate(targets, axis=1)

    def _masked(self, ids: Any, training: bool | None) -> tuple[Any, Any]:
        rows, time = ops.shape(ids)
        steps = -(-time // self.stride)
        there = ops.not_equal(ids[:, :: self.stride], PAD)
        if training:
            drawn = keras.random.uniform((rows, steps), seed=self.seed_generator)
        else:  # always the same
            drawn = tf.random.stateless_uniform((rows, steps), seed=(1, 2))
        drawn = ops.where(there, drawn, 2.0)
        lowest = ops.min(drawn, axis=1, keepdims=True)  # at least one span of each row
        hidden = ops.logical_and(ops.logical_or(drawn < self.masked_share, drawn == lowest), there)
        spans = ops.repeat(hidden, self.stride, axis=1)[:, :time]
        seen = ops.where(ops.logical_and(spans, ids != PAD), UNK, ids)
        x, mask = self._stemmed(seen, training)
        x, _ = self.backbone(x, mask=mask, training=training)
        (head,) = self.heads
        found: tuple[Any, Any] = head(x, ids=ops.where(spans, ids, PAD), embedded=None, mask=mask)
        return found

    def _stemmed(self, ids: Any, training: bool | None) -> tuple[Any, Any]:
        mask = ops.not_equal(ids, PAD)
        x = self.embedding_dropout(self.embedding(ids), training=training)
        x, mask, _ = self.stem(x, mask=mask)
        return x, mask


def _check(config: PretrainingConfig) -> None:
    backbone, objective = config.backbone, config.model.objective
    recurrent = not REGISTRY[backbone.kind].rotary
    if objective == "next" and not recurrent:
        raise ConfigurationError(
            f"model.objective next does not fit a {backbone.kind}, whose outputs have seen every "
            "token: leave it out, or set it to masked"
        )
    if objective == "next" and (backbone.layers > 1 or backbone.feed_forward):
        raise ConfigurationError(
            "model.objective next needs backbone.layers 1 and no backbone.feed_forward: the next "
            "layer would show each direction what it is to predict; set model.objective=masked"
        )
