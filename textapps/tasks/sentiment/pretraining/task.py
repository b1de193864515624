"""Pre-training for sentiment: the tokens around each place of a text, many-to-many."""

from typing import Any

import keras

from textapps.datasets.texts.examples import LabelledTexts
from textapps.datasets.texts.plain import load_plain_texts
from textapps.interpret.section import Seen
from textapps.tasks.sentiment.pretraining import data
from textapps.tasks.sentiment.pretraining.about import ABOUT
from textapps.tasks.sentiment.pretraining.config import PRESETS
from textapps.tasks.sentiment.pretraining.evaluate import evaluate
from textapps.tasks.sentiment.pretraining.model import PretrainingModel
from textapps.tasks.sentiment.pretraining.predictor import PretrainedEncoder
from textapps.tasks.sentiment.pretraining.report import report
from textapps.tasks.task import Objective, Task

MONITOR = ABOUT.monitor


@keras.saving.register_keras_serializable("textapps")
class NatsLoss(keras.losses.Loss):
    """What the model gives is the loss: the mean over all tokens of a batch."""

    def __init__(self, name: str = "nats_loss", **options: Any) -> None:
        super().__init__(name=name, **{"reduction": "mean_with_sample_weight", **options})

    def call(self, targets: Any, nats: Any) -> Any:
        """int32[batch], float32[batch] → float32[batch]; the targets have no meaning."""
        return nats


def objective(encoder: PretrainedEncoder, validation: LabelledTexts, batches: Any) -> Objective:
    """The surprise at each token; the best weights have the lowest."""
    metrics = [keras.metrics.MeanMetricWrapper(lambda _, nats: nats + 0.0, name=MONITOR)]
    return Objective(NatsLoss(), metrics, monitor=f"val_{MONITOR}", mode="min")


TASK = Task(
    name="sentiment-pretrain",
    presets=PRESETS,
    unit="texts",
    best={MONITOR: "{:.4f} nats per token"},
    check=lambda config: PretrainingModel(config, vocabulary_size=5),
    load_training=data.load_training,
    files=lambda config: config.data.files,
    load_split=lambda config, split, _: load_plain_texts(config.data)[split != "train"],
    learn=data.learn,
    load_preprocessor=data.load_preprocessor,
    training_batches=data.training_batches,
    validation_batches=data.validation_batches,
    model=lambda config, featurizer, _: PretrainingModel(config, featurizer.vocabulary_size),
    vocabulary_size=lambda featurizer: featurizer.vocabulary_size,
    adapt=lambda model, batches: model.adapt(batches.sequences["ids"][0]),
    predictor=PretrainedEncoder,
    rows=lambda *_: iter(()),
    objective=objective,
    evaluate=evaluate,
    report=report,
    examples=lambda *_: iter(()),
    inspect=lambda *_: Seen("", ()),
    formats={},
)
