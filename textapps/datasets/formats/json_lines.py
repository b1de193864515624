"""JSON lines: an object on each line."""

import json
from collections.abc import Iterable, Iterator
from pathlib import Path

from textapps.datasets.formats.rows import Cells, Reading, Rows, rows_of_lines

_SHOWN = 9  # items of a list that are looked into for columns
HALF_PAIR = "half of a surrogate pair, which is no character"


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


def dotted_columns(cells: Cells) -> list[str]:
    """The columns inside cells that hold JSON objects or lists, by dotted key.

    >>> dotted_columns({"id": "7", "data": '{"text": "a", "marks": [{"label": "b"}]}'})
    ['data.text', 'data.marks.0.label']
    """
    return [
        f"{column}.{key}"
        for column, cell in cells.items()
        if cell[:1] in ("{", "[")
        for key in _leaves(_parsed(cell))
    ]


def cell_at(cells: Cells, column: str) -> str | None:
    """The cell of a column or dotted key; None if there is none.

    >>> cell_at({"data": '{"text": "a", "marks": [{"label": "b"}]}'}, "data.marks.0.label")
    'b'
    >>> cell_at({"meta.data": '{"text": "a"}'}, "meta.data.text")
    'a'
    """
    if column in cells:
        return cells[column]
    parts = column.split(".")
    # The name of the column may have dots too.
    ends = (end for end in range(1, len(parts)) if ".".join(parts[:end]) in cells)
    end = next(ends, None)
    if end is None:
        return None
    value = _parsed(cells[".".join(parts[:end])])
    for key in parts[end:]:
        if isinstance(value, list) and key.isdecimal() and int(key) < len(value):
            value = value[int(key)]
        elif isinstance(value, dict):
            value = value.get(key)
        else:
            return None
    return None if value is None else cell_of(value)


def _parsed(cell: str) -> object:
    try:
        return json.loads(cell)
    except (ValueError, RecursionError):
        return None


def _leaves(value: object) -> Iterator[str]:
    items: Iterable[tuple[object, object]] = ()
    if isinstance(value, dict):
        items = value.items()
    elif isinstance(value, list):
        items = enumerate(value[:_SHOWN])
    for key, inner in items:
        if isinstance(inner, dict | list):
            yield from (f"{key}.{leaf}" for leaf in _leaves(inner))
        else:
            yield str(key)


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
    return cells_of(row)


def cells_of(row: object) -> tuple[Cells | None, str]:
    """The cells of an object, or None and what is wrong."""
    if not isinstance(row, dict):
        return None, 'not a JSON object, write {"text": …, "label": …}'
    cells = {column: cell_of(value) for column, value in row.items()}
    if not is_text("".join([*cells, *cells.values()])):
        return None, HALF_PAIR
    return cells, ""


def is_text(text: str) -> bool:
    r"""Whether all of it are characters: JSON can hold a half of a surrogate pair.

    >>> is_text("\U0001f600"), is_text("\ud83d")
    (True, False)
    """
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
