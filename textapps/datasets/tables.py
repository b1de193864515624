"""CSV, TSV, JSON lines and labelled plain text as rows of named cells."""

import csv
import json
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from textapps.core.errors import DataError
from textapps.datasets.lines import read_lines
from textapps.datasets.source import Defect, Report

Cells = dict[str, str]
Table = Iterator[tuple[int, Cells]]
# The same with what is wrong where a row should be.
Rows = Iterator[tuple[int, Cells | Defect]]
Lines = Iterable[tuple[int, str]]


def table_format(path: Path) -> str | None:
    """The suffix that names the format of a file, without `.gz`; None where it is no table.

    >>> table_format(Path("reviews.TSV.gz")), table_format(Path("reviews.xlsx"))
    ('.tsv', None)
    """
    name = path.name.lower().removesuffix(".gz")
    return next((suffix for suffix in _READERS if name.endswith(suffix)), None)


def read_table(path: Path, report: Report) -> Table:
    """The number of the line on which a row starts, and the row as {column: cell}.

    Blank lines are passed over. Rows that do not fit the table go to `report` and, where that
    returns, are left out. DataError where the file is of no known kind or cannot be read.
    """
    for number, row in table_rows(path, read_lines(path, report)):
        if isinstance(row, Defect):
            report(row)
        else:
            yield number, row


def table_rows(path: Path, lines: Lines) -> Rows:
    """`read_table` of lines read already, with a defect in the place of each row that has one.

    Of `lines` no more is taken than the rows asked for need.
    """
    suffix = table_format(path)
    if suffix is None:
        known = ", ".join(_READERS)
        raise DataError(f"{path}: unknown kind of file, use {known} (.gz too) or a folder")
    return _READERS[suffix](path, lines)


def _read_csv(path: Path, lines: Lines) -> Rows:
    """Quoted as in RFC 4180: cells may hold commas, quotes and line ends."""
    # The default limit, 128 KiB a cell, is shorter than some texts; the setting is global.
    csv.field_size_limit(max(csv.field_size_limit(), 2**31 - 1))
    reader = csv.reader((line + "\n" for _, line in lines), strict=True)
    return _with_header(path, _csv_rows(path, reader))


def _csv_rows(path: Path, reader: Any) -> Iterator[tuple[int, list[str] | Defect]]:
    while True:
        start = reader.line_num + 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            message = f"not CSV ({error}); check the quotes from here on"
            yield start, Defect(f"{path}:{start}", message)
            continue
        if cells:
            yield start, cells


def _read_tsv(path: Path, lines: Lines) -> Rows:
    """Never quoted: a quotation mark is a character like others, a tab always ends a cell."""
    return _with_header(path, ((n, line.split("\t")) for n, line in lines if line.strip()))


def _with_header(path: Path, rows: Iterator[tuple[int, list[str] | Defect]]) -> Rows:
    columns: list[str] | None = None
    for number, cells in rows:
        if isinstance(cells, Defect):
            yield number, cells
        elif columns is None:
            columns = [column.strip() for column in cells]
        elif len(cells) == len(columns):
            yield number, dict(zip(columns, cells, strict=True))
        else:
            message = f"{len(cells)} cells in {len(columns)} columns"
            yield number, Defect(f"{path}:{number}", message)


def _read_json_lines(path: Path, lines: Lines) -> Rows:
    for number, line in lines:
        if line.strip():
            row = _json_row(line)
            yield number, Defect(f"{path}:{number}", row) if isinstance(row, str) else row


def _json_row(line: str) -> Cells | str:
    """The cells, or what is wrong."""
    try:
        row = json.loads(line)
    except (ValueError, RecursionError) as error:
        return f"not JSON ({error})"
    if not isinstance(row, dict):
        return 'not a JSON object, write {"text": …, "label": …}'
    cells = {column: _json_cell(value) for column, value in row.items()}
    try:
        "".join(cells.values()).encode()
    except UnicodeEncodeError:
        return "half of a surrogate pair, which is no character"
    return cells


def _json_cell(value: object) -> str:
    if isinstance(value, str):
        return value
    return "" if value is None else json.dumps(value)


def _read_text(path: Path, lines: Lines) -> Rows:
    """`label<TAB>text` on each line; a text may hold further tabs."""
    for number, line in lines:
        if not line.strip():
            continue
        label, tab, text = line.partition("\t")
        if tab:
            yield number, {"label": label, "text": text}
        else:
            message = "no label: write label, a tab, then the text"
            yield number, Defect(f"{path}:{number}", message)


_READERS: dict[str, Callable[[Path, Lines], Rows]] = {
    ".csv": _read_csv,
    ".tsv": _read_tsv,
    ".jsonl": _read_json_lines,
    ".txt": _read_text,
}
