"""The [data] section of a configuration."""

from pathlib import Path
from typing import TypeVar

from pydantic import Field, field_validator, model_validator

from textapps.core.config import Section


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


class PairsConfig(Section):
    """Where sentences and their translations come from.

    A source is `sample` (bundled), a file of pairs, or the name of a set of TensorFlow Datasets.
    A TSV file has no header and the pair in its first two columns, unless columns are named; CSV
    and JSON lines have columns `source` and `target`, or those that are named. Two files with a
    sentence a line, `source_file` and `target_file`, take the place of `source`. `reverse` swaps
    the languages, in every source.
    """

    source: str = Field(default="sample", min_length=1)
    validation_source: str | None = Field(default=None, min_length=1)
    test_source: str | None = Field(default=None, min_length=1)
    source_file: str | None = Field(default=None, min_length=1)
    target_file: str | None = Field(default=None, min_length=1)
    data_dir: str | None = Field(default=None, min_length=1)
    """As in `DataConfig`."""
    source_column: str | None = Field(default=None, min_length=1)
    target_column: str | None = Field(default=None, min_length=1)
    reverse: bool = False

    @model_validator(mode="after")
    def _fits_together(self) -> "PairsConfig":
        for one, other in (("source_file", "target_file"), ("source_column", "target_column")):
            if (getattr(self, one) is None) != (getattr(self, other) is None):
                raise ValueError(f"{one} and {other} go together: give both or none")
        return self

    def resolved(self) -> "PairsConfig":
        """The same with every path absolute, so that a run finds its data from any folder."""
        return _resolved(self)


UNKNOWN, SILENCE = "unknown", "silence"
"""The classes of words that are no commands, and of no word at all."""


class ClipsConfig(Section):
    """Where recordings of single spoken words come from.

    A source is `sample` (made on the spot), a folder of class folders, a table of paths and labels,
    or the name of a set of TensorFlow Datasets. The classes are `commands`, in this order, or all
    that the source has. With commands the other words are `unknown`; `silence` is cut from
    `_background_noise_`. Each of these two is such a share of a split's clips; with 0 there is no
    such class.

    With `redraw`, every pass of training takes other clips of unknown words. Clips of a command
    that has fewer of them than another are heard up to `repeat` times in a pass, varied each time,
    those of unknown words `repeat_unknown` times: what people say that is no command is of more
    kinds than any clips have.
    Clips of more than `memory_mb` altogether are decoded again for every batch.
    """

    source: str = Field(default="speech_commands", min_length=1)
    validation_source: str | None = Field(default=None, min_length=1)
    test_source: str | None = Field(default=None, min_length=1)
    data_dir: str | None = Field(default=None, min_length=1)
    """As in `DataConfig`."""
    commands: tuple[str, ...] = ()
    unknown: float = Field(0.1, ge=0, le=0.5)
    silence: float = Field(0.1, ge=0, le=0.4)
    redraw: bool = True
    repeat: int = Field(4, ge=1, le=1_000)
    repeat_unknown: int = Field(2, ge=1, le=1_000)
    skip_bad: bool = False
    memory_mb: int = Field(2_000, ge=0)

    @field_validator("commands", mode="before")
    @classmethod
    def _take_apart(cls, commands: object) -> object:
        """`yes,no`, as an option and the environment have it; a list, as a file has it."""
        if isinstance(commands, str):
            return tuple(commands.split(","))
        return tuple(commands) if isinstance(commands, list) else commands

    @field_validator("commands")
    @classmethod
    def _are_words(cls, commands: tuple[str, ...]) -> tuple[str, ...]:
        words = tuple(command.strip() for command in commands)
        if "" in words:
            raise ValueError("a command is empty")
        if twice := next((word for word in words if words.count(word) > 1), None):
            raise ValueError(f"'{twice}' is named twice")
        if made := next((word for word in words if word in (UNKNOWN, SILENCE)), None):
            raise ValueError(f"'{made}' is no command: data.{made} says how much of it there is")
        return words

    def resolved(self) -> "ClipsConfig":
        """The same with every path absolute, so that a run finds its data from any folder."""
        return _resolved(self)


C = TypeVar("C", DataConfig, CorpusConfig, PairsConfig, ClipsConfig)
_PATHS = ("data_dir", "source_file", "target_file")


def _resolved(config: C) -> C:
    changes = {
        field: str(Path(value).expanduser().absolute())
        for field in ("source", "validation_source", "test_source", *_PATHS)
        if (value := getattr(config, field, None)) and value != "sample"
        if field in _PATHS or Path(value).expanduser().exists()
    }
    return config.model_copy(update=changes)
