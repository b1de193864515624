"""The rows of one input file, each with what the model is given or why there is nothing."""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from textapps.core.errors import DataError
from textapps.datasets.clips.bytes import wav_bytes
from textapps.datasets.columns import find_input_column
from textapps.datasets.lines import read_lines
from textapps.datasets.source import Defect, stop
from textapps.datasets.tables import Lines, table_format, table_rows

PATH = "path"  # the kind of column whose texts are paths of recordings


class Row(NamedTuple):
    """One row of a file.

    position: its number among the rows, from 0; rows that are bad count
    line: the number of the line on which it starts, from 1
    text: what stands in it, "" where that could not be read
    payload: what the model is given
    reason: why it is bad, "" where it is good
    """

    position: int
    line: int
    text: str
    payload: bytes
    reason: str


def read_rows(path: Path, kind: str, column: str | None) -> Iterator[Row]:
    """All rows of a table or of a `.txt` file with a text on each line, bad ones in their place.

    Args:
        path: `.csv`, `.tsv`, `.jsonl` or `.txt`, `.gz` too.
        kind: what the column holds: "text", "source" or "path".
        column: its name; None: found by its name.

    Raises:
        DataError: the file, its header or its packing cannot be read, or it lacks the column.
    """
    defects: list[Defect] = []
    has_header = table_format(path) in (".csv", ".tsv")

    def report(defect: Defect) -> None:
        if has_header and defect.place == f"{path}:1":
            stop(defect)  # without its header no row can be read
        defects.append(defect)

    lines = read_lines(path, report)
    texts = lines if table_format(path) == ".txt" else _cells(path, lines, kind, column)
    for position, (number, text) in enumerate(texts):
        # What is wrong with the bytes of its lines comes before what they make.
        defect = defects[0] if defects else text
        defects.clear()
        if isinstance(defect, Defect):
            yield Row(position, number, "", b"", defect.message)
        else:
            yield _row(position, number, defect, kind)


def _cells(
    path: Path, lines: Lines, kind: str, column: str | None
) -> Iterator[tuple[int, str | Defect]]:
    """The cells of one column; rows of JSON may lack it."""
    is_json = table_format(path) == ".jsonl"
    found = None
    for number, row in table_rows(path, lines):
        if isinstance(row, Defect):
            yield number, row
            continue
        place = f"{path}:{number}"
        if found is None or found not in row:
            try:
                found = find_input_column(place if is_json else str(path), row, kind, column)
            except DataError as error:
                if not is_json:
                    raise
                yield number, Defect(place, str(error).removeprefix(f"{place}: "))
                continue
        yield number, row[found]


def _row(position: int, number: int, text: str, kind: str) -> Row:
    if kind != PATH:
        return Row(position, number, text, text.encode(), "")
    try:
        return Row(position, number, text, wav_bytes(text), "")
    except DataError as error:
        return Row(position, number, text, b"", str(error))
