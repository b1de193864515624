"""CSV and TSV: a header line, then rows of cells between delimiters."""

import csv
from collections.abc import Iterator
from pathlib import Path

from textapps.datasets.formats.rows import Parse, Reading, Row, Rows, rows_of_lines
from textapps.datasets.source import Defect, stop

Lines = Iterator[tuple[int, str]]
CellRows = Iterator[tuple[int, list[str] | None, str]]


def read_csv(path: Path, reading: Reading) -> Rows:
    """Quoted as in RFC 4180: a cell may contain commas, quotes and line ends."""
    return _with_columns(path, _csv_cells, reading)


def read_tsv(path: Path, reading: Reading) -> Rows:
    """Never quoted: a quotation mark is an ordinary character, and a tab always ends a cell."""
    return _with_columns(path, _tsv_cells, reading)


def _with_columns(path: Path, parse: Parse[list[str]], reading: Reading) -> Rows:
    """Cells by column name; without a header, columns are named "1", "2" and so on."""
    columns: list[str] | None = None
    for number, cells, defects in rows_of_lines(path, parse, reading):
        if reading.header and columns is None:
            for defect in defects:
                stop(defect)  # no row can be read without the header
            columns = [column.strip() for column in cells or ()]
        elif cells is None:
            yield Row(number, None, defects)
        elif columns is None:
            yield Row(number, {str(n): cell for n, cell in enumerate(cells, 1)}, defects)
        elif len(cells) == len(columns):
            yield Row(number, dict(zip(columns, cells, strict=True)), defects)
        else:
            message = f"{len(cells)} cells in {len(columns)} columns"
            yield Row(number, None, (*defects, Defect(f"{path}:{number}", message)))


def _csv_cells(lines: Lines) -> CellRows:
    # The default limit, 128 KiB a cell, is shorter than some texts; the setting is global.
    csv.field_size_limit(max(csv.field_size_limit(), 2**31 - 1))
    reader = csv.reader((line + "\n" for _, line in lines), strict=True)
    while True:
        start = reader.line_num + 1
        try:
            if cells := next(reader):
                yield start, cells, ""
        except StopIteration:
            return
        except csv.Error as error:
            yield start, None, f"not CSV ({error}); check the quotes from here on"


def _tsv_cells(lines: Lines) -> CellRows:
    return ((number, line.split("\t"), "") for number, line in lines if line.strip())
