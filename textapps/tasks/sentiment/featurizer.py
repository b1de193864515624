"""Texts to the inputs of the sentiment model."""

import hashlib
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from textapps.preprocessing.ngrams import NgramIndex
from textapps.preprocessing.text import TextPreprocessor
from textapps.tasks.sentiment.config import SentimentConfig


class TextFeaturizer:
    """Texts to token ids and, with `model.ngrams`, to n-grams.

    Training and the exported graph use the same operations.
    """

    def __init__(self, tokenizer: TextPreprocessor, ngrams: NgramIndex | None) -> None:
        self.tokenizer = tokenizer
        self.ngrams = ngrams

    def __call__(self, texts: Any) -> dict[str, Any]:
        """string[batch] → {"ids": int32[batch, time], "ngrams": int32[batch, features]}."""
        ids = self.tokenizer(texts)
        return {"ids": ids} | ({} if self.ngrams is None else {"ngrams": self.ngrams(ids)})

    def encode(self, texts: Sequence[str], what: str = "texts") -> dict[str, tuple[Any, Any]]:
        """The same for many texts at once; each input is (values, row splits).

        A notice says how many of `what` are cut.
        """
        return self._features(self.tokenizer.encode(texts, what))

    @property
    def vocabulary_size(self) -> int:
        """One more than the largest id."""
        return len(self.tokenizer.vocabulary)

    @property
    def ngram_count(self) -> int:
        """The number of n-grams, 0 without them."""
        return 0 if self.ngrams is None else len(self.ngrams)

    @property
    def resources(self) -> list[Any]:
        """What an export must track."""
        return [self.tokenizer] + ([] if self.ngrams is None else [self.ngrams])

    @property
    def digest(self) -> str:
        """sha256 of all that the numbers of a text depend on."""
        digest = hashlib.sha256(self.tokenizer.config.model_dump_json().encode())
        digest.update("\n".join(self.tokenizer.vocabulary.tokens).encode())
        if self.ngrams is not None:
            digest.update(f"\n{self.ngrams.orders}\n".encode())
            digest.update(self.ngrams.keys.numpy().tobytes())
        return digest.hexdigest()

    @classmethod
    def learn(
        cls, texts: Sequence[str], config: SentimentConfig, known: "TextFeaturizer | None" = None
    ) -> tuple["TextFeaturizer", dict[str, tuple[Any, Any]]]:
        """Learns the vocabulary, and n-grams if the configuration asks for them.

        Args:
            known: the featurizer of the run to start from. Its vocabulary is kept, and extended
                if the configuration says so; its n-grams are kept if they fit.

        Returns:
            The featurizer, and `encode` of the training texts.
        """
        if known is None or config.start.extend_vocabulary:
            old = None if known is None else known.tokenizer.vocabulary
            tokenizer, ids = TextPreprocessor.learn(texts, config.preprocessor, old)
        else:
            tokenizer = TextPreprocessor(config.preprocessor, known.tokenizer.vocabulary)
            ids = tokenizer.encode(texts, "training texts")
        featurizer = cls(tokenizer, cls.learned_ngrams(config, tokenizer, known, ids))
        return featurizer, featurizer._features(ids)

    @staticmethod
    def learned_ngrams(
        config: SentimentConfig,
        tokenizer: TextPreprocessor,
        known: "TextFeaturizer | None",
        ids: tuple[Any, Any],
        count: Callable[[Iterable[Any]], tuple[Any, Any]] | None = None,
    ) -> NgramIndex | None:
        """The n-grams of the training texts, or those of the run to start from; None without them.

        Args:
            ids: of the training texts, as (values, row splits).
            count: as `NgramIndex.learn` takes it.
        """
        keeps = known is not None and not config.start.extend_vocabulary
        ngrams = known.ngrams if known is not None and keeps else None
        if ngrams is not None and ngrams.orders == config.model.ngrams:
            return ngrams
        if not config.model.ngrams:
            return None
        return NgramIndex.learn(
            *ids,
            orders=config.model.ngrams,
            vocabulary_size=len(tokenizer.vocabulary),
            min_texts=config.model.ngram_min_texts,
            most=config.model.ngram_most,
            count=count,
        )

    def save(self, directory: Path) -> None:
        """Writes the vocabulary and the n-grams."""
        self.tokenizer.save(directory)
        if self.ngrams is not None:
            self.ngrams.save(directory)

    @classmethod
    def load(cls, directory: Path, config: SentimentConfig) -> "TextFeaturizer":
        """Reads what `save` wrote; RunError if it is missing or damaged."""
        tokenizer = TextPreprocessor.load(directory, config.preprocessor)
        ngrams = None
        if config.model.ngrams:
            ngrams = NgramIndex.load(
                directory,
                orders=config.model.ngrams,
                vocabulary_size=len(tokenizer.vocabulary),
            )
        return cls(tokenizer, ngrams)

    def _features(self, ids: tuple[Any, Any]) -> dict[str, tuple[Any, Any]]:
        return {"ids": ids} | ({} if self.ngrams is None else {"ngrams": self.ngrams.encode(*ids)})
