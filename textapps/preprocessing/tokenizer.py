"""What subwords, words and characters have in common: sentences to ids and back, in the graph."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from textapps.core.tokens import BOS, EOS, PAD
from textapps.preprocessing.config import SubwordConfig, TextConfig
from textapps.preprocessing.text import batches, clean, encode_all, truncate

# White space of every kind, control characters, and the two characters that tokens use as marks.
_SPACE = r"[\p{Z}\p{Cc}\s\x{2581}\x{FFED}]+"

Sampler = Callable[[NDArray[np.int64], int], list[NDArray[np.int32]]]


class Tokenizer(tf.Module):
    """Sentences to token ids and back: the interface of all kinds of tokens.

    Made by `TokenizerPair`. Ids are 0 for padding, 1 for unknown tokens, 2 and 3 for BOS and
    EOS, which `encode` does not add. A text without a token is an empty row. Neither bytes that
    are not UTF-8 nor unknown characters are errors: the latter come back as U+FFFD.

    The law: where every character (or word) is known and the text not too long,
    `decode(encode(text))` is `fold(text)`, in every writing; apart from white space nothing is
    normalised.
    """

    def __init__(self, config: SubwordConfig) -> None:
        super().__init__()
        self.config = config
        self._limit = TextConfig(max_tokens=config.max_tokens)
        self._encode = tf.function(
            self.encode, input_signature=[tf.TensorSpec([None], tf.string)], autograph=False
        )

    @property
    def vocabulary_size(self) -> int:
        """How many ids there are, the special ones included."""
        raise NotImplementedError

    @property
    def resources(self) -> list[Any]:
        """What an export must keep track of."""
        return [self]

    def encode(self, texts: Any) -> Any:
        """string[batch] → ragged int32[batch, (tokens)], at most `max_tokens` a row."""
        return truncate(self._ids(fold(texts, self.config.lowercase)), self._limit)

    def decode(self, ids: Any) -> Any:
        """int32[batch, time] → string[batch]: the tokens before the first EOS or PAD."""
        ended = tf.cumsum(tf.cast((ids == EOS) | (ids == PAD), tf.int32), axis=1) > 0
        texts = self._text(tf.ragged.boolean_mask(ids, ~ended & (ids != BOS)))
        return tf.strings.strip(texts)  # a model may begin or end with the token of a space

    def encode_all(self, texts: Sequence[str]) -> tuple[Any, Any]:
        """The ids of many texts: int32[tokens] in a row, and int64[texts + 1] row splits."""
        return encode_all(self._encode, texts)

    def sampler(self, texts: Sequence[str]) -> Sampler | None:
        """Another cut of these texts for every seed, None if the configuration asks for none.

        The sampler takes int64[rows], places in `texts`, and a seed, and gives their ids.
        """
        return None

    def save(self, directory: Path) -> None:
        """Writes the vocabulary; the configuration stands in the run's config.toml."""
        raise NotImplementedError

    def _ids(self, texts: Any) -> Any:
        """Folded string[batch] → ragged int32[batch, (tokens)]."""
        raise NotImplementedError

    def _text(self, ids: Any) -> Any:
        """Ragged int32[batch, (tokens)] → string[batch]."""
        raise NotImplementedError


def fold(texts: Any, lowercase: bool = False) -> Any:
    """string[batch] → string[batch]: one space for white space of any kind, none at the ends.

    So are control characters, U+2581 and U+FFED, which tokens use as marks.
    """
    texts = tf.strings.regex_replace(clean(texts, lowercase), _SPACE, " ")
    return tf.strings.strip(texts)


def fold_all(texts: Sequence[str], lowercase: bool) -> list[str]:
    """The same of many texts."""
    folded = (fold(batch, lowercase).numpy() for batch in batches(texts))
    return [text.decode() for batch in folded for text in batch]
