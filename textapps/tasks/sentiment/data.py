"""From labelled texts to a featurizer and batches of token ids."""

import logging
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from textapps.datasets.texts.examples import LabelledTexts, unspaced
from textapps.datasets.texts.loader import load_texts
from textapps.datasets.texts.plain import load_unlabelled
from textapps.savedmodel.manifest import Example
from textapps.tasks.examples import short_ones, some
from textapps.tasks.sentiment.config import SentimentConfig
from textapps.tasks.sentiment.featurizer import TextFeaturizer
from textapps.tasks.task import Labels
from textapps.training.batches import TextBatchSource
from textapps.training.class_balance import oversampled
from textapps.training.plan import Indices, LengthGroupedPlan, SequentialPlan


def load_training(config: SentimentConfig, labels: Labels) -> tuple[LabelledTexts, LabelledTexts]:
    """The training split, with the unlabelled texts if there are any, and the validation split."""
    train, validation = load_texts(config.data, ("train", "validation"), labels)
    if config.data.unlabelled:
        train = replace(train, unlabelled=load_unlabelled(config.data, train, validation))
    if config.preprocessor.tokens == "word" and (told := unspaced(train.texts)):
        logging.getLogger("textapps").warning("%s: %s", train.name, told)
    return train, validation


def learn(
    config: SentimentConfig, train: LabelledTexts, known: TextFeaturizer | None
) -> tuple[TextFeaturizer, TextBatchSource]:
    """A featurizer for the training texts, which begins with a known one, and their batches."""
    texts = [*train.texts, *train.unlabelled]
    featurizer, sequences = TextFeaturizer.learn(texts, config, known)
    return featurizer, training_batches(config, featurizer, train, sequences)


def training_batches(
    config: SentimentConfig,
    featurizer: TextFeaturizer,
    train: LabelledTexts,
    sequences: dict[str, tuple[Any, Any]] | None = None,
) -> TextBatchSource:
    """Batches of texts of similar length, in an order that follows from the random seed.

    Unlabelled texts come after the others. All classes are as likely for them; a teacher tells.

    Args:
        sequences: of the texts, as `TextFeaturizer.encode` gives them, if they are known.
    """
    texts = [*train.texts, *train.unlabelled]
    sequences = sequences or featurizer.encode(texts, "training texts")
    lengths = np.diff(sequences["ids"][1])
    classes = range(len(train.label_names))

    def of_pass(number: int) -> Indices:
        more = oversampled(train.labels, classes, config.data.repeat, number)
        return np.concatenate([np.arange(len(texts)), more])

    plan = LengthGroupedPlan(
        lengths, config.training.batch_size, config.random_seed, of_pass=of_pass
    )
    labels = train.labels
    if train.unlabelled:
        known = np.eye(len(classes), dtype=np.float32)[labels]
        unknown = np.full((len(train.unlabelled), len(classes)), 1 / len(classes), np.float32)
        labels = np.concatenate([known, unknown])
    return TextBatchSource(sequences, labels, plan)


def validation_batches(
    config: SentimentConfig, featurizer: TextFeaturizer, validation: LabelledTexts
) -> TextBatchSource:
    """Every text once, the shortest first."""
    sequences = featurizer.encode(validation.texts, "validation texts")
    plan = SequentialPlan(np.diff(sequences["ids"][1]), 2 * config.training.batch_size)
    return TextBatchSource(sequences, validation.labels, plan)


def tokens(featurizer: TextFeaturizer, split: LabelledTexts) -> NDArray[np.int32]:
    """The ids of some of the texts, taken evenly."""
    ids: NDArray[np.int32] = featurizer.tokenizer.encode(some(split.texts))[0]
    return ids


def examples(split: LabelledTexts, count: int) -> Iterator[Example]:
    """Short texts, `count` of each label."""
    for label, name in enumerate(split.label_names):
        for row in short_ones(split.texts, np.flatnonzero(split.labels == label), count):
            yield Example(inputs={"text": split.texts[row]}, expected={"label": name})
