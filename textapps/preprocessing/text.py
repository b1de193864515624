"""Text to token ids in the graph: the same operations in training, prediction and serving."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from textapps.core.tokens import FIRST, PAD, UNK
from textapps.preprocessing.config import SubwordConfig, TextConfig, UnicodeForm
from textapps.preprocessing.long_texts import LongTexts
from textapps.preprocessing.unicode_form import normalize
from textapps.preprocessing.vocabulary import Vocabulary

TAG = r"<[^<>]{1,200}>"  # of HTML, such as <br />
BLANK = r"[\p{Z}\p{C}\s]+"  # all white space and control characters, including U+0085 and NUL
# U+02BC is an apostrophe that Unicode counts as a letter, so it does not split a word.
LETTER_APOSTROPHE = "\u02bc"
_STANDARD = (
    (TAG, " "),
    (BLANK, " "),
    ("\u2019", "'"),
)
_WORDS = (
    (r"([\p{L}\p{N}])'([\p{L}\p{N}])", rf"\1{LETTER_APOSTROPHE}\2"),
    (r"[^\p{L}\p{M}\p{N} ]", r" \0 "),  # punctuation and symbols are tokens of their own
)


_COUNTED_AT_ONCE = 1 << 22  # tokens


class TextPreprocessor(tf.Module):
    """Standardises texts, splits them into words or characters and looks up their ids.

    It uses stock TensorFlow operations only, so it can be exported into a SavedModel. Bytes that
    are not UTF-8 become U+FFFD; they never raise an error. Ids are as in `Vocabulary`; a text
    without tokens becomes one PAD.
    """

    def __init__(self, config: TextConfig, vocabulary: Vocabulary) -> None:
        super().__init__()
        self.config = config
        self.vocabulary = vocabulary
        tokens = vocabulary.tokens or ("",)  # a table must not be empty, and no token is ''
        keys = tf.constant(tokens, tf.string)
        ids = tf.range(FIRST, FIRST + len(tokens), dtype=tf.int32)
        self.table = tf.lookup.StaticHashTable(
            tf.lookup.KeyValueTensorInitializer(keys, ids), default_value=UNK
        )
        self._tokens = tf.function(
            lambda texts: tokenize(texts, config),
            input_signature=[tf.TensorSpec([None], tf.string)],
        )
        self._ids = tf.function(
            self._ragged_ids, input_signature=[tf.TensorSpec([None], tf.string)]
        )

    @classmethod
    def learn(
        cls, texts: Iterable[str], config: TextConfig, known: Vocabulary | None = None
    ) -> tuple["TextPreprocessor", tuple[Any, Any]]:
        """Learns the vocabulary from training texts; it begins with the `known` one, if any.

        Returns it with what `encode` gives for these texts, which are cut into tokens once.
        """
        numbered = NumberedTokens()
        batches = cls.numbered(texts, config, numbered)
        values, splits = concatenated(batches)
        preprocessor = cls(config, numbered.vocabulary(config, known))
        return preprocessor, (numbered.ids(preprocessor.vocabulary)[values], splits)

    @classmethod
    def numbered(
        cls, texts: Iterable[str], config: TextConfig, numbers: "NumberedTokens"
    ) -> Iterator[tuple[Any, Any]]:
        """As `encode_batches`, with the numbers of tokens, which are counted."""
        empty = cls(config, Vocabulary([]))
        return encode_batches(
            lambda batch: numbers(empty._tokens(batch)), texts, config, "training texts"
        )

    def __call__(self, texts: Any) -> Any:
        """string[batch] → int32[batch, time], padded with 0 on the right; time is at least 1."""
        ids = truncate(self._ragged_ids(texts), self.config).to_tensor(PAD)
        missing = tf.maximum(1 - tf.shape(ids)[1], 0)
        return tf.pad(ids, [[0, 0], [0, missing]], constant_values=PAD)

    def encode(self, texts: Sequence[str], what: str = "texts") -> tuple[Any, Any]:
        """The ids of many texts, as a flat array; a notice says how many of `what` are cut.

        Returns:
            int32[tokens], the ids of all texts, and int64[texts + 1], the row splits.
        """
        return concatenated(self.encode_batches(texts, what))

    def encode_batches(self, texts: Sequence[str], what: str) -> Iterator[tuple[Any, Any]]:
        """The same batch after batch: int32[tokens], and int64[texts], the lengths."""
        return encode_batches(self._ids, texts, self.config, what)

    def lengths(self, texts: Any) -> Any:
        """string[batch] → int64[batch]: how many tokens they have, before any is left out."""
        return self._tokens(texts).row_lengths()

    def save(self, directory: Path) -> None:
        """Writes the vocabulary; the configuration is in the run's config.toml."""
        self.vocabulary.save(directory / "vocabulary.txt")

    @classmethod
    def load(cls, directory: Path, config: TextConfig) -> "TextPreprocessor":
        """Reads what `save` wrote.

        Raises:
            RunError: the vocabulary is missing or damaged.
        """
        return cls(config, Vocabulary.load(directory / "vocabulary.txt"))

    def _ragged_ids(self, texts: Any) -> Any:
        tokens = tokenize(texts, self.config)
        return tokens.with_flat_values(self.table.lookup(tokens.flat_values))


