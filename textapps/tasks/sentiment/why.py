"""Which words of some texts a label comes from, by two methods, for `inspect`."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from textapps.core.tokens import PAD, UNK
from textapps.interpret.deletion import deletion_curve, occlusion
from textapps.interpret.integrated_gradients import log_odds
from textapps.interpret.section import Section
from textapps.tasks.predictor import utf8
from textapps.tasks.sentiment.explanation import Explanation
from textapps.tasks.sentiment.predictor import SentimentClassifier

TEXTS = 8  # of which the deletion curves are the mean
METHODS = ("integrated gradients", "occlusion")
RANDOM = "random order"


def why_sections(classifier: SentimentClassifier, texts: Sequence[str]) -> Iterator[Section]:
    """The answer to the first text and its words, and deletion curves of the first `TEXTS`."""
    from textapps.interpret.sections.shares import shares_section

    drawn = np.random.default_rng(0)
    curves, errors = [], []
    shown: tuple[str, Explanation, dict[str, NDArray[np.float64]]] | None = None
    for text, why in zip(texts, classifier.explain(texts[:TEXTS]), strict=False):
        ids = classifier.preprocessor(tf.constant([utf8(text)]))["ids"].numpy()[0]
        ids = ids[ids != PAD]
        if not len(ids):
            continue
        score = _Score(classifier, classifier.labels.index(why.label))
        shares = np.array([word.share for word in why.words])
        values = dict(zip(METHODS, (shares, occlusion(score, ids, UNK)), strict=True))
        orders = [*(np.argsort(-value) for value in values.values()), drawn.permutation(len(ids))]
        curves.append([deletion_curve(score, ids, order, UNK) for order in orders])
        errors.append(why.completeness_error)
        shown = shown or (text, why, values)
    if shown is not None:
        text, why, values = shown
        scores = classifier.scores([text])[0].astype(float)
        probabilities = dict(zip(classifier.labels, scores, strict=True))
        words = [word.token for word in why.words]
        means = dict(zip((*METHODS, RANDOM), np.mean(curves, axis=0), strict=True))
        yield shares_section(why.label, probabilities, words, values, means, errors)


class _Score:
    """The log-odds of a label: int32[rows, time] → float64[rows]."""

    def __init__(self, classifier: SentimentClassifier, label: int) -> None:
        self._classifier = classifier
        self._label = label

    def __call__(self, ids: NDArray[np.int32]) -> NDArray[np.float64]:
        model, ngrams = self._classifier.model, self._classifier.preprocessor.ngrams
        parts = []
        for start in range(0, len(ids), 64):
            inputs: dict[str, Any] = {"ids": tf.constant(ids[start : start + 64])}
            if ngrams is not None:
                inputs["ngrams"] = ngrams(inputs["ids"])
            logits = model.combined(model(inputs, training=False))
            parts.append(log_odds(logits, tf.fill([len(inputs["ids"])], self._label)).numpy())
        return np.concatenate(parts).astype(np.float64)
