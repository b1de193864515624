"""Texts prepared by TensorFlow Datasets."""

from collections.abc import Iterator, Sequence
from functools import cached_property
from itertools import count
from pathlib import Path
from typing import Any

from textapps.core.errors import DataError
from textapps.datasets.columns import Columns, find_columns, find_pair_columns, find_text_column
from textapps.datasets.source import Report, Row, plain_name, split_named, stop

_BATCH = 1000


class TfdsSource:
    """A prepared directory, such as `<data_dir>/imdb_reviews/plain_text/1.0.0`.

    Its description is read by TensorFlow Datasets, its records by TensorFlow in batches: the 25,000
    examples of IMDB take 0.5 s that way, and 3 to 9 s through the set's own pipeline. DataError
    where the directory cannot be read or has no text and class.
    """

    def __init__(
        self,
        directory: Path,
        name: str,
        text_column: str | None = None,
        label_column: str | None = None,
        report: Report = stop,
    ):
        self.directory = directory
        self.name = plain_name(name)
        self._text_column = text_column
        self._label_column = label_column
        self._report = report

    @property
    def own_splits(self) -> frozenset[str]:
        """The set's splits that are named like ours."""
        return frozenset(self.splits)

    @property
    def label_names(self) -> tuple[str, ...] | None:
        """The names of a ClassLabel, in the order of its numbers."""
        feature = self.info.features[self._columns.label]
        return tuple(feature.names) if hasattr(feature, "names") else None

    def rows(self, split: str | None) -> list[Row]:
        """The records in the order of the files; the place is the number of the record."""
        names, columns = self.label_names, self._columns
        texts, labels = self.records(split, (columns.text, columns.label))
        return [
            Row(text.decode(errors="replace"), _label(label, names), "", place)
            for text, label, place in zip(texts, labels, self._places(split), strict=False)
        ]

    def texts(self, split: str | None) -> list[str]:
        """The texts alone, for which the set needs no classes; CRLF becomes LF."""
        keys = self.info.supervised_keys
        given = self._text_column or (keys[0] if keys and isinstance(keys[0], str) else None)
        column = find_text_column(str(self.directory), sorted(self.info.features), given)
        self._refuse_other_than_text(column)
        (texts,) = self.records(split, (column,))
        return [text.decode("utf-8-sig", errors="replace").replace("\r\n", "\n") for text in texts]

    def pairs(self, split: str | None, source: str | None, target: str | None) -> list[list[str]]:
        """The texts of two columns, by default those of a translation in its own direction."""
        keys = self.info.supervised_keys
        if source is None and target is None and keys and all(isinstance(key, str) for key in keys):
            source, target = keys[:2]
        names = sorted(self.info.features)
        columns = find_pair_columns(str(self.directory), names, source, target)
        for column in columns:
            self._refuse_other_than_text(column)
        records = self.records(split, columns)
        return [[text.decode(errors="replace") for text in column] for column in records]

    def _places(self, split: str | None) -> Iterator[str]:
        return (f"{self.name}/{split}:{number}" for number in count(1))

    def records(self, split: str | None, columns: Sequence[str]) -> list[list[Any]]:
        """All values of each column; DataError where some are missing or damaged."""
        import tensorflow as tf

        if split is None:
            raise DataError(f"{self.directory}: no split train, validation or test")
        values: list[list[Any]] = [[] for _ in columns]
        try:
            for batch in self._batches(self.splits[split], columns):
                for column, found in zip(columns, values, strict=True):
                    found += batch[column].tolist()
        except (tf.errors.OpError, OSError) as error:
            cause = str(error).splitlines()[0]
            raise DataError(f"{self.directory}: damaged ({cause}); prepare it again") from None
        read, expected = len(values[0]), self.splits[split].num_examples
        if read != expected:
            raise DataError(
                f"{self.directory}: {read} of {expected} records of {split}; prepare it again"
            )
        return values

    @cached_property
    def info(self) -> Any:
        """The set's description, a `tfds.core.DatasetInfo`."""
        import tensorflow_datasets as tfds

        try:
            info = tfds.builder_from_directory(self.directory).info
        except Exception as error:  # whatever a half-copied description makes TFDS raise
            cause = str(error).splitlines()[0] if str(error) else type(error).__name__
            raise DataError(f"{self.directory}: not a prepared set ({cause})") from error
        if info.file_format is not tfds.core.FileFormat.TFRECORD:
            form = info.file_format.value
            raise DataError(f"{self.directory}: prepared as {form}; prepare it as tfrecord")
        return info

    @cached_property
    def splits(self) -> dict[str, Any]:
        """The set's splits by our names for them."""
        named = {split_named(name): split for name, split in self.info.splits.items()}
        return {name: split for name, split in named.items() if name is not None}

    @cached_property
    def _columns(self) -> Columns:
        features = self.info.features
        text, label = self._text_column, self._label_column
        keys = self.info.supervised_keys
        if keys and all(isinstance(key, str) for key in keys):
            text, label = text or keys[0], label or keys[1]
        columns = find_columns(str(self.directory), sorted(features), text, label)
        self._refuse_other_than_text(columns.text)
        return columns

    def _refuse_other_than_text(self, column: str) -> None:
        if self.info.features[column].np_dtype not in (object, str):
            raise DataError(f"{self.directory}: column '{column}' holds no texts")

    def _batches(self, split: Any, columns: Sequence[str]) -> Any:
        """Dictionaries of arrays [batch]."""
        import tensorflow as tf

        spec = {column: tf.io.FixedLenFeature([], self._stored_type(column)) for column in columns}
        files = tf.data.TFRecordDataset([str(path) for path in split.filepaths])
        examples = files.batch(_BATCH).map(lambda raw: tf.io.parse_example(raw, spec))
        return examples.as_numpy_iterator()

    def _stored_type(self, column: str) -> Any:
        """The type in a tf.train.Example, which knows int64, float and bytes only."""
        import numpy as np
        import tensorflow as tf

        feature = self.info.features[column]
        if feature.shape == () and feature.np_dtype in (object, str):
            return tf.string
        if feature.shape == () and np.dtype(feature.np_dtype).kind in "iub":
            return tf.int64
        raise DataError(f"{self.directory}: column '{column}' holds neither texts nor classes")


def _label(value: int | bytes, names: tuple[str, ...] | None) -> str:
    """The name of a class; "" for -1, with which TFDS marks what has no label."""
    if isinstance(value, bytes):
        return value.decode(errors="replace")
    if names is None:
        return str(value)
    return names[value] if value >= 0 else ""
