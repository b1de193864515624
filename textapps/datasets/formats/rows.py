"""The rows that readers yield, each with its defects."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Generic, NamedTuple, TypeVar

from textapps.datasets.formats.lines import read_lines
from textapps.datasets.source import Defect

T = TypeVar("T")
Cells = dict[str, str]

LINE = "line"
"""The only column of a format whose rows are lines of text."""


class Row(NamedTuple, Generic[T]):
    """One row of a file.

    number: the line on which it starts, or the row number if the file has no lines; from 1
    cells: by column; None if the row cannot be read
    defects: what is wrong with it; undecodable bytes in `cells` are replaced by U+FFFD
    """

    number: int
    cells: T | None
    defects: Sequence[Defect] = ()


class Reading(NamedTuple):
    """How a file is read.

    header: whether the first row of CSV or TSV names the columns
    columns: how many cells each row of a table without a header has; None: any number
    encoding: of text; None: UTF-8, or what the byte order mark says
    delimiter: of the cells of CSV and TSV; None: a tab in TSV, in CSV found in the first line
    sheet: the name of the sheet of an Excel workbook; None: the first visible one
    skip_bad: leave out rows with defects, after reporting them
    trained_column: the column of inputs that the model was trained on; `read_inputs` prefers it to
        usual names
    """

    header: bool = True
    encoding: str | None = None
    delimiter: str | None = None
    sheet: str | None = None
    skip_bad: bool = False
    trained_column: str | None = None
    columns: int | None = None


Rows = Iterator[Row[Cells]]
Parse = Callable[[Iterator[tuple[int, str]]], Iterator[tuple[int, T | None, str]]]
"""From numbered lines to rows: first line, cells, and what is wrong if the cells are None."""


def rows_of_lines(path: Path, parse: Parse[T], reading: Reading) -> Iterator[Row[T]]:
    """The rows of a text file. `parse` must not read ahead of the row that it yields."""
    defects: list[Defect] = []
    for number, cells, wrong in parse(read_lines(path, defects.append, reading.encoding)):
        if cells is None:
            defects.append(Defect(f"{path}:{number}", wrong))
        yield Row(number, cells, tuple(defects))
        defects.clear()
