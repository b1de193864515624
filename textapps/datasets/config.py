"""The [data] section of a configuration."""

from pathlib import Path
from typing import TypeVar

from pydantic import Field

from textapps.config import Section


class DataConfig(Section):
    """Where labelled texts come from.

    A source is `sample` (the bundled set), the path of a file or folder, or the name of a set of
    TensorFlow Datasets, with its configuration where it has several: `glue/sst2`.
    """

    source: str = Field(default="imdb_reviews", min_length=1)
    validation_source: str | None = Field(default=None, min_length=1)
    test_source: str | None = Field(default=None, min_length=1)
    data_dir: str | None = Field(default=None, min_length=1)
    """Prepared sets of TensorFlow Datasets; None: TFDS_DATA_DIR, else ~/tensorflow_datasets."""
    text_column: str | None = Field(default=None, min_length=1)
    label_column: str | None = Field(default=None, min_length=1)

    def resolved(self) -> "DataConfig":
        """The same with every path absolute, so that a run finds its data from any folder."""
        return _resolved(self)


class CorpusConfig(Section):
    """Where a text to learn to continue comes from.

    A source is `sample` (bundled), a text file, a folder of text files, a table with a column of
    texts, or the name of a set of TensorFlow Datasets. With `split`, so much of the text, from its
    beginning, is for training, and the rest both for validation and for test.
    """

    source: str = Field(default="tiny_shakespeare", min_length=1)
    validation_source: str | None = Field(default=None, min_length=1)
    test_source: str | None = Field(default=None, min_length=1)
    data_dir: str | None = Field(default=None, min_length=1)
    """As in `DataConfig`."""
    text_column: str | None = Field(default=None, min_length=1)
    split: float | None = Field(default=None, gt=0, lt=1)

    def resolved(self) -> "CorpusConfig":
        """The same with every path absolute, so that a run finds its data from any folder."""
        return _resolved(self)


C = TypeVar("C", DataConfig, CorpusConfig)


def _resolved(config: C) -> C:
    changes = {
        field: str(Path(value).expanduser().absolute())
        for field in ("source", "validation_source", "test_source", "data_dir")
        if (value := getattr(config, field)) and value != "sample"
        if field == "data_dir" or Path(value).expanduser().exists()
    }
    return config.model_copy(update=changes)
