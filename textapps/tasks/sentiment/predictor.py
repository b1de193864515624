"""A trained classifier of texts."""

import re
from collections.abc import Sequence
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from textapps.core.errors import ConfigurationError, unknown
from textapps.preprocessing.long_texts import LongTexts
from textapps.tasks.classification import Classification, classifications, classify
from textapps.tasks.predictor import TrainedPredictor, batches_by_length, several, utf8
from textapps.tasks.sentiment.config import SentimentConfig
from textapps.tasks.sentiment.explain import WordShares
from textapps.tasks.sentiment.explanation import Explanation
from textapps.tasks.sentiment.featurizer import TextFeaturizer
from textapps.tasks.sentiment.model import SentimentModel
from textapps.training.decision import read_threshold

# What begins with one of these has a token: numbers, Latin, Greek, Cyrillic and Hebrew letters, and
# Chinese characters. Others, which may be blank or a tag, are looked at.
_LETTER = re.compile(rb"[0-9A-Za-z\xc4-\xd7\xe4-\xe9]")


class SentimentClassifier(TrainedPredictor[SentimentConfig, TextFeaturizer, SentimentModel]):
    """Tells the sentiment of texts: `classifier.predict(["What a film!"])[0].label`.

    threshold: of two labels, the score from which the answer is the second; None for the larger
        score.
    """

    threshold: float | None

    def set_up(self) -> None:
        """Reads the threshold of the run, and makes the graph of the signature."""
        self.threshold = read_threshold(self.run)
        self.answer = tf.function(
            self._answer,
            input_signature=[tf.TensorSpec([None], tf.string, name="text")],
            autograph=False,  # nothing branches on a tensor, and conversion takes a second
        )
        self.word_shares = WordShares(self.model, self.preprocessor, self.labels, self.threshold)
        text = tf.TensorSpec([None], tf.string)
        self._explain = tf.function(self.word_shares, input_signature=[text, text], autograph=False)
        self.long_texts = LongTexts(self.config.preprocessor)

    def scores(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """float32[texts, labels]: the probabilities of the labels, each row summing to one.

        Raises:
            TypeError: one text instead of a list.
        """
        several(texts, "text", "predict([text])")
        scores = np.zeros((len(texts), len(self.labels)), np.float32)
        with self.long_texts.said():
            for rows in batches_by_length(map(len, texts)):
                batch = [utf8(texts[row]) for row in rows]
                scores[rows] = self.answer(tf.constant(batch))["scores"]
                self._count_long(batch)
        return scores

    def predict(self, texts: Sequence[str]) -> list[Classification]:
        """One answer a text."""
        return classifications(self.scores(texts), self.labels, self.threshold)

    def explain(self, texts: Sequence[str], label: str = "") -> list[Explanation]:
        """What each word of each text adds to the log-odds of a label, by integrated gradients.

        Args:
            label: the one to explain; "" for the answer to each text.

        Raises:
            ConfigurationError: the label is unknown.
            TypeError: one text instead of a list.
        """
        several(texts, "text", "explain([text])")
        if label and label not in self.labels:
            raise ConfigurationError(unknown("label", label, self.labels))
        found: list[Explanation] = []
        for text in texts:
            raw = utf8(text)
            answer = self._explain(tf.constant([raw]), tf.constant([label]))
            found.append(Explanation.of(raw, {name: x[0].numpy() for name, x in answer.items()}))
        return found

    @property
    def manifest_fields(self) -> dict[str, Any]:
        """The fields of the manifest that every export has, and the threshold if there is one."""
        fields = super().manifest_fields
        return (
            fields
            if self.threshold is None
            else {**fields, "decoding": {"threshold": self.threshold}}
        )

    def length(self, text: Any) -> dict[str, Any]:
        """string[batch] → `tokens` that each has, and `max_tokens` that are read: int32[batch]."""
        tokens = tf.cast(self.preprocessor.tokenizer.lengths(text), tf.int32)
        return {"tokens": tokens, "max_tokens": self.config.preprocessor.max_tokens + 0 * tokens}

    def _count_long(self, batch: Sequence[bytes]) -> None:
        # No text has more tokens than bytes.
        tokenizer = self.preprocessor.tokenizer
        limit = tokenizer.config.max_tokens
        candidates = [text for text in batch if len(text) > limit or not _LETTER.match(text)]
        lengths = tokenizer.lengths(tf.constant(candidates, tf.string)).numpy()
        self.long_texts.add(lengths, of=len(batch), empty=int(np.count_nonzero(lengths == 0)))

    def _answer(self, text: Any) -> dict[str, Any]:
        """string[batch] → as `classify`: the exported signature."""
        logits = self.model(self.preprocessor(text), training=False)
        return classify(self.model.combined(logits), self.labels, self.threshold)
