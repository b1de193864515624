"""Word and character tokens for translation, with stock TensorFlow operations only."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from textapps.core.errors import DataError, RunError
from textapps.core.tokens import BOS, EOS, FIRST, PAD, UNK
from textapps.preprocessing.config import SubwordConfig, TextConfig
from textapps.preprocessing.numbers import PLACEHOLDER
from textapps.preprocessing.text import NumberedTokens, encode_all
from textapps.preprocessing.tokenizer import UNKNOWN, Tokenizer, fold
from textapps.preprocessing.vocabulary import Vocabulary

FILE = "vocabulary.txt"
# No text has these tokens: "<" and ">" are never part of a longer token.
SPECIAL = {BOS: "<s>", EOS: "</s>"}
_MARK = "\uffed"  # means "no space here"; `fold` removes it from texts
_WORDS = (
    (r"[^\p{L}\p{M}\p{N} ]", rf"{_MARK}\0{_MARK}"),  # punctuation and symbols, one by one
    (rf"(^| ){_MARK}", r"\1"),
    (rf"{_MARK}( |$)", r"\1"),
    (rf"{_MARK}?[^\p{{L}}\p{{M}}\p{{N}} {_MARK}]{_MARK}?", r" \0 "),
)


class PlainTokenizer(Tokenizer):
    """Words or characters; the most frequent ones form the vocabulary.

    A character is a Unicode code point. A word is a run of letters and digits. Any other character
    is a word of its own, with a mark (U+FFED, as in OpenNMT's tokenizer) on each side that has no
    space: `(a)!` is `(￭`, `a`, `￭)￭`, `￭!`.
    """

    def __init__(self, config: SubwordConfig, vocabulary: Vocabulary) -> None:
        super().__init__(config)
        self.vocabulary = vocabulary
        tokens = tf.constant(vocabulary.tokens)
        ids = tf.range(FIRST, FIRST + len(vocabulary.tokens), dtype=tf.int32)
        self.table = tf.lookup.StaticHashTable(
            tf.lookup.KeyValueTensorInitializer(tokens, ids), default_value=UNK
        )
        special = {PAD: "", UNK: UNKNOWN}
        self._tokens = [*(special[i] for i in range(FIRST)), *vocabulary.tokens]

    @classmethod
    def learn(
        cls, sides: Sequence[Sequence[str]], config: SubwordConfig, of: str = "training"
    ) -> tuple["PlainTokenizer", list[tuple[Any, Any]]]:
        """Learns the vocabulary of all sides; `of` names the texts in errors.

        Returns it with what `encode_all` gives for each side, whose texts are cut once.

        Raises:
            DataError: there is nothing to learn from.
        """
        numbered, limit = NumberedTokens(), TextConfig(max_tokens=config.max_tokens)

        def provisional(batch: Any) -> Any:
            return numbered(_cut(fold(batch, config), config.tokens))

        encoded = [encode_all(provisional, texts, limit, f"{of} sentences") for texts in sides]
        counts = dict(numbered.counts())
        if not counts:
            raise DataError(f"the {of} texts are empty: there are no {config.tokens}s to learn")
        if config.copy_numbers:
            counts[PLACEHOLDER] = sys.maxsize  # is known even if no training pair has a number
        found = Vocabulary.from_counts(counts.items(), config.vocabulary_size - len(SPECIAL))
        vocabulary = Vocabulary((*SPECIAL.values(), *found.tokens))
        return cls(config, vocabulary), [numbered.encoded(each, vocabulary) for each in encoded]

    @property
    def vocabulary_size(self) -> int:
        """The number of ids, including the special ones."""
        return len(self.vocabulary)

    def occurrences(self, text: str) -> NDArray[np.int32]:
        """int32[vocabulary]: how often each token contains the text."""
        return np.array([token.count(text) for token in self._tokens], np.int32)

    def save(self, directory: Path) -> None:
        """Writes the vocabulary; the configuration is in the run's config.toml."""
        self.vocabulary.save(directory / FILE)

    @classmethod
    def load(cls, directory: Path, config: SubwordConfig) -> "PlainTokenizer":
        """Reads what `save` wrote.

        Raises:
            RunError: the vocabulary is missing or damaged.
        """
        vocabulary = Vocabulary.load(directory / FILE)
        first = vocabulary.tokens[: len(SPECIAL)]
        if first != tuple(SPECIAL.values()) or len(set(vocabulary.tokens)) < len(vocabulary.tokens):
            raise RunError(
                f"{directory / FILE} has changed since it was written: it does not begin with "
                f"{' and '.join(SPECIAL.values())}, or contains a token twice; train again or "
                "restore it"
            )
        return cls(config, vocabulary)

    def _ids(self, texts: Any) -> Any:
        tokens = _cut(texts, self.config.tokens)
        return tokens.with_flat_values(self.table.lookup(tokens.flat_values))

    def _pieces_of(self, ids: Any) -> Any:
        tokens = tf.gather(tf.constant(self._tokens), ids)
        if self.config.tokens == "char":
            return tokens
        flat = tokens.flat_values
        before = tf.concat([[""], flat[:-1]], axis=0)[: tf.size(flat)]
        apart = ~tf.strings.regex_full_match(flat, f"{_MARK}.*")
        apart &= ~tf.strings.regex_full_match(before, f".*{_MARK}")
        word = tf.strings.regex_replace(flat, _MARK, "")
        return tokens.with_flat_values(tf.where(apart, tf.strings.join([" ", word]), word))

    def _text(self, ids: Any) -> Any:
        tokens = tf.gather(tf.constant(self._tokens), ids)
        if self.config.tokens == "char":
            return tf.strings.reduce_join(tokens, axis=1)
        words = tf.strings.reduce_join(tokens, axis=1, separator=" ")
        return tf.strings.regex_replace(words, f" ?{_MARK} ?", "")


def _cut(texts: Any, kind: str) -> Any:
    """Folded string[batch] → ragged string[batch, (tokens)]."""
    if kind == "char":
        return tf.strings.unicode_split(texts, "UTF-8")
    for pattern, replacement in _WORDS:
        texts = tf.strings.regex_replace(texts, pattern, replacement)
    return tf.strings.split(texts)