class NumberedTokens:
    """Tokens numbered as they are met, and counted: ids before there is a vocabulary."""

    def __init__(self) -> None:
        self._numbers: defaultdict[bytes, int] = defaultdict()
        self._numbers.default_factory = self._numbers.__len__
        self._counts = np.zeros(0, np.int64)
        self._met: list[Any] = []  # and not counted yet
        self._waiting = 0

    def __call__(self, tokens: Any) -> Any:
        """Ragged string[batch, (tokens)] → their numbers, ragged int32[batch, (tokens)]."""
        met = tokens.flat_values.numpy().tolist()
        self._met.append(np.fromiter(map(self._numbers.__getitem__, met), np.int32, len(met)))
        self._waiting += len(met)
        found = tokens.with_flat_values(self._met[-1])
        if self._waiting >= _COUNTED_AT_ONCE:
            self._count()
        return found

    def counts(self) -> Iterator[tuple[str, int]]:
        """Each token that was met, and how often."""
        self._count()
        counts = self._counts.tolist()
        return ((token.decode(), counts[number]) for token, number in self._numbers.items())

    def vocabulary(self, config: TextConfig, known: Vocabulary | None = None) -> Vocabulary:
        """The vocabulary of the tokens that were met; it begins with the `known` one, if any."""
        found = Vocabulary.from_counts(self.counts(), config.vocabulary_size, config.min_count)
        return found if known is None else known.extended(found)

    def ids(self, vocabulary: Vocabulary) -> Any:
        """int32[numbers]: the id in a vocabulary of each number."""
        ids = np.full(len(self._numbers), UNK, np.int32)
        for number, token in enumerate(vocabulary.tokens, FIRST):
            if (place := self._numbers.get(token.encode())) is not None:
                ids[place] = number
        return ids

    def encoded(self, ragged: tuple[Any, Any], vocabulary: Vocabulary) -> tuple[Any, Any]:
        """Numbers of many texts, as `encode_all` gives them, to the ids of a vocabulary."""
        values, splits = ragged
        return self.ids(vocabulary)[values], splits

    def _count(self) -> None:
        met = np.concatenate([np.zeros(0, np.int32), *self._met])
        found = np.bincount(met, minlength=len(self._numbers))
        found[: len(self._counts)] += self._counts
        self._counts = found
        self._met.clear()
        self._waiting = 0


def tokenize(texts: Any, config: TextConfig) -> Any:
    """string[batch] → ragged string[batch, (tokens)], not truncated."""
    return cut(clean(texts, config), config)


