"""CSV and TSV: a header line, then rows of cells between delimiters."""

import csv
import re
from collections.abc import Iterator
from functools import partial
from itertools import chain
from pathlib import Path

from textapps.core.counted import counted
from textapps.core.errors import DataError
from textapps.core.notices import notice
from textapps.datasets.formats.rows import Reading, Row, Rows, rows_of_lines
from textapps.datasets.source import Defect, stop

Lines = Iterator[tuple[int, str]]
CellRows = Iterator[tuple[int, list[str] | None, str]]
_NAMES = {";": "semicolons", "\t": "tabs", "|": "bars"}


def read_csv(path: Path, reading: Reading) -> Rows:
    """Quoted as in RFC 4180: a cell may contain commas, quotes and line ends.

    Without `reading.delimiter` another delimiter than a comma is found in the first line, with a
    notice.
    """
    rows = rows_of_lines(path, partial(_csv_cells, path, reading.delimiter), reading)
    return with_columns(path, rows, reading)


def read_tsv(path: Path, reading: Reading) -> Rows:
    """Never quoted: a quotation mark is an ordinary character, and a tab always ends a cell."""
    rows = rows_of_lines(path, partial(_tsv_cells, reading.delimiter or "\t"), reading)
    return with_columns(path, rows, reading)


def delimiter_of(line: str) -> str:
    """The delimiter in the first line of CSV: a comma if it has one outside quotes.

    Otherwise the most frequent of semicolon, tab and bar.

    >>> delimiter_of('id;"Review, long";label'), delimiter_of("text")
    (';', ',')
    """
    bare = re.sub(r'"[^"]*"', "", line)
    best = max(",;\t|", key=lambda one: (one == "," and one in bare, bare.count(one)))
    return best if best in bare else ","


def check_delimiter(delimiter: str) -> str:
    r"""One character; "tab" and "\t" stand for a tab. ValueError for anything else.

    >>> check_delimiter("tab"), check_delimiter(";")
    ('\t', ';')
    """
    one = {"tab": "\t", "\\t": "\t"}.get(delimiter, delimiter)
    if len(one) != 1 or one in '"\r\n':
        raise ValueError("a delimiter is one character, such as ';', or 'tab'")
    return one


def with_columns(path: Path, rows: Iterator[Row[list[str]]], reading: Reading) -> Rows:
    """Cells by column name; without a header, columns are named "1", "2" and so on."""
    columns: list[str] | None = None
    for number, cells, defects in rows:
        if reading.header and columns is None:
            for defect in defects:
                stop(defect)  # no row can be read without the header
            columns = [column.strip() for column in cells or ()]
            if twice := next((one for one in columns if one and columns.count(one) > 1), None):
                raise DataError(f"{path}: two columns are called '{twice}'; rename one of them")
        elif cells is None:
            yield Row(number, None, defects)
        else:
            width = len(columns) if columns else reading.columns or len(cells)
            if len(cells) == width:
                names = columns or map(str, range(1, width + 1))
                yield Row(number, dict(zip(names, cells, strict=True)), defects)
            else:
                message = f"{counted(len(cells), 'cell')} in {counted(width, 'column')}"
                yield Row(number, None, (*defects, Defect(f"{path}:{number}", message)))


def _csv_cells(path: Path, delimiter: str | None, lines: Lines) -> CellRows:
    if delimiter is None and (first := next(lines, None)):
        delimiter = delimiter_of(first[1])
        lines = chain([first], lines)
        if delimiter != ",":
            notice("%s: cells are separated by %s", path, _NAMES[delimiter])
    # The default limit, 128 KiB a cell, is shorter than some texts; the setting is global.
    csv.field_size_limit(max(csv.field_size_limit(), 2**31 - 1))
    reader = csv.reader((line + "\n" for _, line in lines), delimiter=delimiter or ",", strict=True)
    while True:
        start = reader.line_num + 1
        try:
            if cells := next(reader):
                yield start, cells, ""
        except StopIteration:
            return
        except csv.Error as error:
            yield start, None, f"not CSV ({error}); check the quotes from here on"


def _tsv_cells(delimiter: str, lines: Lines) -> CellRows:
    return ((number, line.split(delimiter), "") for number, line in lines if line.strip())
