"""The inputs in a file, for `predict` and for batch inference."""

from collections.abc import Container, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from textapps.core.errors import DataError
from textapps.core.notices import notice
from textapps.datasets.columns import find_column
from textapps.datasets.formats.json_lines import HALF_PAIR, cell_at, dotted_columns, is_text
from textapps.datasets.formats.registry import Format, without_header
from textapps.datasets.formats.rows import LINE, Reading
from textapps.datasets.source import Defect


class Input(NamedTuple):
    """One row of a file.

    number: the line on which it starts, or the row number if the file has no lines; from 1
    text: the cell of the column that is read, or the line; "" if the row has a defect
    others: the other columns of the row, in the order of the file
    defect: what is wrong with the row, None if nothing is
    """

    number: int
    text: str
    others: Mapping[str, str]
    defect: Defect | None = None


def read_inputs(
    path: Path,
    form: Format,
    kind: str,
    column: str | None,
    reading: Reading,
    told: set[str] | None = None,
) -> Iterator[Input]:
    """All rows of a table, or all lines of a text file.

    Args:
        path: the file.
        form: its format.
        kind: what the column holds: "text", "source" or "path".
        column: its name; None: `reading.trained_column` if the file has it, else a usual name.
        reading: how to read the file.
        told: columns found by their names, each of which was named in a notice; None: no notices.

    Raises:
        DataError: the file or its header cannot be read, or it lacks the column.
    """
    # Of columns that training was told by number, this file may have a header.
    usual = kind if column is None else None
    reading = without_header(path, form, reading, [column or reading.trained_column], usual)
    found = None if form.named else LINE
    for number, cells, defects in form.read(path, reading):
        if cells is None or defects:
            yield Input(number, "", {}, defects[0])
            continue
        place = f"{path}:{number}"
        text = cell_at(cells, found) if found else None
        if text is None:
            names = [*cells, *dotted_columns(cells)]
            # Inside a cell, each row has what it has.
            of_file = form.uniform and not found and (column or "").partition(".")[0] not in cells
            try:
                found = find_column(
                    str(path) if of_file else place,
                    names,
                    kind,
                    column,
                    preferred=reading.trained_column,
                )
            except DataError as error:
                if of_file:
                    raise
                defect = Defect(place, str(error).removeprefix(f"{place}: "))
                yield Input(number, "", {}, defect)
                continue
            if told is not None and found not in (column, *told):
                told.add(found)
                notice("%s: reads %s from '%s'", path, kind, found)
            text = cell_at(cells, found)
        if not is_text(text or ""):
            yield Input(number, "", {}, Defect(place, HALF_PAIR))
            continue
        others = {name: cell for name, cell in cells.items() if name != found}
        yield Input(number, text or "", others)


def columns_beside(others: Mapping[str, str], fields: Container[str]) -> dict[str, str]:
    """The other columns of a row, for an object that has these fields already.

    A column with the name of a field gets the prefix `input_`, so that `label` is always the label
    of the model.

    >>> columns_beside({"id": "a7", "label": "neg"}, {"index", "input", "label"})
    {'id': 'a7', 'input_label': 'neg'}
    """
    beside: dict[str, str] = {}
    for name, cell in others.items():
        while name in beside or name in fields:
            name = f"input_{name}"
        beside[name] = cell
    return beside