def cut(texts: Any, config: TextConfig) -> Any:
    """What `clean` gives, string[batch] → ragged string[batch, (tokens)], not truncated."""
    if config.standardize:
        for pattern, replacement in _STANDARD:
            texts = tf.strings.regex_replace(texts, pattern, replacement)
        texts = tf.strings.strip(texts)
    if config.tokens == "char":
        return tf.strings.unicode_split(texts, "UTF-8")
    for pattern, replacement in _WORDS:
        texts = tf.strings.regex_replace(texts, pattern, replacement)
    return tf.strings.split(texts)


def clean(texts: Any, config: TextConfig | SubwordConfig) -> Any:
    """string[batch] → the same as valid UTF-8, in the form and the case of the configuration."""
    texts = valid(texts, config.unicode)
    return lower(texts) if config.lowercase else texts


def lower(texts: Any) -> Any:
    """Valid UTF-8, string[batch] → string[batch] in lower case."""
    # tf.strings.lower would end a text at its first NUL
    texts = tf.strings.regex_replace(texts, r"\x00", " ")
    return tf.strings.lower(texts, encoding="utf-8")


def valid(texts: Any, form: UnicodeForm) -> Any:
    """string[batch] → the same as valid UTF-8 in the given Unicode form."""
    texts = tf.strings.unicode_transcode(texts, "UTF-8", "UTF-8", errors="replace")
    return normalize(texts) if form == "nfc" else texts


def in_form(texts: Iterable[str], form: UnicodeForm) -> list[str]:
    """Many texts in the Unicode form of a configuration."""
    if form == "raw":
        return list(texts)
    found = (normalize(batch).numpy() for batch in batches(texts, 4_096))
    return [text.decode() for batch in found for text in batch]


def truncate(tokens: Any, config: TextConfig) -> Any:
    """Keeps `max_tokens` of each row: its head, its tail or both, as `config.truncate` says."""
    limit = config.max_tokens
    tail = {"head": 0, "tail": limit, "both": limit // 2}[config.truncate]
    lengths = tokens.row_lengths()
    # This works on flat values: arithmetic between ragged and dense tensors takes 700 more
    # operations, which are half of the time to trace a model.
    positions = tf.ragged.range(lengths).flat_values
    from_end = tf.repeat(lengths, lengths) - positions
    kept = tf.boolean_mask(tokens.flat_values, (positions < limit - tail) | (from_end <= tail))
    return tf.RaggedTensor.from_row_lengths(kept, tf.minimum(lengths, limit), validate=False)


def encode_all(
    encode: Callable[[Any], Any], texts: Iterable[str], limit: TextConfig, what: str
) -> tuple[Any, Any]:
    """Applies `encode`, string[batch] → ragged int32[batch, (tokens)], to many texts.

    Args:
        limit: what is kept of them. A notice says how many of `what` are cut.

    Returns:
        int32[tokens], the ids of all texts, and int64[texts + 1], the row splits.
    """
    return concatenated(encode_batches(encode, texts, limit, what))


def encode_batches(
    encode: Callable[[Any], Any], texts: Iterable[str], limit: TextConfig, what: str
) -> Iterator[tuple[Any, Any]]:
    """The same batch after batch: int32[tokens], and int64[texts], the lengths."""
    long = LongTexts(limit)
    with long.said(what):
        for batch in batches(texts):
            ragged = encode(batch)
            long.add(ragged.row_lengths().numpy())
            ragged = truncate(ragged, limit)
            yield ragged.flat_values.numpy(), ragged.row_lengths().numpy()


def concatenated(batches: Iterable[tuple[Any, Any]]) -> tuple[Any, Any]:
    """Batches of (values, lengths) → int32[all values], and int64[rows + 1], the row splits."""
    values, lengths = [np.zeros(0, "int32")], [np.zeros(1, "int64")]
    for more, own in batches:
        values.append(more)
        lengths.append(own)
    return np.concatenate(values), np.cumsum(np.concatenate(lengths))


def batches(texts: Iterable[str], size: int = 256) -> Iterator[Any]:
    """The texts in batches, string[<= size], in their order."""
    iterator = iter(texts)
    while batch := list(islice(iterator, size)):
        yield tf.constant(batch, tf.string)
