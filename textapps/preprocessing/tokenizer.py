"""The interface of subword, word and character tokenizers: sentences to ids and back."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from textapps.core.tokens import BOS, EOS, PAD, UNK
from textapps.preprocessing.config import SubwordConfig, TextConfig
from textapps.preprocessing.text import batches, clean, encode_all, truncate, valid

# All white space, control characters, and the two characters that tokens use as marks.
_SPACE = r"[\p{Z}\p{Cc}\s\x{2581}\x{FFED}]+"

END = "</s>"  # the piece of EOS
UNKNOWN = "\ufffd"

Sampler = Callable[[NDArray[np.int64], int], list[NDArray[np.int32]]]


class Tokenizer(tf.Module):
    """Sentences to token ids and back, in the graph.

    `TokenizerPair` creates tokenizers. Ids are 0 for PAD, 1 for UNK, 2 for BOS and 3 for EOS;
    `encode` adds neither BOS nor EOS. A text without tokens is an empty row. Bytes that are not
    UTF-8 and unknown characters do not raise errors; the latter are decoded as U+FFFD.

    The law: if every character (or word) is known and the text is not too long,
    `decode(encode(text))` is `fold(text)`, in every script.
    """

    def __init__(self, config: SubwordConfig) -> None:
        super().__init__()
        self.config = config
        self.limit = TextConfig(max_tokens=config.max_tokens)
        self._whole = tf.function(
            self._encode_whole, input_signature=[tf.TensorSpec([None], tf.string)], autograph=False
        )

    @property
    def vocabulary_size(self) -> int:
        """The number of ids, including the special ones."""
        raise NotImplementedError

    @property
    def resources(self) -> list[Any]:
        """The resources that an export must track."""
        return [self]

    def encode(self, texts: Any) -> Any:
        """string[batch] → ragged int32[batch, (tokens)], at most `max_tokens` a row."""
        return truncate(self._encode_whole(texts), self.limit)

    def lengths(self, texts: Any) -> Any:
        """string[batch] → int64[batch]: how many tokens they have, before any is left out."""
        return self._encode_whole(texts).row_lengths()

    def valid(self, texts: Any) -> Any:
        """string[batch] → the same as valid UTF-8 in the Unicode form of the configuration."""
        return valid(texts, self.config.unicode)

    def decode(self, ids: Any) -> Any:
        """int32[batch, time] → string[batch]: the tokens before the first EOS or PAD."""
        ended = tf.cumsum(tf.cast((ids == EOS) | (ids == PAD), tf.int32), axis=1) > 0
        texts = self._text(tf.ragged.boolean_mask(ids, ~ended & (ids != BOS)))
        return tf.strings.strip(texts)  # a model may begin or end with a token for a space

    def pieces(self, ids: Any) -> Any:
        """Ragged int32[batch, (tokens)] → ragged string[batch, (tokens)]: the text of each token.

        Joined, they are the text of the tokens with a space in front of it, or without one. The end
        of a sentence is `END`, an unknown token U+FFFD.
        """
        flat, pieces = ids.flat_values, self._pieces_of(ids).flat_values
        known = tf.where(flat == UNK, UNKNOWN, pieces)
        return ids.with_flat_values(tf.where(flat == EOS, END, known))

    def encode_all(self, texts: Sequence[str], what: str = "sentences") -> tuple[Any, Any]:
        """The ids of many texts: int32[tokens], and int64[texts + 1], the row splits.

        A notice says how many of `what` are cut.
        """
        return encode_all(self._whole, texts, self.limit, what)

    def sampler(self, texts: Sequence[str]) -> Sampler | None:
        """Draws other segmentations of these texts; None if the configuration has no sampling.

        The sampler takes int64[rows], indices into `texts`, and a seed, and gives their ids.
        """
        return None

    def occurrences(self, text: str) -> NDArray[np.int32]:
        """int32[vocabulary]: how often each token contains the text."""
        raise NotImplementedError

    def save(self, directory: Path) -> None:
        """Writes the vocabulary; the configuration is in the run's config.toml."""
        raise NotImplementedError

    def _encode_whole(self, texts: Any) -> Any:
        return self._ids(fold(texts, self.config))

    def _ids(self, texts: Any) -> Any:
        """Folded string[batch] → ragged int32[batch, (tokens)]."""
        raise NotImplementedError

    def _pieces_of(self, ids: Any) -> Any:
        """As `pieces`, but for special tokens."""
        raise NotImplementedError

    def _text(self, ids: Any) -> Any:
        """Ragged int32[batch, (tokens)] → string[batch]."""
        raise NotImplementedError


def fold(texts: Any, config: SubwordConfig) -> Any:
    """string[batch] → string[batch]: `clean`, with one space for white space, none at the ends.

    Control characters, U+2581 and U+FFED, which tokens use as marks, count as white space.
    """
    texts = tf.strings.regex_replace(clean(texts, config), _SPACE, " ")
    return tf.strings.strip(texts)


def fold_all(texts: Sequence[str], config: SubwordConfig) -> list[str]:
    """`fold` for many texts."""
    folded = (fold(batch, config).numpy() for batch in batches(texts))
    return [text.decode() for batch in folded for text in batch]
