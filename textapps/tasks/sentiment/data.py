"""From labelled texts to batches of token ids."""

from collections.abc import Sequence
from typing import Any

from textapps.datasets.labelled_texts import LabelledTexts
from textapps.datasets.load import load_labelled_texts
from textapps.preprocessing.text import TextPreprocessor
from textapps.tasks.sentiment.config import SentimentConfig
from textapps.training.batches import TextBatchSource
from textapps.training.plan import LengthGroupedPlan, SequentialPlan


def load_training_data(
    config: SentimentConfig, label_names: Sequence[str] | None = None
) -> tuple[LabelledTexts, LabelledTexts]:
    """The training and the validation split; test is not read."""
    splits = load_labelled_texts(config.data, ("train", "validation"), label_names)
    return splits.train, splits.validation


def training_batches(
    texts: LabelledTexts, preprocessor: TextPreprocessor, config: SentimentConfig
) -> TextBatchSource:
    """Batches of texts of like length, in an order that the seed decides."""
    ids, row_splits = preprocessor.encode(texts.texts)
    plan = LengthGroupedPlan(
        row_splits[1:] - row_splits[:-1], config.training.batch_size, config.random_seed
    )
    return TextBatchSource(ids, row_splits, texts.labels, plan)


def validation_batches(
    texts: LabelledTexts, preprocessor: TextPreprocessor, config: SentimentConfig
) -> TextBatchSource:
    """Every text once, the shortest first."""
    ids, row_splits = preprocessor.encode(texts.texts)
    plan = SequentialPlan(row_splits[1:] - row_splits[:-1], 2 * config.training.batch_size)
    return TextBatchSource(ids, row_splits, texts.labels, plan)


def describe(train: LabelledTexts, validation: LabelledTexts) -> dict[str, Any]:
    """What a run notes of its data, to refuse a resume on other data and to tell about it."""
    return {
        "format": 1,
        "name": train.name,
        "labels": list(train.label_names),
        "train": {"examples": len(train), "sha256": train.fingerprint},
        "validation": {"examples": len(validation), "sha256": validation.fingerprint},
    }
