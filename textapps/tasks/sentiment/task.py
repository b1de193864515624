"""The sentiment task from Python: train, load, predict, evaluate, export."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import keras
import numpy as np
import tensorflow as tf

from textapps.core.config import resolve
from textapps.datasets.texts.labelled_texts import LabelledTexts
from textapps.tasks.predictor import Predictor
from textapps.tasks.sentiment import data
from textapps.tasks.sentiment.config import SentimentConfig
from textapps.tasks.sentiment.model import SentimentModel
from textapps.training.data_record import check_same_data, read_data_record, write_data_record
from textapps.training.fit import FitResult, fit
from textapps.training.progress import Progress
from textapps.training.replicas import Replicas
from textapps.training.run_directory import RunDirectory
from textapps.training.seeding import precision, seed_everything
from textapps.training.weights import load_weights

TASK = "sentiment"
DATA_FIELDS = ("labels", "train", "validation")
ANSWER_BATCH = 64


class Answer(NamedTuple):
    """A label, its probability, and the probabilities of all labels in their order."""

    label: str
    probability: float
    scores: tuple[float, ...]


class SentimentClassifier(Predictor):
    """A trained classifier: everything that its run directory holds, ready to answer.

    Made by `train` and `load`.
    """

    def __init__(
        self,
        run: RunDirectory,
        config: SentimentConfig,
        featurizer: data.TextFeaturizer,
        model: SentimentModel,
        labels: Sequence[str],
    ) -> None:
        self.run = run
        self.config = config
        self.featurizer = featurizer
        self.model = model
        self.labels = tuple(labels)
        self.answer = tf.function(
            self._answer,
            input_signature=[tf.TensorSpec([None], tf.string, name="text")],
            autograph=False,  # nothing here branches on a tensor, and converting takes a second
        )

    def scores(self, texts: Sequence[str]) -> Any:
        """float32[texts, labels]: the probabilities of the labels, each row summing to one."""
        scores = np.zeros((len(texts), len(self.labels)), np.float32)
        order = np.argsort([len(text) for text in texts], kind="stable")  # to save padding
        for start in range(0, len(order), ANSWER_BATCH):
            rows = order[start : start + ANSWER_BATCH]
            batch = tf.constant([_encodable(texts[row]) for row in rows])
            scores[rows] = self.answer(batch)["scores"]
        return scores

    def predict(self, texts: Sequence[str]) -> list[Answer]:
        """One answer a text."""
        return [
            Answer(self.labels[best], float(row[best]), tuple(map(float, row)))
            for row in self.scores(texts)
            for best in [int(np.argmax(row))]
        ]

    def _answer(self, text: Any) -> dict[str, Any]:
        """string[batch] → label, probability (of it) and scores: the exported signature."""
        logits = self.model(self.featurizer(text), training=False)
        scores = tf.nn.softmax(self.model.combined(logits))
        return {
            "label": tf.gather(tf.constant(self.labels), tf.argmax(scores, axis=-1)),
            "probability": tf.reduce_max(scores, axis=-1),
            "scores": scores,
        }


def train(
    config: SentimentConfig,
    models_dir: Path | str = "models",
    progress: Progress | None = None,
) -> tuple[SentimentClassifier, FitResult]:
    """Trains a new run under `models_dir`, with the best weights in the model that comes back.

    Raises:
        DataError: data that are missing or wrong.
        DivergedError, RunError, TrainingInterrupted: as `textapps.training.fit.fit`.
    """
    replicas = Replicas.of(config.training.strategy)
    config = config.model_copy(update={"data": config.data.resolved()})
    train_texts, validation_texts = data.load_training_data(config)
    featurizer = data.TextFeaturizer.from_texts(train_texts.texts, config)
    # Before there is a run, because it finds the sizes that do not fit together.
    _model(config, featurizer, len(train_texts.label_names))

    def begin() -> RunDirectory:
        run = RunDirectory.create(Path(models_dir), TASK, config.backbone.kind, config)
        run.preprocessor_dir.mkdir()
        featurizer.save(run.preprocessor_dir)
        write_data_record(run, data.describe(train_texts, validation_texts))
        return run

    run = replicas.agreed_run(begin, Path(models_dir) / TASK)
    return _fit(run, config, featurizer, train_texts, validation_texts, replicas, progress)


def resume(
    run: RunDirectory, progress: Progress | None = None
) -> tuple[SentimentClassifier, FitResult]:
    """Goes on with a run that was stopped, by whatever; ends as if it had not been.

    Raises:
        RunError: the run is half-written, or its data have changed since.
    """
    config = load_config(run)
    replicas = Replicas.of(config.training.strategy)
    known = read_data_record(run, DATA_FIELDS)
    train_texts, validation_texts = data.load_training_data(config, known["labels"])
    check_same_data(run, known, data.describe(train_texts, validation_texts))
    featurizer = data.TextFeaturizer.load(run.preprocessor_dir, config)
    return _fit(run, config, featurizer, train_texts, validation_texts, replicas, progress)


def load(run: RunDirectory) -> SentimentClassifier:
    """The classifier of a run, with its best weights.

    Raises:
        RunError: the run is half-written, damaged, of another task or of a newer format.
    """
    config = load_config(run)
    labels = read_data_record(run, DATA_FIELDS)["labels"]
    featurizer = data.TextFeaturizer.load(run.preprocessor_dir, config)
    model = _model(config, featurizer, len(labels))
    load_weights(model, run)
    return SentimentClassifier(run, config, featurizer, model, labels)


def load_config(run: RunDirectory) -> SentimentConfig:
    """The configuration of a run, every value of it."""
    return resolve(SentimentConfig, file=run.path / "config.toml")


def _fit(
    run: RunDirectory,
    config: SentimentConfig,
    featurizer: data.TextFeaturizer,
    train_texts: LabelledTexts,
    validation_texts: LabelledTexts,
    replicas: Replicas,
    progress: Progress | None,
) -> tuple[SentimentClassifier, FitResult]:
    seed_everything(config.random_seed)
    batches = data.training_batches(train_texts, featurizer, config)
    with precision(config.training.mixed_precision), replicas.scope():
        model = _model(config, featurizer, len(train_texts.label_names))
        if model.ngram_path is not None:
            model.ngram_path.adapt(*batches.sequences["ngrams"], train_texts.labels)
        result = fit(
            model,
            loss=model.loss_of_paths,
            metrics=[keras.metrics.MeanMetricWrapper(model.correct, name="accuracy")],
            train=batches,
            validation=data.validation_batches(validation_texts, featurizer, config),
            config=config.training,
            run=run,
            replicas=replicas,
            progress=progress,
        )
    # anew, so that what answers now answers in float32 and as it will after any other loading
    return load(run), result


def _model(
    config: SentimentConfig, featurizer: data.TextFeaturizer, classes: int
) -> SentimentModel:
    ngrams = 0 if featurizer.ngrams is None else len(featurizer.ngrams)
    model = SentimentModel(config, len(featurizer.preprocessor.vocabulary), classes, ngrams)
    model.build()
    return model


def _encodable(text: str) -> bytes:
    """A terminal or file may hand over bytes that are no UTF-8, as lone surrogates."""
    try:
        return text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:  # half of a surrogate pair, as JSON can hold
        return text.encode("utf-8", "surrogatepass")
