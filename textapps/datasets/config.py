"""The [data] section of a configuration."""

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, ClassVar, Self

from pydantic import AfterValidator, Field, field_validator, model_validator

from textapps.core.config import Section, resolve
from textapps.core.keys import Option
from textapps.datasets.formats.delimited import check_delimiter
from textapps.datasets.formats.lines import check_encoding
from textapps.datasets.formats.rows import Reading

_BOTH = ("train", "evaluate")
_SOURCE = Option("--data", metavar="SOURCE", commands=_BOTH)
_TEXT_COLUMN = Option("--text-column", metavar="NAME", commands=_BOTH)
_OVERSAMPLE = Option("--oversample", metavar="N")
_FILES = ("source_file", "target_file")
_PATHS = ("data_dir", *_FILES)
SEVERAL = ("unlabelled", "added_source")
"""Keys that hold any number of sources."""


def _absolute(source: str) -> str:
    """The absolute path of a source that is there; the name of another one."""
    path = Path(source).expanduser()
    return str(path.absolute()) if source != "sample" and path.exists() else source


def _real(source: str | None) -> str | None:
    """The path of a source that is there without links and `..`; the name of another one."""
    path = Path(source or "").expanduser()
    return source if source in (None, "sample") or not path.exists() else os.path.realpath(path)


def as_several(sources: object) -> object:
    """One source, as the environment and --set have it, or a list, as a file has it: a tuple."""
    if isinstance(sources, str):
        return (sources,)
    return tuple(sources) if isinstance(sources, list) else sources


def _if_given(check: Callable[[str], str]) -> AfterValidator:
    return AfterValidator(lambda name: None if name is None else check(name))


class SourceConfig(Section):
    """Where examples come from, and what replaces the splits of the source."""

    source: str
    validation_source: Annotated[str | None, Option("--validation-data", metavar="SOURCE")] = Field(
        None,
        min_length=1,
        description="Data to validate on; by default the set's own split, else a part of it.",
    )
    test_source: Annotated[str | None, Option("--test-data", metavar="SOURCE")] = Field(
        None,
        min_length=1,
        description="Data to test on; by default the set's own split, else a part of it.",
    )
    data_dir: Annotated[str | None, Option("--data-dir", metavar="DIR", commands=_BOTH)] = Field(
        None,
        min_length=1,
        description="Where prepared TensorFlow Datasets are; by default TFDS_DATA_DIR, else "
        "~/tensorflow_datasets.",
    )
    encoding: Annotated[
        str | None, Option("--encoding", metavar="NAME", commands=_BOTH), _if_given(check_encoding)
    ] = Field(
        None,
        description="The encoding of text files and tables, such as cp1252 (Windows); by default "
        "UTF-8, or UTF-16 with a byte order mark.",
    )
    delimiter: Annotated[
        str | None,
        Option("--delimiter", metavar="CHAR", commands=_BOTH),
        _if_given(check_delimiter),
    ] = Field(
        None,
        description="What separates the cells of CSV and TSV, such as ';' or 'tab'; by default a "
        "tab in TSV, and in CSV what the first line shows.",
    )
    sheet: Annotated[str | None, Option("--sheet", metavar="NAME", commands=_BOTH)] = Field(
        None, min_length=1, description="Sheet of an Excel workbook, else the first visible one."
    )
    skip_bad: Annotated[bool, Option("--skip-bad", commands=_BOTH)] = Field(
        False, description="Leave out rows of tables that cannot be read, and name some of them."
    )

    of_the_model: ClassVar[tuple[str, ...]] = ()
    """Keys that say what the model answers; they stay when it is evaluated on another source."""

    @property
    def reading(self) -> Reading:
        """How files are read."""
        return Reading(True, self.encoding, self.delimiter, self.sheet, self.skip_bad)

    @property
    def input_column(self) -> str | None:
        """The column of what the model is asked, if it is named."""
        column: str | None = getattr(self, "text_column", None)
        return column

    def changed(self, flags: Mapping[str, object]) -> Self:
        """The same with these values; another source brings columns and splits of its own.

        Raises ConfigurationError as `resolve` does.
        """
        values = self.model_dump()
        if flags.keys() & {"source", *_FILES}:
            values = {name: values[name] for name in ("data_dir", *self.of_the_model)}
        elif flags.get("sheet", self.sheet) != self.sheet:  # with the same columns
            values |= {"validation_source": None, "test_source": None}
        return resolve(type(self), preset=values, flags=flags)

    def is_source_of(self, other: "SourceConfig") -> bool:
        """Whether both read the same source, in whatever way and by whatever path."""
        return self.sheet == other.sheet and all(
            _real(getattr(self, field, None)) == _real(getattr(other, field, None))
            for field in ("source", *_FILES)
        )

    @property
    def files(self) -> tuple[Path, ...]:
        """The files and folders that the source stands for, none for a set of a known name."""
        named = [getattr(self, field, None) for field in _FILES]
        paths = tuple(Path(name) for name in named if name) or (Path(self.source).expanduser(),)
        return paths if self.source != "sample" and all(map(Path.exists, paths)) else ()

    def resolved(self) -> Self:
        """The same with every path absolute, so that a run finds its data from any folder."""
        changes = {
            field: str(Path(value).expanduser().absolute())
            for field in ("source", "validation_source", "test_source", *_PATHS)
            if (value := getattr(self, field, None)) and value != "sample"
            if field in _PATHS or Path(value).expanduser().exists()
        }
        several = {
            field: tuple(map(_absolute, sources))
            for field in SEVERAL
            if (sources := getattr(self, field, ()))
        }
        return self.model_copy(update={**changes, **several})


