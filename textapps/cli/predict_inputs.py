"""What `predict` is asked: its arguments, the rows of a table, or the lines of a file."""

import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from textapps.cli import console
from textapps.core.counted import counted
from textapps.core.errors import DataError
from textapps.datasets.formats.rows import Reading
from textapps.tasks.about import Inputs

if TYPE_CHECKING:
    from textapps.tasks.rows import Asked

_OTHER_WORKBOOKS = {".xls", ".xlsm", ".xlsb", ".ods"}  # of Excel and LibreOffice


def asked_for(
    inputs: Inputs,
    given: tuple[str, ...],
    input_file: str | None,
    column: str | None,
    reading: Reading,
    trained_column: Callable[[], str | None],
) -> "Iterable[Asked]":
    """The inputs, read as they are needed; those of rows that cannot be read have a defect.

    `trained_column` is called before the first row of a table is read, when the model is loaded.

    Raises click.UsageError for arguments and a file, for neither where there must be some, and for
    options that have no meaning for them. DataError if the file is a recording or a workbook of
    another kind than .xlsx; when the inputs are read, if the file cannot be read.
    """
    if inputs.optional and given and input_file is not None:
        raise click.UsageError(f"give {inputs.noun} or --input FILE, not both")
    if not inputs.optional and bool(given) == (input_file is not None):
        raise click.UsageError(f"give {inputs.noun}, or --input FILE, or '-' for standard input")
    if given == ("-",) and not inputs.paths:
        input_file = "-"
    from textapps.datasets.formats.registry import ending_of, is_table
    from textapps.tasks.rows import Asked

    path = None if input_file in (None, "-") else Path(str(input_file))
    if path:
        _check_kind(path, inputs)
    table = path is not None and is_table(path)
    for option, value in ((f"{inputs.column}-column", column), ("delimiter", reading.delimiter)):
        if value is not None and not table:
            raise click.UsageError(f"--{option} needs --input with a table")
    if reading.sheet is not None and (path is None or ending_of(path) != ".xlsx"):
        raise click.UsageError("--sheet needs --input with an Excel workbook")
    if reading.encoding and input_file is None:
        raise click.UsageError("--encoding needs --input, or '-'")
    if input_file is None:
        asked = [Asked(text) for text in given or ("",)]
    else:
        rows = (
            _rows(path, inputs.column, column, reading, trained_column)
            if path
            else _standard_input(reading)
        )
        if table or not inputs.paths:
            return rows
        asked = [one for one in rows if one.text or one.defect]
    if inputs.paths and [one.text for one in asked].count("-") > 1:
        raise click.UsageError("'-' is one recording on standard input, and given twice")
    return asked


def _check_kind(path: Path, inputs: Inputs) -> None:
    """DataError for a file whose name says that it has no lines of text."""
    from textapps.datasets.clips.sound_file import is_clip

    if path.suffix.lower() in _OTHER_WORKBOOKS:
        raise DataError(f"{path}: only Excel workbooks in .xlsx can be read; save it as .xlsx")
    if is_clip(path):
        remedy = "give it as an argument, without --input" if inputs.paths else "give texts"
        raise DataError(f"{path}: a recording, which --input does not read; {remedy}")


def _rows(
    path: Path,
    kind: str,
    column: str | None,
    reading: Reading,
    trained_column: Callable[[], str | None],
) -> "Iterator[Asked]":
    """The rows of a table, or the lines of any other file."""
    from textapps.datasets.formats.registry import FORMATS, format_of, is_table
    from textapps.datasets.inputs import read_inputs
    from textapps.tasks.rows import Asked

    form = FORMATS[".txt"]
    if is_table(path):
        form, reading = format_of(path), reading._replace(trained_column=trained_column())
    for row in read_inputs(path, form, kind, column, reading, told=set()):
        yield Asked(row.text, row.others, row.defect)


def _standard_input(reading: Reading) -> "Iterator[Asked]":
    """The lines of standard input as they come.

    A line that is not text is a defect only with `reading.skip_bad`: a stream may go on for days.
    Otherwise it causes a warning, and U+FFFD replaces the bytes.
    """
    from textapps.datasets.formats.lines import lines_of
    from textapps.datasets.source import Defect
    from textapps.tasks.rows import Asked

    name, bad = "standard input", 0
    defects: list[Defect] = []
    for _, line in lines_of(sys.stdin.buffer, name, defects.append, reading.encoding):
        if defects and reading.skip_bad:
            yield Asked("", defect=defects[0])
        else:
            if defects and not bad:
                console.LOGGER.warning("%s; U+FFFD stands for what is not text", defects[0])
            bad += bool(defects)
            yield Asked(line)
        defects.clear()
    if bad > 1:
        console.LOGGER.warning("%s: %s", name, counted(bad - 1, "more such line"))
