"""The [data] section of a configuration."""

from pathlib import Path

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
        changes = {
            field: str(Path(value).expanduser().absolute())
            for field in ("source", "validation_source", "test_source", "data_dir")
            if (value := getattr(self, field)) and value != "sample"
            if field == "data_dir" or Path(value).expanduser().exists()
        }
        return self.model_copy(update=changes)
