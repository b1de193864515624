"""Looks up the n-grams of a text, in the graph."""

import io
import zlib
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
import tensorflow as tf

from textapps.core.errors import ConfigurationError, RunError
from textapps.core.records import RecordError, read_described, write_described
from textapps.preprocessing.text import concatenated

FILE = "ngrams.npz"
FORMAT = 2  # format 1 held the keys themselves
TEXTS_AT_ONCE = 64


class NgramIndex(tf.Module):
    """Numbers the n-grams of token ids that were frequent enough in training.

    An n-gram is encoded as the number whose digits in base `vocabulary_size` are its token ids.
    `keys` holds the known ones, sorted; the feature of an n-gram is its position there, from 1.

    Args:
        orders: length of the longest n-gram, in tokens.
        vocabulary_size: one more than the largest id.
        keys: int64[features], sorted.

    Raises:
        ConfigurationError: the numbers of the n-grams do not fit into 63 bits.
    """

    def __init__(self, orders: int, vocabulary_size: int, keys: Any) -> None:
        super().__init__()
        if vocabulary_size**orders >= 2**63:
            raise ConfigurationError(
                f"n-grams of {orders} tokens with a vocabulary of {vocabulary_size} cannot be "
                "numbered: choose a smaller model.ngrams or preprocessor.vocabulary_size"
            )
        self.orders = orders
        self.vocabulary_size = vocabulary_size
        self.keys = tf.Variable(keys, dtype=tf.int64, trainable=False, name="keys")
        spec = [tf.TensorSpec([None, None], tf.int32)]
        self._keys = tf.function(self._keys_of, input_signature=spec)
        self._features = tf.function(self.__call__, input_signature=spec)

    @classmethod
    def learn(
        cls,
        ids: Any,
        row_splits: Any,
        *,
        orders: int,
        vocabulary_size: int,
        min_texts: int,
        most: int | None = None,
        count: Callable[[Iterable[Any]], tuple[Any, Any]] | None = None,
    ) -> "NgramIndex":
        """Learns the n-grams that occur in at least `min_texts` of the texts.

        Args:
            ids, row_splits: as `TextPreprocessor.encode` gives them.
            most: if there are more n-grams, `min_texts` is raised until there are not.
            count: counts equal numbers among arrays of int64: → int64[different numbers], sorted,
                and how often each occurs. It may leave out what is not kept. By default in memory.
        """
        nothing = cls(orders, vocabulary_size, np.zeros(1, np.int64))
        found = (nothing._keys(batch).numpy() for batch in _batches(ids, row_splits))
        keys, counts = (count or _counted)(batch[batch > 0] for batch in found)
        if most is not None and np.count_nonzero(counts >= min_texts) > most:
            min_texts = 1 + int(np.partition(counts, -most - 1)[-most - 1])
        kept = keys[counts >= min_texts]
        return cls(orders, vocabulary_size, kept if len(kept) else np.zeros(1, np.int64))

    def __len__(self) -> int:
        """The number of features; they are numbered from 1."""
        return int(self.keys.shape[0])

    def __call__(self, ids: Any) -> Any:
        """int32[batch, time], 0 for padding → int32[batch, orders · time].

        Each known n-gram of a text once, in no particular order; 0 at the other positions.
        """
        keys = self._keys_of(ids)
        flat = tf.reshape(keys, [-1])
        places = tf.minimum(tf.searchsorted(self.keys, flat), len(self) - 1)
        known = tf.logical_and(tf.equal(tf.gather(self.keys, places), flat), flat > 0)
        return tf.reshape(tf.where(known, places + 1, 0), tf.shape(keys))

    def occurrences(self, ids: Any) -> Any:
        """int32[batch, time] → int32[batch, orders, time]: the n-grams that end at each token.

        Entry [:, n - 1, t] is the n-gram of tokens t - n + 1 to t; 0 where it is not known.
        """
        place = tf.range(tf.shape(ids)[1])
        keys = tf.stack([tf.where(place >= n, k, 0) for n, k in self._by_order(ids)], axis=1)
        places = tf.minimum(tf.searchsorted(self.keys, tf.reshape(keys, [-1])), len(self) - 1)
        places = tf.reshape(places, tf.shape(keys))
        return tf.where((tf.gather(self.keys, places) == keys) & (keys > 0), places + 1, 0)

    def encode(self, ids: Any, row_splits: Any) -> tuple[Any, Any]:
        """The features of many texts, as a flat array.

        Returns:
            int32[features of all texts], and int64[texts + 1], the row splits.
        """
        return concatenated(self.encode_batches(ids, row_splits))

    def encode_batches(self, ids: Any, row_splits: Any) -> Iterator[tuple[Any, Any]]:
        """The same batch after batch: int32[features], and int64[texts], the lengths."""
        for batch in _batches(ids, row_splits):
            features = self._features(batch).numpy()
            yield features[features > 0], np.count_nonzero(features, axis=1)

    def save(self, directory: Path) -> None:
        """Writes the keys and their sha256; the configuration has orders and vocabulary size."""
        packed = io.BytesIO()
        np.savez_compressed(packed, format=FORMAT, planes=_planes(self.keys.numpy()))
        write_described(directory / FILE, packed.getvalue())

    @classmethod
    def load(cls, directory: Path, *, orders: int, vocabulary_size: int) -> "NgramIndex":
        """Reads what `save` wrote.

        Raises:
            RunError: the file is missing, damaged or of another format.
        """
        path = directory / FILE
        try:
            with np.load(io.BytesIO(read_described(path))) as arrays:
                found = int(arrays["format"])
                if found > FORMAT:
                    raise RunError(
                        f"{path} has format {found}, not {FORMAT}; install a newer textapps"
                    )
                keys = arrays["keys"] if found == 1 else _keys_of_planes(arrays["planes"])
        except RecordError as error:
            raise RunError(f"{error}; train again or restore it") from None
        except (OSError, EOFError, ValueError, KeyError, BadZipFile, zlib.error) as error:
            raise RunError(f"{path} cannot be read ({error}); train again") from None
        return cls(orders, vocabulary_size, keys)

    def _keys_of(self, ids: Any) -> Any:
        """int32[batch, time] → int64[batch, orders · time]: each n-gram of a row once, else 0."""
        ordered = tf.sort(tf.concat([key for _, key in self._by_order(ids)], axis=1), axis=1)
        repeated = tf.equal(ordered[:, 1:], ordered[:, :-1])
        return tf.where(tf.pad(repeated, [[0, 0], [1, 0]]), tf.zeros_like(ordered), ordered)

    def _by_order(self, ids: Any) -> list[tuple[int, Any]]:
        """Tokens before the last one, and int64[batch, time]: the n-gram that ends at each token.

        An n-gram that would start before the text stays the shorter n-gram.
        """
        key = ids = tf.cast(ids, tf.int64)
        found = [(0, ids)]
        for order in range(1, self.orders):
            before = tf.pad(ids, [[0, 0], [order, 0]])[:, : tf.shape(ids)[1]]
            key = key + before * self.vocabulary_size**order
            found.append((order, tf.where(ids > 0, key, 0)))
        return found


def _counted(keys: Iterable[Any]) -> tuple[Any, Any]:
    return np.unique(np.concatenate([np.zeros(0, np.int64), *keys]), return_counts=True)


def _planes(keys: Any) -> Any:
    """int64[features], sorted → uint8[8, features]: the bytes of their differences, place by place.

    The upper bytes are nearly all zero, so that they take little space when they are compressed.

    >>> _keys_of_planes(_planes(np.array([3, 3, 300, 70_000_000_000]))).tolist()
    [3, 3, 300, 70000000000]
    """
    steps = np.diff(keys, prepend=0).astype("<i8")
    return np.ascontiguousarray(steps.view(np.uint8).reshape(-1, 8).T)


def _keys_of_planes(planes: Any) -> Any:
    return np.cumsum(np.ascontiguousarray(planes.T).view("<i8").ravel())


def _batches(ids: Any, row_splits: Any) -> Any:
    for start in range(0, len(row_splits) - 1, TEXTS_AT_ONCE):
        splits = row_splits[start : start + TEXTS_AT_ONCE + 1]
        ragged = tf.RaggedTensor.from_row_splits(
            ids[splits[0] : splits[-1]].astype(np.int32), splits - splits[0], validate=False
        )
        yield ragged.to_tensor()
