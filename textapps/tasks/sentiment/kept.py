"""Token ids and n-grams of texts that are on disk: kept there too, and made once."""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from textapps.cache.entry import Entry
from textapps.cache.mapped import MappedArray
from textapps.cache.store import Cache
from textapps.cache.writing import EntryWriter
from textapps.datasets.texts.examples import LabelledTexts
from textapps.preprocessing.key_counts import KeyCounts
from textapps.preprocessing.ngrams import NgramIndex
from textapps.preprocessing.text import NumberedTokens, TextPreprocessor
from textapps.preprocessing.vocabulary import Vocabulary
from textapps.tasks.sentiment.config import SentimentConfig
from textapps.tasks.sentiment.featurizer import TextFeaturizer
from textapps.tasks.sentiment.ngram_path import class_counts

_NUMBERS_AT_ONCE = 1 << 20
_SMALL_IDS = 1 << 16  # with so many ids or fewer, each takes two bytes instead of four


class KeptSequences(NamedTuple):
    """The inputs of the model for all texts of a split.

    sequences: by name, (values, in a file or in memory; int64[texts + 1], the row splits).
    counts: float64[features + 1, classes], as `class_counts`; None if they are not known.
    """

    sequences: dict[str, tuple[Any, NDArray[np.int64]]]
    counts: NDArray[np.float64] | None

    @classmethod
    def of(cls, entry: Entry, classes: int) -> "KeptSequences":
        """Those of an entry."""
        names = [name for name in ("ids", "ngrams") if name in entry.arrays]
        sequences = {name: (entry.arrays[name], entry.values(f"{name}_splits")) for name in names}
        counts = entry.values("counts").reshape(-1, classes) if "ngrams" in names else None
        return cls(sequences, counts)


def learn_kept(
    config: SentimentConfig, train: LabelledTexts, known: TextFeaturizer | None
) -> tuple[TextFeaturizer, KeptSequences] | None:
    """`TextFeaturizer.learn` of texts on disk, with little in memory; None if it cannot be kept.

    The featurizer is the same as when all is in memory.
    """
    cache, of = Cache(), _named(train, "training texts")
    key = {
        "texts": train.fingerprint,
        "preprocessor": config.preprocessor.model_dump(mode="json"),
        "ngrams": [
            config.model.ngrams,
            config.model.ngram_min_texts,
            config.model.ngram_most,
        ],
        "known": known and known.digest,
        "extended": config.start.extend_vocabulary,
    }

    entry = cache.kept("learned", key, lambda into: _learn(config, train, known, into), of)
    if entry is None:
        return None
    featurizer = _featurizer(config, entry, known)
    cache.write_note(_encoded_key(featurizer, train), entry.directory.name)
    return featurizer, KeptSequences.of(entry, len(train.label_names))


def encode_kept(
    featurizer: TextFeaturizer, split: LabelledTexts, what: str
) -> KeptSequences | None:
    """`TextFeaturizer.encode` of texts on disk; None if it cannot be kept.

    Args:
        what: the texts, such as "training texts".
    """
    cache, of = Cache(), _named(split, what)
    key = _encoded_key(featurizer, split)
    learned = cache.note(key)
    entry = (cache.found(learned, of) if learned else None) or cache.kept(
        "encoded", key, lambda into: _encode(featurizer, split, what, into), of
    )
    return None if entry is None else KeptSequences.of(entry, len(split.label_names))


def _encoded_key(featurizer: TextFeaturizer, split: LabelledTexts) -> dict[str, object]:
    return {"texts": split.fingerprint, "featurizer": featurizer.digest}


def _named(split: LabelledTexts, what: str) -> str:
    return f"{split.name}: {len(split):,} {what} as tokens"


