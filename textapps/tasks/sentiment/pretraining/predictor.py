"""A trained language model, which only lends its weights and tells how surprising texts are."""

from typing import Any

import tensorflow as tf

from textapps.tasks.predictor import TrainedPredictor
from textapps.tasks.sentiment.featurizer import TextFeaturizer
from textapps.tasks.sentiment.pretraining.config import PretrainingConfig
from textapps.tasks.sentiment.pretraining.model import PretrainingModel
from textapps.training.batches import BatchSource


class PretrainedEncoder(TrainedPredictor[PretrainingConfig, TextFeaturizer, PretrainingModel]):
    """The result of pre-training: `encoder.nats(batches)`."""

    def set_up(self) -> None:
        """Makes the graph that scores."""
        self._score = tf.function(self._scores, autograph=False, reduce_retracing=True)

    def nats(self, batches: BatchSource) -> float:
        """The mean surprise, in nats, at each predicted token of one pass of batches."""
        total = tokens = 0.0
        for step in range(batches.steps_per_pass):
            inputs, _, weights = batches.batch(0, step)
            nats = self._score(tf.constant(inputs["ids"])).numpy()
            total += float((nats * weights).sum(dtype=float))
            tokens += float(weights.sum(dtype=float))
        return total / max(tokens, 1.0)

    def _scores(self, ids: Any) -> Any:
        return self.model({"ids": ids}, training=False)
