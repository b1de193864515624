"""Token ids to logits of the classes."""

from collections.abc import Mapping
from typing import Any

import keras
from keras import ops

from textapps.backbones.backbone import Backbone
from textapps.backbones.pooling import Pooling
from textapps.backbones.stem import Stem
from textapps.core.tokens import PAD, UNK
from textapps.tasks.sentiment.config import SentimentConfig
from textapps.tasks.sentiment.ngram_path import NgramPath
from textapps.training.adversarial import PERTURBATION, Adversarial


class SentimentModel(keras.Model):
    """Embedding → stem → bidirectional backbone → pooling → logits.

    With `config.model.ngrams` there is an `NgramPath` beside it. The answer is the weighted mean
    of the logits of both. Each has its own loss: n-grams soon fit the training texts, and with a
    common loss the backbone would have nothing left to learn.

    Takes {"ids": int32[batch, time]} and "ngrams": int32[batch, n], 0 for padding, time at least
    1. Returns float32[batch, paths, classes], 1 or 2 paths. In adversarial training there is
    "perturbation", float32[batch, time, embedding_units] in standard deviations of the embedded
    words of each text, which corresponds to the normalised embeddings of Miyato et al. (2017).

    Args:
        vocabulary_size: one more than the largest id.
        classes: the number of classes.
        ngrams: the number of n-grams.
    """

    def __init__(
        self, config: SentimentConfig, vocabulary_size: int, classes: int, ngrams: int = 0
    ) -> None:
        super().__init__(name="sentiment")
        model, units = config.model, config.backbone.units
        self.word_dropout = WordDropout(model.word_dropout, name="word_dropout")
        self.embedding = keras.layers.Embedding(
            vocabulary_size, model.embedding_units, name="embedding"
        )
        self.embedding_dropout = keras.layers.SpatialDropout1D(
            model.embedding_dropout, name="embedding_dropout"
        )
        self.stem = Stem(units, model.kernel, model.stride, name="stem")
        self.backbone = Backbone(config.backbone, causal=False, name="backbone")
        self.pooling = Pooling(model.pooling, name="pooling")
        self.head_dropout = keras.layers.Dropout(model.head_dropout, name="head_dropout")
        self.head = keras.layers.Dense(classes, dtype="float32", name="head")
        self.ngram_path = None
        if model.ngrams:
            self.ngram_path = NgramPath(ngrams, classes, dtype="float32", name="ngram_path")
        self.label_smoothing = model.label_smoothing
        self.shares: tuple[float, ...] = (1.0,)
        if self.ngram_path is not None:
            self.shares = (1.0 - model.ngram_share, model.ngram_share)
        self._widths = (model.embedding_units, units, units * (2 if "_" in model.pooling else 1))

    def build(self, inputs_shape: Any = None) -> None:
        """Creates all weights without tracing a graph."""
        embedded, units, pooled = self._widths
        self.embedding.build((None, None))
        self.stem.build((None, None, embedded))
        self.backbone.build((None, None, units))
        self.pooling.build((None, None, units))
        self.head.build((None, pooled))
        if self.ngram_path is not None:
            self.ngram_path.build()
        self.built = True

    def adapt(
        self, sequences: Mapping[str, tuple[Any, Any]], labels: Any, counts: Any = None
    ) -> None:
        """Sets the n-gram path to naive Bayes of the training texts.

        Args:
            sequences: as `TextFeaturizer.encode` gives them.
            labels: int32[texts], or the probabilities of the classes, float32[texts, classes].
            counts: `class_counts` of them, if they are known.
        """
        if self.ngram_path is None:
            return
        if counts is None:
            self.ngram_path.adapt(*sequences["ngrams"], labels)
        else:
            self.ngram_path.adapt_to(counts)

    def call(self, inputs: Any, training: bool | None = None) -> Any:
        """See the class."""
        ids = inputs["ids"]
        x = self.embedding(self.word_dropout(ids, training=training))
        mask = ops.not_equal(ids, PAD)
        paths = [self.read(x, mask, training, inputs.get(PERTURBATION))]
        if self.ngram_path is not None:
            paths.append(self.ngram_path(inputs["ngrams"]))
        return ops.stack(paths, axis=1)

    def read(
        self, embedded: Any, mask: Any, training: bool | None = None, perturbation: Any = None
    ) -> Any:
        """The path through the backbone: float[batch, time, width], bool[batch, time] → logits."""
        x = self.pooled(embedded, mask, training, perturbation)
        return self.head(self.head_dropout(x, training=training))

    def pooled(
        self, embedded: Any, mask: Any, training: bool | None = None, perturbation: Any = None
    ) -> Any:
        """The same up to what the head gets: → float[batch, features]."""
        x = self.embedding_dropout(embedded, training=training)
        if perturbation is not None:
            x += _spread(embedded, mask) * ops.cast(perturbation, x.dtype)
        x, mask, _ = self.stem(x, mask=mask)
        x, _ = self.backbone(x, mask=mask, training=training)
        return self.pooling(x, mask=mask)

    def loss_of_paths(self, labels: Any, logits: Any) -> Any:
        """The sum of the cross-entropies of the paths: labels, logits → float32[batch].

        Label smoothing as in Szegedy et al. 2016, section 7.

        Args:
            labels: int32[batch], or the probabilities of the classes, float32[batch, classes].
        """
        targets = labels if len(labels.shape) > 1 else ops.one_hot(labels, logits.shape[-1])
        return sum(
            keras.losses.categorical_crossentropy(targets, path, True, self.label_smoothing)
            for path in ops.unstack(logits, axis=1)
        )

    def adversarial(self, size: float) -> Adversarial:
        """The loss of the backbone alone for perturbed texts: n-grams have no embedding."""
        units = self.embedding.output_dim
        return Adversarial(size, units, lambda y, logits: self.loss_of_paths(y, logits[:, :1]))

    def combined(self, logits: Any) -> Any:
        """The weighted mean of the logits of the paths: float32[batch, classes]."""
        shares = ops.convert_to_tensor(self.shares, logits.dtype)
        return ops.sum(logits * shares[None, :, None], axis=1)

    def correct(self, labels: Any, logits: Any) -> Any:
        """1 where the combined answer is the label, or the likeliest, else 0: float32[batch]."""
        labels = ops.argmax(labels, axis=-1) if len(labels.shape) > 1 else labels
        return keras.metrics.sparse_categorical_accuracy(labels, self.combined(logits))


def _spread(embedded: Any, mask: Any) -> Any:
    """The standard deviation of the embedded words of each text: → float[batch, 1, 1]."""
    valid = ops.cast(mask, embedded.dtype)[:, :, None]
    count = ops.maximum(ops.sum(valid, axis=1, keepdims=True), 1)
    away = embedded - ops.sum(embedded * valid, axis=1, keepdims=True) / count
    variance = ops.sum((away * valid) ** 2, axis=1, keepdims=True) / count
    return ops.stop_gradient(ops.sqrt(ops.mean(variance, axis=-1, keepdims=True)))


class WordDropout(keras.layers.Layer):
    """Replaces a share of the words by UNK in training (Iyyer et al. 2015, section 3.1)."""

    def __init__(self, rate: float, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.rate = rate
        self.seed_generator = keras.random.SeedGenerator()
        self.built = True

    def call(self, ids: Any, training: bool | None = None) -> Any:
        """int32[batch, time] → int32[batch, time]; padding stays."""
        if not training or not self.rate:
            return ids
        drawn = keras.random.uniform(ops.shape(ids), seed=self.seed_generator)
        dropped = ops.logical_and(drawn < self.rate, ids != PAD)
        return ops.where(dropped, UNK, ids)
