"""CSV, TSV, JSON lines and labelled plain text as rows of named cells."""

import csv
import json
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from textapps.datasets.lines import read_lines
from textapps.datasets.source import Defect, Report
from textapps.errors import DataError

Table = Iterator[tuple[int, dict[str, str]]]


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
    suffix = table_format(path)
    if suffix is None:
        known = ", ".join(_READERS)
        raise DataError(f"{path}: unknown kind of file, use {known} (.gz too) or a folder")
    return _READERS[suffix](path, read_lines(path, report), report)


def _read_csv(path: Path, lines: Iterable[tuple[int, str]], report: Report) -> Table:
    """Quoted as in RFC 4180: cells may hold commas, quotes and line ends."""
    # The default limit, 128 KiB a cell, is shorter than some texts; the setting is global.
    csv.field_size_limit(max(csv.field_size_limit(), 2**31 - 1))
    reader = csv.reader((line + "\n" for _, line in lines), strict=True)
    return _with_header(path, _csv_rows(path, reader, report), report)


def _csv_rows(path: Path, reader: Any, report: Report) -> Iterator[tuple[int, list[str]]]:
    while True:
        start = reader.line_num + 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            report(Defect(f"{path}:{start}", f"not CSV ({error}); check the quotes from here on"))
            continue
        if cells:
            yield start, cells


def _read_tsv(path: Path, lines: Iterable[tuple[int, str]], report: Report) -> Table:
    """Never quoted: a quotation mark is a character like others, a tab always ends a cell."""
    rows = ((number, line.split("\t")) for number, line in lines if line.strip())
    return _with_header(path, rows, report)


def _with_header(path: Path, rows: Iterator[tuple[int, list[str]]], report: Report) -> Table:
    _, header = next(rows, (0, []))
    columns = [column.strip() for column in header]
    for number, cells in rows:
        if len(cells) == len(columns):
            yield number, dict(zip(columns, cells, strict=True))
        else:
            report(Defect(f"{path}:{number}", f"{len(cells)} cells in {len(columns)} columns"))


def _read_json_lines(path: Path, lines: Iterable[tuple[int, str]], report: Report) -> Table:
    for number, line in lines:
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except (ValueError, RecursionError) as error:
            report(Defect(f"{path}:{number}", f"not JSON ({error})"))
            continue
        if not isinstance(row, dict):
            report(Defect(f"{path}:{number}", 'not a JSON object, write {"text": …, "label": …}'))
            continue
        cells = {column: _json_cell(value) for column, value in row.items()}
        try:
            "".join(cells.values()).encode()
        except UnicodeEncodeError:
            report(Defect(f"{path}:{number}", "half of a surrogate pair, which is no character"))
            continue
        yield number, cells


def _json_cell(value: object) -> str:
    if isinstance(value, str):
        return value
    return "" if value is None else json.dumps(value)


def _read_text(path: Path, lines: Iterable[tuple[int, str]], report: Report) -> Table:
    """`label<TAB>text` on each line; a text may hold further tabs."""
    for number, line in lines:
        if not line.strip():
            continue
        label, tab, text = line.partition("\t")
        if tab:
            yield number, {"label": label, "text": text}
        else:
            report(Defect(f"{path}:{number}", "no label: write label, a tab, then the text"))


_READERS: dict[str, Callable[[Path, Iterable[tuple[int, str]], Report], Table]] = {
    ".csv": _read_csv,
    ".tsv": _read_tsv,
    ".jsonl": _read_json_lines,
    ".txt": _read_text,
}
