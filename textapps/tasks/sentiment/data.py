"""From labelled texts to a featurizer and batches of token ids."""

import logging
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from textapps.datasets.texts.examples import LabelledTexts, unspaced
from textapps.datasets.texts.kept import KeptTexts
from textapps.datasets.texts.loader import load_texts
from textapps.datasets.texts.plain import load_unlabelled
from textapps.savedmodel.manifest import Example
from textapps.tasks.examples import short_ones, some
from textapps.tasks.sentiment.config import SentimentConfig
from textapps.tasks.sentiment.featurizer import TextFeaturizer
from textapps.tasks.sentiment.kept import KeptSequences, encode_kept, learn_kept
from textapps.tasks.task import Labels
from textapps.training.batches import TextBatchSource
from textapps.training.class_balance import oversampled
from textapps.training.plan import Indices, LengthGroupedPlan, SequentialPlan

_LOOKED_AT = 50_000  # texts tell whether words have blanks between them


def load_training(config: SentimentConfig, labels: Labels) -> tuple[LabelledTexts, LabelledTexts]:
    """The training split, with the unlabelled texts if there are any, and the validation split."""
    train, validation = load_texts(config.data, ("train", "validation"), labels)
    if config.data.unlabelled:
        train = replace(train, unlabelled=load_unlabelled(config.data, train, validation))
    if config.preprocessor.tokens == "word" and (told := unspaced(train.texts[:_LOOKED_AT])):
        logging.getLogger("textapps").warning("%s: %s", train.name, told)
    return train, validation


def learn(
    config: SentimentConfig, train: LabelledTexts, known: TextFeaturizer | None
) -> tuple[TextFeaturizer, TextBatchSource]:
    """A featurizer for the training texts, which begins with a known one, and their batches."""
    if isinstance(train.texts, KeptTexts) and not train.unlabelled:
        found = learn_kept(config, train, known)
        if found is not None:
            return found[0], _batches(config, train, *found[1])
    texts = [*train.texts, *train.unlabelled] if train.unlabelled else train.texts
    featurizer, sequences = TextFeaturizer.learn(texts, config, known)
    return featurizer, _batches(config, train, sequences)


def training_batches(
    config: SentimentConfig, featurizer: TextFeaturizer, train: LabelledTexts
) -> TextBatchSource:
    """Batches of texts of similar length, in an order that follows from the random seed.

    Unlabelled texts come after the others. All classes are as likely for them; a teacher tells.
    """
    return _batches(config, train, *_encoded(featurizer, train, "training texts"))


def _encoded(featurizer: TextFeaturizer, split: LabelledTexts, what: str) -> KeptSequences:
    """The inputs for the texts of a split; those of texts on disk are on disk."""
    if isinstance(split.texts, KeptTexts) and not split.unlabelled:
        found = encode_kept(featurizer, split, what)
        if found is not None:
            return found
    texts = [*split.texts, *split.unlabelled] if split.unlabelled else split.texts
    return KeptSequences(featurizer.encode(texts, what), None)


def _batches(
    config: SentimentConfig,
    train: LabelledTexts,
    sequences: Mapping[str, tuple[Any, Any]],
    counts: NDArray[np.float64] | None = None,
) -> TextBatchSource:
    lengths = np.diff(sequences["ids"][1])
    classes = range(len(train.label_names))

    def of_pass(number: int) -> Indices:
        more = oversampled(train.labels, classes, config.data.repeat, number)
        return np.concatenate([np.arange(len(lengths)), more])

    plan = LengthGroupedPlan(
        lengths, config.training.batch_size, config.random_seed, of_pass=of_pass
    )
    labels = train.labels
    if train.unlabelled:
        known = np.eye(len(classes), dtype=np.float32)[labels]
        unknown = np.full((len(train.unlabelled), len(classes)), 1 / len(classes), np.float32)
        labels = np.concatenate([known, unknown])
    return TextBatchSource(sequences, labels, plan, counts)


def validation_batches(
    config: SentimentConfig, featurizer: TextFeaturizer, validation: LabelledTexts
) -> TextBatchSource:
    """Every text once, the shortest first."""
    sequences, _ = _encoded(featurizer, validation, "validation texts")
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
