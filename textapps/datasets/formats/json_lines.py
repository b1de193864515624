"""JSON lines: an object on each line."""

import json
from collections.abc import Iterator
from pathlib import Path

from textapps.datasets.formats.rows import Cells, Reading, Rows, rows_of_lines


def read_json_lines(path: Path, reading: Reading) -> Rows:
    """Each object has its own columns, so the header is ignored; blank lines are skipped."""
    return rows_of_lines(path, _objects, reading)


def cell_of(value: object) -> str:
    """A value as text: "" for None, JSON for numbers, booleans, lists and objects.

    >>> cell_of("a"), cell_of(None), cell_of(True), cell_of([2])
    ('a', '', 'true', '[2]')
    """
    if isinstance(value, bool | int | float | list | dict):
        return json.dumps(value, default=str)
    return "" if value is None else str(value)


def _objects(lines: Iterator[tuple[int, str]]) -> Iterator[tuple[int, Cells | None, str]]:
    for number, line in lines:
        if line.strip():
            yield number, *_object(line)


def _object(line: str) -> tuple[Cells | None, str]:
    """The cells, or None and what is wrong."""
    try:
        row = json.loads(line)
    except (ValueError, RecursionError) as error:
        return None, f"not JSON ({error})"
    if not isinstance(row, dict):
        return None, 'not a JSON object, write {"text": …, "label": …}'
    cells = {column: cell_of(value) for column, value in row.items()}
    try:
        "".join(cells.values()).encode()
    except UnicodeEncodeError:
        return None, "half of a surrogate pair, which is no character"
    return cells, ""
