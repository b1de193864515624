"""From labelled texts to batches of token ids."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from textapps.datasets.texts.labelled_texts import LabelledTexts
from textapps.datasets.texts.load import load_labelled_texts
from textapps.preprocessing.ngrams import NgramIndex
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


class TextFeaturizer:
    """Texts to what the model takes: ids, and with `model.ngrams` also n-grams.

    The same operations in training, on many texts, and in the exported graph.
    """

    def __init__(self, preprocessor: TextPreprocessor, ngrams: NgramIndex | None) -> None:
        self.preprocessor = preprocessor
        self.ngrams = ngrams

    def __call__(self, texts: Any) -> dict[str, Any]:
        """string[batch] → {"ids": int32[batch, time], "ngrams": int32[batch, features]}."""
        ids = self.preprocessor(texts)
        return {"ids": ids} | ({} if self.ngrams is None else {"ngrams": self.ngrams(ids)})

    def encode(self, texts: Sequence[str]) -> dict[str, tuple[Any, Any]]:
        """The same of many texts, each input as (values, row splits)."""
        ids = self.preprocessor.encode(texts)
        return {"ids": ids} | ({} if self.ngrams is None else {"ngrams": self.ngrams.encode(*ids)})

    @property
    def resources(self) -> list[Any]:
        """What an export must keep track of."""
        return [self.preprocessor] + ([] if self.ngrams is None else [self.ngrams])

    @classmethod
    def from_texts(cls, texts: Sequence[str], config: SentimentConfig) -> "TextFeaturizer":
        """Learns the vocabulary, and the n-grams if there are to be any, from training texts."""
        preprocessor = TextPreprocessor.from_texts(texts, config.preprocessor)
        if not config.model.ngrams:
            return cls(preprocessor, None)
        index = NgramIndex.learn(
            *preprocessor.encode(texts),
            orders=config.model.ngrams,
            vocabulary_size=len(preprocessor.vocabulary),
            min_texts=config.model.ngram_min_texts,
        )
        return cls(preprocessor, index)

    def save(self, directory: Path) -> None:
        """Writes vocabulary and n-grams."""
        self.preprocessor.save(directory)
        if self.ngrams is not None:
            self.ngrams.save(directory)

    @classmethod
    def load(cls, directory: Path, config: SentimentConfig) -> "TextFeaturizer":
        """Reads what `save` wrote; RunError if it is missing or damaged."""
        preprocessor = TextPreprocessor.load(directory, config.preprocessor)
        if not config.model.ngrams:
            return cls(preprocessor, None)
        index = NgramIndex.load(
            directory,
            orders=config.model.ngrams,
            vocabulary_size=len(preprocessor.vocabulary),
        )
        return cls(preprocessor, index)


def training_batches(
    texts: LabelledTexts, featurizer: TextFeaturizer, config: SentimentConfig
) -> TextBatchSource:
    """Batches of texts of like length, in an order that the seed decides."""
    sequences = featurizer.encode(texts.texts)
    lengths = np.diff(sequences["ids"][1])
    plan = LengthGroupedPlan(lengths, config.training.batch_size, config.random_seed)
    return TextBatchSource(sequences, texts.labels, plan)


def validation_batches(
    texts: LabelledTexts, featurizer: TextFeaturizer, config: SentimentConfig
) -> TextBatchSource:
    """Every text once, the shortest first."""
    sequences = featurizer.encode(texts.texts)
    plan = SequentialPlan(np.diff(sequences["ids"][1]), 2 * config.training.batch_size)
    return TextBatchSource(sequences, texts.labels, plan)


def describe(train: LabelledTexts, validation: LabelledTexts) -> dict[str, Any]:
    """What a run notes of its data, to refuse a resume on other data and to tell about it."""
    return {
        "name": train.name,
        "labels": list(train.label_names),
        "train": {"examples": len(train), "sha256": train.fingerprint},
        "validation": {"examples": len(validation), "sha256": validation.fingerprint},
    }
