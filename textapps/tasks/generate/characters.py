"""What a language model reads: characters and, if wanted, the n-grams of its training text."""

from pathlib import Path
from typing import Self

from textapps.preprocessing.characters import CharacterPreprocessor
from textapps.preprocessing.config import UnicodeForm
from textapps.preprocessing.vocabulary import Vocabulary
from textapps.tasks.generate.config import GenerateConfig
from textapps.tasks.generate.ngram_path import NgramPath


class Characters(CharacterPreprocessor):
    """A `CharacterPreprocessor` with an n-gram model, None without `model.ngrams`."""

    def __init__(
        self,
        vocabulary: Vocabulary,
        form: UnicodeForm = "nfc",
        ngrams: NgramPath | None = None,
    ) -> None:
        super().__init__(vocabulary, form)
        self.ngrams = ngrams

    def count(self, text: str, orders: int) -> None:
        """Learns the n-grams of a text, of up to `orders` characters."""
        self.ngrams = NgramPath.learn(self.encode(text), len(self.vocabulary), orders)

    def save(self, directory: Path) -> None:
        """Writes the vocabulary and the n-grams."""
        super().save(directory)
        if self.ngrams is not None:
            self.ngrams.save(directory)

    @classmethod
    def of_run(cls, config: GenerateConfig, directory: Path) -> Self:
        """Reads what `save` wrote.

        Raises:
            RunError: a file is missing or damaged.
        """
        known = cls.load(directory, config.preprocessor.unicode)
        if config.model.ngrams:
            known.ngrams = NgramPath.load(directory)
        return known
