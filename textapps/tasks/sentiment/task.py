"""Sentiment: a text to one of the classes of its data set, many-to-one."""

from dataclasses import replace

import keras

from textapps.datasets.texts.examples import LabelledTexts, plain
from textapps.datasets.texts.loader import load_texts
from textapps.tasks.classification import BEST, classifier_objective, settled
from textapps.tasks.sentiment import data
from textapps.tasks.sentiment.about import ABOUT
from textapps.tasks.sentiment.compare import answered, asking
from textapps.tasks.sentiment.config import PRESETS, SentimentConfig
from textapps.tasks.sentiment.evaluate import classical, evaluate
from textapps.tasks.sentiment.export import export_saved_model
from textapps.tasks.sentiment.featurizer import TextFeaturizer
from textapps.tasks.sentiment.inspect import inspect
from textapps.tasks.sentiment.model import SentimentModel
from textapps.tasks.sentiment.predict import rows
from textapps.tasks.sentiment.predictor import SentimentClassifier
from textapps.tasks.sentiment.pretraining.task import TASK as PRETRAINING
from textapps.tasks.sentiment.report import report
from textapps.tasks.sentiment.slimming import slimmed
from textapps.tasks.sentiment.teaching import taught
from textapps.tasks.task import Objective, Task
from textapps.training.batches import TextBatchSource


def settle(config: SentimentConfig, train: LabelledTexts) -> SentimentConfig:
    """The metric to monitor."""
    training = settled(config.training, ABOUT.monitor, train.name, train.label_names, train.labels)
    return config.model_copy(update={"training": training})


def objective(
    classifier: SentimentClassifier, validation: LabelledTexts, batches: TextBatchSource
) -> Objective:
    """The sum of the losses of the paths, and the adversarial loss."""
    model, training = classifier.model, classifier.config.training
    found = classifier_objective(
        model.loss_of_paths,
        keras.metrics.MeanMetricWrapper(model.correct, name="accuracy"),
        training,
        ABOUT.monitor,
        classes=len(classifier.labels),
        labels=batches.labels_of_pass,
        logits=model.combined,
    )
    size = training.adversarial
    return replace(found, adversarial=model.adversarial(size)) if size else found


def renewed(old: TextFeaturizer, new: TextFeaturizer, same_labels: bool) -> tuple[str, ...]:
    """The layers that start anew: those of other labels or of other n-grams."""
    if not same_labels:
        return ("head", "ngram_path")
    return () if new.ngrams is old.ngrams else ("ngram_path",)


TASK = Task(
    name="sentiment",
    presets=PRESETS,
    unit="texts",
    best=BEST,
    labelled=True,
    check=lambda config: SentimentModel(config, vocabulary_size=3, classes=2, ngrams=1),
    load_training=data.load_training,
    load_split=lambda config, split, labels: load_texts(config.data, (split,), labels)[0],
    settle=settle,
    labels=lambda texts: texts.label_names,
    learn=data.learn,
    load_preprocessor=lambda config, folder: TextFeaturizer.load(folder, config),
    training_batches=data.training_batches,
    validation_batches=data.validation_batches,
    model=lambda config, featurizer, labels: SentimentModel(
        config, featurizer.vocabulary_size, len(labels), featurizer.ngram_count
    ),
    vocabulary_size=lambda featurizer: featurizer.vocabulary_size,
    lenders={PRETRAINING.name: PRETRAINING},
    renewed=renewed,
    adapt=lambda model, batches: model.adapt(batches.sequences, batches.labels, batches.counts),
    taught=taught,
    predictor=SentimentClassifier,
    rows=rows,
    objective=objective,
    evaluate=evaluate,
    report=report,
    answered=answered,
    asking=asking,
    classical=classical,
    tokens=data.tokens,
    keys=lambda split: map(plain, [*split.texts, *split.unlabelled]),
    inspect=inspect,
    examples=data.examples,
    formats={"saved_model": export_saved_model},
    slimmed=slimmed,
)
