"""Text to character ids and back, in the graph and, for large texts, in NumPy."""

from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from textapps.core.errors import ConfigurationError
from textapps.core.tokens import FIRST, PAD, UNK
from textapps.preprocessing.config import CharacterConfig, UnicodeForm
from textapps.preprocessing.text import in_form, valid
from textapps.preprocessing.vocabulary import Vocabulary

_REPLACEMENT = 0xFFFD


class CharacterPreprocessor(tf.Module):
    """A character is a Unicode code point, case and white space included; ids as in `Vocabulary`.

    It uses stock TensorFlow operations only, so it can be exported into a SavedModel. Bytes that
    are not UTF-8 become U+FFFD; they never raise an error.

    Args:
        form: the Unicode form that texts are read in, as `CharacterConfig.unicode`.

    >>> preprocessor = CharacterPreprocessor(Vocabulary(["b", "a"]))
    >>> preprocessor.encode("abc").tolist()
    [3, 2, 1]
    """

    def __init__(self, vocabulary: Vocabulary, form: UnicodeForm = "nfc") -> None:
        super().__init__()
        self.vocabulary = vocabulary
        self.form = form
        points = np.array([ord(token) for token in vocabulary.tokens], np.int32)
        order = np.argsort(points)
        self._sorted = points[order]
        self._ids = (order + FIRST).astype(np.int32)
        # by id; the entries of PAD and UNK are never looked up
        self._points = np.concatenate([np.full(FIRST, _REPLACEMENT, np.int32), points])

    @classmethod
    def from_text(
        cls, text: str, config: CharacterConfig, known: Vocabulary | None = None
    ) -> "CharacterPreprocessor":
        """Learns the vocabulary from the training text; it begins with the `known` one, if any.

        Raises:
            ConfigurationError: every character is rarer than `min_count`.
        """
        return cls.from_counts(Counter(normal_text(text, config.unicode)), config, known)

    @classmethod
    def from_counts(
        cls, counts: Mapping[str, int], config: CharacterConfig, known: Vocabulary | None = None
    ) -> "CharacterPreprocessor":
        """The same, given how often each character of the training text occurs."""
        vocabulary = Vocabulary.from_counts(
            counts.items(), config.vocabulary_size, config.min_count
        )
        vocabulary = vocabulary if known is None else known.extended(vocabulary)
        if not vocabulary.tokens:
            raise ConfigurationError(
                f"preprocessor.min_count {config.min_count} leaves no character: the most frequent "
                f"one occurs {max(counts.values(), default=0)} times"
            )
        return cls(vocabulary, config.unicode)

    def encode(self, text: str) -> NDArray[np.int32]:
        """int32[characters of `normal_text`]; one that is not in the vocabulary becomes UNK."""
        text = normal_text(text, self.form)
        points = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), np.int32)
        places = np.minimum(np.searchsorted(self._sorted, points), len(self._sorted) - 1)
        known = self._sorted[places] == points
        return np.where(known, self._ids[places], UNK).astype(np.int32)

    def decode(self, ids: NDArray[np.int32]) -> str:
        """The text of int32[characters]; PAD and UNK become U+FFFD."""
        return "".join(map(chr, self._points[ids]))

    def unknown(self, text: Iterable[str]) -> list[str]:
        """The characters that are not in the vocabulary, each once, in order of appearance.

        Args:
            text: a text, or characters in the form in which texts are read.
        """
        if isinstance(text, str):
            text = normal_text(text, self.form)
        known = set(self.vocabulary.tokens)
        return [character for character in dict.fromkeys(text) if character not in known]

    def ids(self, texts: Any) -> tuple[Any, Any]:
        """string[batch] → int32[batch, time], padded with 0 on the right, and int32[batch] lengths.

        `time` is the length of the longest text, 0 if all are empty.
        """
        points = self.points(texts)
        places = tf.searchsorted(self._sorted, points.flat_values)
        places = tf.minimum(places, len(self._sorted) - 1)
        known = tf.gather(self._sorted, places) == points.flat_values
        ids = tf.where(known, tf.gather(self._ids, places), UNK)
        return (
            points.with_flat_values(ids).to_tensor(PAD),
            tf.cast(points.row_lengths(), tf.int32),
        )

    def points(self, texts: Any) -> Any:
        """string[batch] → ragged int32[batch, (characters)]: the code points that are read."""
        return tf.strings.unicode_decode(valid(texts, self.form), "UTF-8")

    def text(self, ids: Any, lengths: Any) -> Any:
        """int32[batch, time] and the valid lengths, int32[batch] → string[batch]."""
        points = tf.gather(tf.constant(self._points), ids)
        return tf.strings.unicode_encode(
            tf.RaggedTensor.from_tensor(points, lengths=lengths), "UTF-8"
        )

    def save(self, directory: Path) -> None:
        """Writes the vocabulary."""
        self.vocabulary.save(directory / "vocabulary.txt")

    @classmethod
    def load(cls, directory: Path, form: UnicodeForm = "nfc") -> "CharacterPreprocessor":
        """Reads what `save` wrote.

        Raises:
            RunError: the vocabulary is missing or damaged.
        """
        return cls(Vocabulary.load(directory / "vocabulary.txt"), form)


def normal_text(text: str, form: UnicodeForm) -> str:
    """A text of any length in the given form; lone surrogates become U+FFFD."""
    if form == "raw" or text.isascii():
        return text
    whole = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return "\n".join(in_form(whole.split("\n"), form))