def _featurizer(
    config: SentimentConfig, entry: Entry, known: TextFeaturizer | None
) -> TextFeaturizer:
    """What `_learn` has learned."""
    vocabulary, ngrams = Vocabulary(entry.fields["tokens"]), None
    if "keys" in entry.arrays:
        ngrams = NgramIndex(config.model.ngrams, len(vocabulary), entry.values("keys"))
        if entry.fields["kept_ngrams"] and known is not None:
            ngrams = known.ngrams  # the very same tell that their weights can be kept too
    return TextFeaturizer(TextPreprocessor(config.preprocessor, vocabulary), ngrams)


def _learn(
    config: SentimentConfig,
    train: LabelledTexts,
    known: TextFeaturizer | None,
    into: EntryWriter,
) -> None:
    if known is None or config.start.extend_vocabulary:
        tokenizer = _learn_tokens(config, train, known, into)
    else:
        tokenizer = TextPreprocessor(config.preprocessor, known.tokenizer.vocabulary)
        _encode_tokens(tokenizer, train, "training texts", into)
    count = KeyCounts(into.directory, config.model.ngram_min_texts, config.model.ngram_most)
    ids = into.so_far("ids"), into.so_far("ids_splits")[:]
    ngrams = TextFeaturizer.learned_ngrams(config, tokenizer, known, ids, count)
    into.fields["tokens"] = tokenizer.vocabulary.tokens
    if ngrams is not None:
        into.fields["kept_ngrams"] = known is not None and ngrams is known.ngrams
        into.write(keys=ngrams.keys.numpy())
    _encode_ngrams(ngrams, train, into)


def _encode(featurizer: TextFeaturizer, split: LabelledTexts, what: str, into: EntryWriter) -> None:
    _encode_tokens(featurizer.tokenizer, split, what, into)
    _encode_ngrams(featurizer.ngrams, split, into)


def _learn_tokens(
    config: SentimentConfig,
    train: LabelledTexts,
    known: TextFeaturizer | None,
    into: EntryWriter,
) -> TextPreprocessor:
    """Writes the ids of all texts; returns what has learned them."""
    numbered = NumberedTokens()
    path = into.directory / "numbers"
    lengths = []
    with path.open("wb") as file:
        for values, own in TextPreprocessor.numbered(train.texts, config.preprocessor, numbered):
            file.write(values.tobytes())
            lengths.append(own)
    old = None if known is None else known.tokenizer.vocabulary
    vocabulary = numbered.vocabulary(config.preprocessor, old)
    ids = numbered.ids(vocabulary)
    into.create({"ids": _dtype(len(vocabulary))})
    for numbers in MappedArray(path, "<i4").blocks(_NUMBERS_AT_ONCE):
        into.append(ids=ids[numbers])
    path.unlink()
    into.write(ids_splits=_splits(lengths))
    return TextPreprocessor(config.preprocessor, vocabulary)


def _encode_tokens(
    tokenizer: TextPreprocessor, split: LabelledTexts, what: str, into: EntryWriter
) -> None:
    into.create({"ids": _dtype(len(tokenizer.vocabulary))})
    lengths = []
    for values, own in tokenizer.encode_batches(split.texts, what):
        into.append(ids=values)
        lengths.append(own)
    into.write(ids_splits=_splits(lengths))


def _encode_ngrams(ngrams: NgramIndex | None, split: LabelledTexts, into: EntryWriter) -> None:
    if ngrams is None:
        return
    into.create({"ngrams": "<i4"})
    lengths = []
    for values, own in ngrams.encode_batches(into.so_far("ids"), into.so_far("ids_splits")[:]):
        into.append(ngrams=values)
        lengths.append(own)
    splits = _splits(lengths)
    into.write(ngrams_splits=splits)
    shape = len(ngrams) + 1, len(split.label_names)
    counts = class_counts(into.so_far("ngrams"), splits, split.labels, *shape)
    into.write(counts=counts.ravel())


def _dtype(ids: int) -> str:
    return "<u2" if ids <= _SMALL_IDS else "<i4"


def _splits(lengths: list[Any]) -> NDArray[np.int64]:
    return np.cumsum(np.concatenate([np.zeros(1, np.int64), *lengths]))