class DataConfig(SourceConfig):
    """Where labelled texts come from."""

    source: Annotated[str, _SOURCE] = Field(
        "imdb_reviews",
        min_length=1,
        description="Labelled texts: 'sample' (bundled), a path of a file (CSV, TSV, JSON lines, "
        "text, .gz too; Parquet, Excel) or folder, or the name of a TensorFlow Datasets set.",
    )
    text_column: Annotated[str | None, _TEXT_COLUMN] = Field(
        None, min_length=1, description="The column of texts; by default found by its name."
    )
    label_column: Annotated[
        str | None, Option("--label-column", metavar="NAME", commands=_BOTH)
    ] = Field(None, min_length=1, description="The column of labels; by default found by its name.")
    unlabelled: Annotated[
        tuple[Annotated[str, Field(min_length=1)], ...],
        Option("--unlabelled", metavar="TEXTS", multiple=True),
    ] = Field(
        (),
        description="Texts without labels, or whose labels are not read, that a teacher labels for "
        "training; sources as --data takes them; repeatable.",
    )
    fold_labels: Annotated[bool, Option("--fold-labels")] = Field(
        False,
        description="Labels that differ only in case, blanks or number form are one class.",
    )
    repeat: Annotated[int, _OVERSAMPLE] = Field(
        1,
        ge=1,
        le=1_000,
        description="How often at most a pass uses a text of a class that has fewer texts than "
        "others.",
    )

    of_the_model: ClassVar[tuple[str, ...]] = ("fold_labels",)

    _are_several = field_validator("unlabelled", mode="before")(as_several)


class CorpusConfig(SourceConfig):
    """Where a text to learn to continue comes from."""

    source: Annotated[str, _SOURCE] = Field(
        "tiny_shakespeare",
        min_length=1,
        description="A text: 'sample' (bundled), a path of a text file, of a folder of them or of "
        "a table (CSV, TSV, JSON lines, .gz too; Parquet, Excel), or the name of a TensorFlow "
        "Datasets set.",
    )
    text_column: Annotated[str | None, _TEXT_COLUMN] = Field(
        None, min_length=1, description="The column of texts; by default found by its name."
    )
    split: Annotated[float | None, Option("--split", metavar="SHARE")] = Field(
        None,
        gt=0,
        lt=1,
        description="Train on this share of the text, from its beginning; validate and test on "
        "the rest.",
    )


class PairsConfig(SourceConfig):
    """Where sentences and their translations come from."""

    source: Annotated[str, _SOURCE] = Field(
        "sample",
        min_length=1,
        description="Sentence pairs: 'sample' (bundled), a path of a file (TSV without a header, "
        "CSV, JSON lines, .gz too; Parquet, Excel), or the name of a TensorFlow Datasets set.",
    )
    source_file: Annotated[str | None, Option("--source-file", metavar="FILE", commands=_BOTH)] = (
        Field(
            None,
            min_length=1,
            description="A file with a source sentence on each line, in place of the source; "
            "goes with target_file.",
        )
    )
    target_file: Annotated[str | None, Option("--target-file", metavar="FILE", commands=_BOTH)] = (
        Field(None, min_length=1, description="A file with their translations, line by line.")
    )
    source_column: Annotated[
        str | None, Option("--source-column", metavar="NAME", commands=_BOTH)
    ] = Field(
        None,
        min_length=1,
        description="The column of source sentences; by default found by its name, in TSV the "
        "first.",
    )
    target_column: Annotated[
        str | None, Option("--target-column", metavar="NAME", commands=_BOTH)
    ] = Field(
        None,
        min_length=1,
        description="The column of translations; by default found by its name, in TSV the second.",
    )
    reverse: Annotated[bool, Option("--reverse", commands=_BOTH)] = Field(
        False, description="Translate the second language into the first."
    )

    of_the_model: ClassVar[tuple[str, ...]] = ("reverse",)

    @property
    def input_column(self) -> str | None:
        """That of the sentences to translate: with `reverse`, of the second language."""
        return self.target_column if self.reverse else self.source_column

    @model_validator(mode="after")
    def _fits_together(self) -> "PairsConfig":
        for one, other in (("source_file", "target_file"), ("source_column", "target_column")):
            if (getattr(self, one) is None) != (getattr(self, other) is None):
                raise ValueError(f"{one} and {other} go together: give both or none")
        return self
