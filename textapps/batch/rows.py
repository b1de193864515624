"""The rows of one input file, each with the input of the model or the reason why it is bad."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from textapps.core.errors import DataError
from textapps.datasets.clips.bytes import wav_bytes
from textapps.datasets.formats.registry import format_of
from textapps.datasets.formats.rows import Reading
from textapps.datasets.inputs import read_inputs

_USUAL = Reading()
PATH = "path"  # the kind of column whose texts are paths of recordings


class Row(NamedTuple):
    """One row of a file.

    position: its number among the rows, from 0; bad rows count
    line: the number of the line on which it starts, or of a row of Parquet or Excel, from 1
    text: its content, "" if that could not be read
    payload: the input of the model
    reason: why it is bad, "" if it is good
    others: the other columns, if they are kept
    """

    position: int
    line: int
    text: str
    payload: bytes
    reason: str
    others: Mapping[str, str] = {}


def read_rows(
    path: Path,
    kind: str,
    column: str | None,
    reading: Reading = _USUAL,
    told: set[str] | None = None,
    keep_columns: bool = False,
) -> Iterator[Row]:
    """All rows of a table or of a `.txt` file with a text on each line, bad ones included.

    Args:
        path: a file of one of the known formats.
        kind: what the column holds: "text", "source" or "path".
        column: its name; None: as `read_inputs` has it.
        reading: how to read the file.
        told: as `read_inputs` has it.
        keep_columns: whether rows have their other columns.

    Raises:
        DataError: the file, its header or its packing cannot be read, or it lacks the column.
    """
    inputs = read_inputs(path, format_of(path, lines=True), kind, column, reading, told)
    for position, (number, text, others, defect) in enumerate(inputs):
        if defect:
            yield Row(position, number, "", b"", defect.message)
        else:
            row = _row(position, number, text, kind)
            yield row._replace(others=others) if keep_columns and others else row


def _row(position: int, number: int, text: str, kind: str) -> Row:
    if kind != PATH:
        return Row(position, number, text, text.encode(), "")
    try:
        return Row(position, number, text, wav_bytes(text), "")
    except DataError as error:
        return Row(position, number, text, b"", str(error))
