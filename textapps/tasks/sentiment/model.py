"""Token ids to logits of the classes."""

from typing import Any

import keras
from keras import ops

from textapps.backbones.backbone import Backbone
from textapps.backbones.pooling import Pooling
from textapps.backbones.stem import Stem
from textapps.preprocessing.vocabulary import PADDING, UNKNOWN
from textapps.tasks.sentiment.config import SentimentConfig


class SentimentModel(keras.Model):
    """Embedding → stem → backbone that reads both ways → pooling → logits.

    Takes {"ids": int32[batch, time]}, 0 for padding on the right, time at least 1; gives
    float32[batch, classes].
    """

    def __init__(self, config: SentimentConfig, vocabulary_size: int, classes: int) -> None:
        super().__init__(name="sentiment")
        model, units = config.model, config.backbone.units
        self.word_dropout = WordDropout(model.word_dropout, name="word_dropout")
        self.embedding = keras.layers.Embedding(
            vocabulary_size, model.embedding_units, name="embedding"
        )
        self.embedding_dropout = keras.layers.Dropout(model.dropout, name="embedding_dropout")
        self.stem = Stem(units, model.kernel, model.stride, name="stem")
        self.backbone = Backbone(config.backbone, causal=False, name="backbone")
        self.pooling = Pooling(model.pooling, name="pooling")
        self.head_dropout = keras.layers.Dropout(model.dropout, name="head_dropout")
        self.head = keras.layers.Dense(classes, dtype="float32", name="head")
        self._widths = (model.embedding_units, units, units * (2 if "_" in model.pooling else 1))

    def build(self, inputs_shape: Any = None) -> None:
        """Creates all weights at once, without a trace of the graph."""
        embedded, units, pooled = self._widths
        self.embedding.build((None, None))
        self.stem.build((None, None, embedded))
        self.backbone.build((None, None, units))
        self.pooling.build((None, None, units))
        self.head.build((None, pooled))
        self.built = True

    def call(self, inputs: Any, training: bool | None = None) -> Any:
        """See the class."""
        ids = inputs["ids"]
        mask = ops.not_equal(ids, PADDING)
        x = self.embedding(self.word_dropout(ids, training=training))
        x = self.embedding_dropout(x, training=training)
        x, mask = self.stem(x, mask=mask)
        x, _ = self.backbone(x, mask=mask, training=training)
        x = self.pooling(x, mask=mask)
        return self.head(self.head_dropout(x, training=training))


class WordDropout(keras.layers.Layer):
    """Makes a share of the words unknown in training (Iyyer et al. 2015, section 3.1)."""

    def __init__(self, rate: float, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.rate = rate
        self.seed_generator = keras.random.SeedGenerator()
        self.built = True

    def call(self, ids: Any, training: bool | None = None) -> Any:
        """int32[batch, time] → the same, padding untouched."""
        if not training or not self.rate:
            return ids
        drawn = keras.random.uniform(ops.shape(ids), seed=self.seed_generator)
        dropped = ops.logical_and(drawn < self.rate, ids != PADDING)
        return ops.where(dropped, UNKNOWN, ids)
