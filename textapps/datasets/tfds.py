"""The only module that uses the library TensorFlow Datasets.

Some of what it uses is undocumented; tests/datasets/test_tfds.py names all of it.
"""

import difflib
import http.client
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from textapps.core.errors import DataError
from textapps.datasets.records import Record, damaged, locate
from textapps.datasets.source import plain_name, split_named

PROBE_SECONDS = 5.0
"""How long to wait for an answer before a download; TFDS itself retries for minutes."""

_BATCH = 500  # records in memory at a time


class PreparedSet:
    """A prepared directory, such as `<data_dir>/imdb_reviews/plain_text/1.0.0`.

    TensorFlow Datasets reads the description, TensorFlow the records: the 25,000 examples of IMDB
    take 1 s this way, and 3 to 9 s with the pipeline of TensorFlow Datasets. DataError if the
    directory cannot be used.
    """

    def __init__(self, directory: Path, name: str) -> None:
        self.directory = directory
        self.name = plain_name(name)

    @cached_property
    def info(self) -> Any:
        """The description, a `tfds.core.DatasetInfo`."""
        import tensorflow_datasets as tfds

        try:
            info = tfds.builder_from_directory(self.directory).info
        except Exception as error:  # TFDS raises any type for an incomplete description
            cause = str(error).splitlines()[0] if str(error) else type(error).__name__
            raise DataError(f"{self.directory}: not a prepared set ({cause})") from error
        if info.file_format is not tfds.core.FileFormat.TFRECORD:
            form = info.file_format.value
            raise DataError(f"{self.directory}: prepared as {form}; prepare it as tfrecord")
        return info

    @property
    def keys(self) -> tuple[str | None, str | None]:
        """The supervised keys: the columns of the input and of the label, None if not given."""
        keys = self.info.supervised_keys
        return keys[:2] if keys and all(isinstance(key, str) for key in keys) else (None, None)

    @cached_property
    def columns(self) -> dict[str, Any]:
        """The TensorFlow types of the columns with a text or an integer per record, by name."""
        import numpy as np
        import tensorflow as tf

        types = {}
        for name, feature in sorted(self.info.features.items()):
            if feature.shape == () and feature.np_dtype in (object, str):
                types[name] = tf.string
            elif feature.shape == () and np.dtype(feature.np_dtype).kind in "iub":
                types[name] = tf.int64  # the only integer type of tf.train.Example
        return types

    @cached_property
    def splits(self) -> dict[str, Any]:
        """The train, validation and test splits, by these names."""
        named = {split_named(name): split for name, split in self.info.splits.items()}
        return {name: split for name, split in named.items() if name is not None}

    def names(self, column: str) -> tuple[str, ...] | None:
        """The class names of a column, in the order of their numbers; None if it has none."""
        return tuple(getattr(self.info.features[column], "names", None) or ()) or None

    def rows(self, split: str | None, columns: Sequence[str]) -> Iterator[list[str]]:
        """The cells of each record as text, classes by name; "" for a column "".

        Errors as in `batches`.
        """
        stored = [column for column in columns if column]
        names = [self.names(column) for column in stored]
        for _, values in self.batches(split, stored):
            for row in zip(*values, strict=True):
                cells = iter(map(cell_of, row, names))
                yield [next(cells) if column else "" for column in columns]

    def batches(
        self, split: str | None, columns: Sequence[str]
    ) -> Iterator[tuple[list[Record], list[list[Any]]]]:
        """The records in their order, and the values (bytes or int) of each column.

        TensorFlow verifies the checksums. DataError, which names the file, if a record is damaged;
        DataError if records are missing.
        """
        import tensorflow as tf

        if split is None:
            raise DataError(f"{self.directory}: no split train, validation or test")
        spec = {column: tf.io.FixedLenFeature([], self.columns[column]) for column in columns}
        count = 0
        for path in map(Path, self.splits[split].filepaths):
            last = None
            try:
                for data in tf.data.TFRecordDataset(str(path)).batch(_BATCH):
                    parsed = tf.io.parse_example(data, spec)
                    records = list(locate(path, data.numpy(), last))
                    last = records[-1]
                    count += len(records)
                    yield records, [parsed[column].numpy().tolist() for column in columns]
            except tf.errors.OpError as error:
                raise damaged(path, error.message) from None
        if count != (expected := self.splits[split].num_examples):
            raise DataError(
                f"{self.directory}: {count} of {expected} records of {split}; prepare it again"
            )


def download(name: str, data_dir: Path) -> Path:
    """Download and prepare a set, and return its directory.

    DataError if TensorFlow Datasets does not know the name, if the host does not answer (within
    10 s), or if downloading or preparing fails.
    """
    import tensorflow_datasets as tfds

    known = tfds.list_builders(with_community_datasets=False)
    if name.partition(":")[0].partition("/")[0] not in known:
        near = difflib.get_close_matches(name, [*known, "sample"], n=1)
        hint = f"; did you mean '{near[0]}'?" if near else "; see textapps data list"
        raise DataError(
            f"'{name}' is neither a file or folder nor a set of TensorFlow Datasets{hint}"
        )
    remedy = (
        f"prepare it on a machine with network (tfds build {name}) and point --data-dir or "
        f"TFDS_DATA_DIR at the copy; {data_dir} does not hold it"
    )

    try:
        # Without try_gcs=False, TFDS first tries Google's storage of prepared sets, for minutes.
        builder = tfds.builder(name, data_dir=data_dir, try_gcs=False)
        url = next(iter(builder.url_infos), "https://storage.googleapis.com")
        if not reachable(url):
            raise DataError(f"{name}: no network ({urlsplit(url).hostname} not reached); {remedy}")
        config = tfds.download.DownloadConfig(try_download_gcs=False)
        builder.download_and_prepare(download_config=config)
        return Path(builder.data_dir)
    except DataError:
        raise
    except Exception as error:  # TFDS, its builders and its HTTP client raise any type
        cause = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise DataError(f"{name} could not be downloaded ({cause}); {remedy}") from error


def reachable(url: str, seconds: float = PROBE_SECONDS) -> bool:
    """Whether the host of `url` answers HTTP within `seconds`, even with an error.

    Runs in a thread, because no timeout in the standard library covers the name lookup.
    """
    parts = urlsplit(url)
    answered = threading.Event()

    def probe() -> None:
        request = urllib.request.Request(f"{parts.scheme}://{parts.netloc}/", method="HEAD")
        try:
            urllib.request.urlopen(request, timeout=seconds).close()
        except urllib.error.HTTPError as error:
            error.close()
            if error.code >= 500:  # a proxy that cannot reach the host
                return
        except (OSError, ValueError, http.client.HTTPException):
            return
        answered.set()

    thread = threading.Thread(target=probe, daemon=True)
    thread.start()
    thread.join(seconds)
    return answered.is_set()


def cell_of(value: int | bytes, names: tuple[str, ...] | None) -> str:
    """A value as text; "" for class -1, which in TFDS means no label."""
    if isinstance(value, bytes):
        return value.decode("utf-8-sig", errors="replace")  # many records were files once
    if names is None:
        return str(value)
    return names[value] if value >= 0 else ""
