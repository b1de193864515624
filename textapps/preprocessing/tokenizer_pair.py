"""The tokenizers of both languages: a shared one, or one for each."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from textapps.preprocessing.config import SubwordConfig
from textapps.preprocessing.numbers import (
    PLACEHOLDER,
    cut_numbers,
    fill_numbers,
    paste_numbers,
    replace_in_pairs,
)
from textapps.preprocessing.text import in_form
from textapps.preprocessing.tokenizer import Tokenizer

JOINT, SOURCE, TARGET = "joint", "source", "target"


class TokenizerPair:
    """The tokenizers of source and target; `source is target` if the vocabulary is joint.

    Only `learn` and `load` know the kind of tokens, and only this class whether numbers are copied.
    """

    def __init__(self, source: Tokenizer, target: Tokenizer) -> None:
        self.source = source
        self.target = target
        self._copies = source.config.copy_numbers

    @property
    def joint(self) -> bool:
        """Whether both languages share ids, and can therefore share embeddings."""
        return self.source is self.target

    @property
    def resources(self) -> list[Any]:
        """The resources that an export must track."""
        return self.source.resources + ([] if self.joint else self.target.resources)

    @classmethod
    def learn(
        cls, sources: Sequence[str], targets: Sequence[str], config: SubwordConfig
    ) -> tuple["TokenizerPair", tuple[Any, Any], tuple[Any, Any]]:
        """Learns from the sentences of the training split.

        Returns it with the ids of the sources and of the targets, as `encode_all` gives them.

        Raises:
            ConfigurationError: the vocabulary size is too small for the texts.
            DataError: there is nothing to learn from.
        """
        kind = _kind(config)
        sources, targets = _prepared(sources, targets, config)
        if config.joint:
            both, (source_ids, target_ids) = kind.learn((sources, targets), config)
            return cls(both, both), source_ids, target_ids
        source, (source_ids,) = kind.learn((sources,), config, SOURCE)
        target, (target_ids,) = kind.learn((targets,), config, TARGET)
        return cls(source, target), source_ids, target_ids

    def prepared(
        self, sources: Sequence[str], targets: Sequence[str]
    ) -> tuple[Sequence[str], Sequence[str]]:
        """Training pairs as the tokenizers encode them: with placeholders if numbers are copied."""
        return _prepared(sources, targets, self.source.config)

    def placeholders(self) -> tuple[NDArray[np.int32], NDArray[np.int32]] | None:
        """int32[vocabulary] of source and target: the placeholders in each token, if any."""
        if not self._copies:
            return None
        return self.source.occurrences(PLACEHOLDER), self.target.occurrences(PLACEHOLDER)

    def encode_source(self, texts: Any) -> tuple[Any, Any]:
        """string[batch] → ragged int32[batch, (tokens)] and the numbers for `decode_target`."""
        return self._encode(self.source, texts)

    def encode_target(self, texts: Any) -> tuple[Any, Any]:
        """As `encode_source`, for translations."""
        return self._encode(self.target, texts)

    def pieces(self, tokenizer: Tokenizer, ids: Any, numbers: Any) -> Any:
        """The text of each token, numbers in place of their placeholders: see `Tokenizer.pieces`.

        Args:
            tokenizer: `source` or `target`.
            ids: ragged int32[batch, (tokens)], at least one token a row.
            numbers: what was encoded with them.
        """
        pieces = tokenizer.pieces(ids)
        return pieces if numbers is None else fill_numbers(pieces, numbers)

    def source_lengths(self, texts: Any) -> Any:
        """string[batch] → int64[batch]: the tokens of each, before any is left out."""
        if self._copies:
            texts, _ = cut_numbers(texts, self.source.config)
        return self.source.lengths(texts)

    def decode_target(self, ids: Any, numbers: Any) -> Any:
        """int32[batch · n, time] → string[batch · n], n successive translations of each source."""
        texts = self.target.decode(ids)
        return texts if numbers is None else paste_numbers(texts, numbers)

    def _encode(self, tokenizer: Tokenizer, texts: Any) -> tuple[Any, Any]:
        if not self._copies:
            return tokenizer.encode(texts), None
        texts, numbers = cut_numbers(texts, tokenizer.config)
        return tokenizer.encode(texts), numbers

    def save(self, directory: Path) -> None:
        """Writes what was learned: `joint/`, or `source/` and `target/`."""
        parts = {JOINT: self.source} if self.joint else {SOURCE: self.source, TARGET: self.target}
        for name, tokenizer in parts.items():
            (directory / name).mkdir()
            tokenizer.save(directory / name)

    @classmethod
    def load(cls, directory: Path, config: SubwordConfig) -> "TokenizerPair":
        """Reads what `save` wrote.

        Raises:
            RunError: something is missing or damaged.
        """
        kind = _kind(config)
        if config.joint:
            both = kind.load(directory / JOINT, config)
            return cls(both, both)
        return cls(kind.load(directory / SOURCE, config), kind.load(directory / TARGET, config))


def _prepared(
    sources: Sequence[str], targets: Sequence[str], config: SubwordConfig
) -> tuple[Sequence[str], Sequence[str]]:
    if not config.copy_numbers:
        return sources, targets
    form = config.unicode  # so that both sides are read as the graph reads them
    return replace_in_pairs(in_form(sources, form), in_form(targets, form))


def _kind(config: SubwordConfig) -> Any:
    # Imported when needed: only one of them needs TensorFlow Text.
    if config.tokens == "subword":
        from textapps.preprocessing.subwords import SubwordTokenizer

        return SubwordTokenizer
    from textapps.preprocessing.plain_tokens import PlainTokenizer

    return PlainTokenizer
