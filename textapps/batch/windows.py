"""Divides the rows of a file into windows, which fit in memory and are sorted by length."""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from textapps.batch.rows import Row, read_rows
from textapps.core.errors import DataError
from textapps.datasets.formats.rows import Reading

_USUAL = Reading()
ROWS = 8_192  # enough to fill batches with rows of nearly equal lengths
BYTES = 16 << 20  # of what the model is given


class Window(NamedTuple):
    """Consecutive rows; `broken` says why the file cannot be read any further."""

    number: int
    rows: list[Row]
    broken: str = ""


def read_windows(
    path: Path,
    kind: str,
    column: str | None,
    reading: Reading = _USUAL,
    told: set[str] | None = None,
    keep_columns: bool = False,
) -> Iterator[Window]:
    """The rows of `read_rows` in one or more windows, always divided in the same places."""
    rows: list[Row] = []
    size_bytes = number = 0
    try:
        for row in read_rows(path, kind, column, reading, told, keep_columns):
            rows.append(row)
            size_bytes += len(row.payload)
            if len(rows) == ROWS or size_bytes >= BYTES:
                yield Window(number, rows)
                rows, size_bytes, number = [], 0, number + 1
    except DataError as error:
        yield Window(number, [], str(error))
    else:
        yield Window(number, rows)
