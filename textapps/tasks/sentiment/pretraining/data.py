"""From texts to batches of pieces of token ids."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from textapps.datasets.texts.examples import LabelledTexts
from textapps.datasets.texts.plain import load_plain_texts
from textapps.preprocessing.text import TextPreprocessor
from textapps.tasks.sentiment.featurizer import TextFeaturizer
from textapps.tasks.sentiment.pretraining.config import PretrainingConfig
from textapps.tasks.task import Labels
from textapps.training.batches import Batch, TextBatchSource
from textapps.training.plan import LengthGroupedPlan, SequentialPlan


class PieceBatchSource(TextBatchSource):
    """Batches of pieces of texts; each piece weighs as much as it has tokens."""

    def batch(self, pass_index: int, step: int) -> Batch:
        """({"ids": int32[batch, time]}, zeros int32[batch], tokens float32[batch])."""
        inputs, labels, weights = super().batch(pass_index, step)
        return inputs, labels, weights * np.count_nonzero(inputs["ids"], axis=1).astype(np.float32)


def load_training(config: PretrainingConfig, labels: Labels) -> tuple[LabelledTexts, LabelledTexts]:
    """The texts to train on and those to validate on."""
    return load_plain_texts(config.data)


def learn(
    config: PretrainingConfig, train: LabelledTexts, known: TextFeaturizer | None
) -> tuple[TextFeaturizer, PieceBatchSource]:
    """The vocabulary of the texts, which begins with a known one, and their batches."""
    if known is None or config.start.extend_vocabulary:
        old = None if known is None else known.tokenizer.vocabulary
        tokenizer, ids = TextPreprocessor.learn(train.texts, config.preprocessor, old)
    else:
        tokenizer = TextPreprocessor(config.preprocessor, known.tokenizer.vocabulary)
        ids = tokenizer.encode(train.texts, "training texts")
    return TextFeaturizer(tokenizer, None), _training_batches(config, ids)


def load_preprocessor(config: PretrainingConfig, directory: Path) -> TextFeaturizer:
    """Reads what a run has saved; RunError if it is missing or damaged."""
    return TextFeaturizer(TextPreprocessor.load(directory, config.preprocessor), None)


def training_batches(
    config: PretrainingConfig, featurizer: TextFeaturizer, train: LabelledTexts
) -> PieceBatchSource:
    """Batches of pieces of similar length, in an order that follows from the random seed."""
    return _training_batches(config, featurizer.tokenizer.encode(train.texts, "training texts"))


def validation_batches(
    config: PretrainingConfig, featurizer: TextFeaturizer, validation: LabelledTexts
) -> PieceBatchSource:
    """Every piece once, the shortest first."""
    ids = featurizer.tokenizer.encode(validation.texts, "validation texts")
    values, splits = pieces(ids, config.model.piece)
    plan = SequentialPlan(np.diff(splits), config.training.batch_size)
    return _source(values, splits, plan)


def pieces(
    ids: tuple[NDArray[np.int32], NDArray[np.int64]], longest: int
) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
    """Texts as (values, row splits), each cut into equal pieces of at most `longest` tokens.

    >>> pieces((np.arange(9), np.array([0, 7, 7, 9])), 3)[1].tolist()
    [0, 2, 4, 7, 9]
    """
    values, splits = ids
    lengths = np.diff(splits)
    counts = -(-lengths // longest)  # none of an empty text
    text = np.repeat(np.arange(len(lengths)), counts)
    number = np.arange(len(text)) - np.repeat(np.cumsum(counts) - counts, counts)
    starts = splits[:-1][text] + number * lengths[text] // np.maximum(counts[text], 1)
    return values, np.append(starts, splits[-1])


def _training_batches(
    config: PretrainingConfig, ids: tuple[NDArray[np.int32], NDArray[np.int64]]
) -> PieceBatchSource:
    values, splits = pieces(ids, config.model.piece)
    lengths = np.diff(splits)
    plan = LengthGroupedPlan(lengths, config.training.batch_size, config.random_seed)
    return _source(values, splits, plan)


def _source(values: Any, splits: Any, plan: Any) -> PieceBatchSource:
    labels = np.zeros(len(splits) - 1, np.int32)
    return PieceBatchSource({"ids": (values, splits)}, labels, plan)
