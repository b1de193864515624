"""The table of file formats, by extension."""

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from textapps.core.errors import DataError
from textapps.core.notices import muted, notice
from textapps.datasets.columns import usual_column
from textapps.datasets.formats.delimited import read_csv, read_tsv
from textapps.datasets.formats.excel import read_excel
from textapps.datasets.formats.json_array import read_json
from textapps.datasets.formats.json_lines import read_json_lines
from textapps.datasets.formats.parquet import read_parquet
from textapps.datasets.formats.rows import LINE, Cells, Reading, Rows, rows_of_lines
from textapps.datasets.source import Report

_USUAL = Reading()


class Format(NamedTuple):
    """How files with one extension are read.

    read: yields the rows of a file, one by one. DataError if the file cannot be read
    named: rows have named columns; otherwise a row is a line of text
    uniform: all rows have the same columns
    packed: the file may be gzipped
    header: the names are in a first row, which may be missing
    """

    read: Callable[[Path, Reading], Rows]
    named: bool = True
    uniform: bool = True
    packed: bool = True
    header: bool = False


def _read_text(path: Path, reading: Reading) -> Rows:
    """Every line is a row, even a blank one."""
    return rows_of_lines(
        path, lambda lines: ((number, {LINE: line}, "") for number, line in lines), reading
    )


FORMATS = {
    ".csv": Format(read_csv, header=True),
    ".tsv": Format(read_tsv, header=True),
    ".json": Format(read_json, uniform=False),
    ".jsonl": Format(read_json_lines, uniform=False),
    ".parquet": Format(read_parquet, packed=False),
    ".xlsx": Format(read_excel, packed=False, header=True),
    ".txt": Format(_read_text, named=False),
}


def ending_of(path: Path) -> str | None:
    """The extension in `FORMATS` that a file name has, with or without `.gz`; else None.

    >>> ending_of(Path("reviews.TSV.gz")), ending_of(Path("reviews.docx"))
    ('.tsv', None)
    """
    name = path.name.lower()
    plain = name.removesuffix(".gz")
    ending = next((ending for ending in FORMATS if plain.endswith(ending)), None)
    return ending if ending and (plain == name or FORMATS[ending].packed) else None


def is_table(path: Path) -> bool:
    """Whether the file name has the extension of a format with named columns."""
    ending = ending_of(path)
    return ending is not None and FORMATS[ending].named


def format_of(path: Path, *, lines: bool = False, instead: str = "") -> Format:
    """The format of a file.

    DataError if it is unknown, or has no named columns and `lines` is false. `instead` ends the
    message: what to give instead of a file.
    """
    ending = ending_of(path)
    if ending and (lines or FORMATS[ending].named):
        return FORMATS[ending]
    known = {end: one.packed for end, one in FORMATS.items() if lines or one.named}
    packed = ", ".join(end for end in known if known[end])
    others = (", " if instead else " or ").join(end for end in known if not known[end])
    raise DataError(f"{path}: unknown kind of file, use {packed} (.gz too), {others}{instead}")


def without_header(
    path: Path,
    form: Format,
    reading: Reading,
    given: Iterable[str | None],
    kind: str | None = None,
) -> Reading:
    """`reading`, but without a header if columns are given by number, with a notice.

    A column that is called by such a number in the first row is meant by its name. With `kind`, a
    first row that has a usual name of such a column is a header.
    """
    numbers = {column for column in given if column is not None}
    if not (reading.header and form.header and numbers and all(map(str.isdecimal, numbers))):
        return reading
    bare = reading._replace(header=False)
    with muted():  # the file is read again
        first = next((cells for _, cells, _ in form.read(path, bare) if cells), {})
    names = {cell.strip() for cell in first.values()}
    if numbers & names or (kind is not None and usual_column(names, kind)):
        return reading
    notice("%s: columns by number, so the first line is a row and no header", path)
    return bare._replace(columns=len(first))


def read_table(
    path: Path, form: Format, report: Report, reading: Reading = _USUAL
) -> Iterator[tuple[int, Cells]]:
    """The number and the cells of each readable row; defects go to `report`."""
    for number, cells, defects in form.read(path, reading):
        for defect in defects:
            report(defect)
        if cells is not None and not (defects and reading.skip_bad):
            yield number, cells


def name_of(path: Path) -> str:
    """The file name without its extension and without `.gz`.

    >>> name_of(Path("in/part.00000.csv.GZ")), name_of(Path("poem"))
    ('part.00000', 'poem')
    """
    return Path(path.stem if path.suffix.lower() == ".gz" else path.name).stem
