"""Which words of a text its label comes from."""

from typing import Any

import tensorflow as tf

from textapps.core.tokens import PAD, UNK
from textapps.interpret.integrated_gradients import log_odds, mean_gradients
from textapps.preprocessing.ngrams import NgramIndex
from textapps.preprocessing.places import places_of
from textapps.tasks.classification import label_index
from textapps.tasks.sentiment.featurizer import TextFeaturizer
from textapps.tasks.sentiment.model import SentimentModel
from textapps.tasks.sentiment.ngram_path import NgramPath

# Of the integral. On 100 reviews of IMDB and a GRU with max-pooling the completeness error was at
# most 1.6 % of the difference; on 40 of them, 32 steps erred by up to 2.7 %.
STEPS = 48


class WordShares:
    """The share of each word in the log-odds of a label: integrated gradients, in the graph.

    The baseline is the same text with every word unknown: that is what models see of a word that
    they cannot use, in training too. The n-gram path begins without n-grams. What an n-gram adds
    belongs to its words, and to all places where it stands, in equal parts; since the path is
    linear, that is exact.
    """

    def __init__(
        self,
        model: SentimentModel,
        featurizer: TextFeaturizer,
        labels: tuple[str, ...],
        threshold: float | None = None,
    ) -> None:
        self._threshold = threshold
        self._model = model
        self._featurizer = featurizer
        self._labels = labels

    def __call__(self, text: Any, label: Any) -> dict[str, Any]:
        """The exported signature.

        Args:
            text: string[batch].
            label: string[batch], "" for the answer to the text.

        Returns:
            label string[batch], the one that is explained; tokens, begins and ends, as `Places`;
            attributions float32[batch, tokens], 0 for padding; difference float32[batch], the
            log-odds of the label less those at the baseline; completeness_error float32[batch],
            by how much the sum of the attributions misses the difference.
        """
        inputs = self._featurizer(text)
        ids, model = inputs["ids"], self._model
        mask = ids != PAD
        places = places_of(text, self._featurizer.tokenizer.config)
        embedded = model.embedding(ids)
        baseline = model.embedding(tf.where(mask, UNK, PAD))
        logits = tf.unstack(model(inputs, training=False), axis=1)
        start = [model.read(baseline, mask, training=False), *logits[1:]]
        if model.ngram_path is not None:
            start[1] = tf.zeros_like(logits[1]) + model.ngram_path.bias
        answer = model.combined(tf.stack(logits, axis=1))
        index = label_index(label, answer, self._labels, self._threshold)
        difference = log_odds(answer, index)
        difference -= log_odds(model.combined(tf.stack(start, axis=1)), index)

        many = tf.repeat(index, STEPS)
        masks = tf.repeat(mask, STEPS, axis=0)

        def score(x: Any, *others: Any) -> Any:
            paths = tf.stack([model.read(x, masks, training=False), *others], axis=1)
            return log_odds(model.combined(paths), many)

        gradient, *others = mean_gradients(
            score, [embedded, *logits[1:]], [baseline, *start[1:]], STEPS
        )
        shares = tf.reduce_sum(gradient * (embedded - baseline), axis=2)
        if model.ngram_path is not None and self._featurizer.ngrams is not None:
            shares += _of_ngrams(ids, others[0], self._featurizer.ngrams, model.ngram_path)
        return {
            "label": tf.gather(tf.constant(self._labels), index),
            **places._asdict(),
            "attributions": shares,
            "difference": difference,
            "completeness_error": tf.abs(tf.reduce_sum(shares, axis=1) - difference),
        }


def _of_ngrams(ids: Any, gradient: Any, ngrams: NgramIndex, path: NgramPath) -> Any:
    """float32[batch, time], given the gradient by the path's logits, float32[batch, labels]."""
    found = ngrams.occurrences(ids)  # [batch, orders, time]
    batch, orders, time = tf.unstack(tf.shape(found))
    flat = tf.reshape(found, [batch, orders * time])
    ordered = tf.sort(flat, axis=1)
    first, after = (tf.searchsorted(ordered, flat, side) for side in ("left", "right"))
    times = tf.cast(tf.maximum(after - first, 1), tf.float32)
    terms = path.terms(flat)  # [batch, orders * time, labels]
    each = tf.einsum("bnc,bc->bn", terms, gradient) / times
    each = tf.reshape(each, [batch, orders, time])
    total = tf.zeros([batch, time])
    for order in range(ngrams.orders):
        for back in range(order + 1):  # the n-gram that ends `back` tokens later
            later = tf.pad(each[:, order, back:], [[0, 0], [0, back]])[:, :time]
            total += later / (order + 1)
    return total
