"""Excel: the rows of one sheet of a workbook."""

import datetime
import warnings
from collections.abc import Callable, Iterator
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any, TypeVar

from textapps.core.errors import DataError, unknown
from textapps.core.notices import notice
from textapps.datasets.formats.delimited import with_columns
from textapps.datasets.formats.json_lines import cell_of
from textapps.datasets.formats.lines import opened
from textapps.datasets.formats.rows import Reading, Row, Rows
from textapps.datasets.source import Defect

T = TypeVar("T")
_BLOCK = 1_000  # rows in memory at a time
_RECALCULATE = "open the workbook in Excel or LibreOffice and save it"


def read_excel(path: Path, reading: Reading) -> Rows:
    """The rows of a sheet, `reading.sheet` or the first visible one, with Excel's row numbers.

    Blank rows are skipped. A formula has the value that was saved with it; a row with a formula
    without a saved value has a defect.

    Raises:
        DataError: openpyxl is not installed, the file is no workbook, it has no such sheet, or the
            sheet has no rows but the workbook has other sheets.
    """
    return with_columns(path, _rows(path, reading), reading)


def text_of_cell(value: object) -> str:
    """The value of a cell as text: dates as in ISO 8601, whole numbers without a fraction.

    >>> [text_of_cell(value) for value in (None, 3.0, 0.25, True, "x")]
    ['', '3', '0.25', 'true', 'x']
    >>> noon = datetime.datetime(2026, 1, 31, 12)
    >>> text_of_cell(noon), text_of_cell(noon.replace(hour=0)), text_of_cell(noon.time())
    ('2026-01-31 12:00:00', '2026-01-31', '12:00:00')
    """
    if isinstance(value, datetime.datetime):  # a date is midnight
        return str(value if value.time() != datetime.time() else value.date())
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    # A carriage return is stored like this.
    return cell_of(value).replace("_x000D_", "")


def _rows(path: Path, reading: Reading) -> Iterator[Row[list[str]]]:
    """Cells up to the last one that is not empty, filled up to the width of the first row."""
    try:
        import openpyxl.reader.excel
    except ModuleNotFoundError:
        raise DataError(
            f"{path}: Excel needs openpyxl, which is not installed: pip install 'textapps[excel]'"
        ) from None
    with opened(path) as stream:
        reader = openpyxl.reader.excel.ExcelReader

        def load(*, data_only: bool) -> Any:
            loading = reader(stream, read_only=True, data_only=data_only)
            loading.read_chartsheet = _skipped  # it has no rows, and openpyxl fails if it is empty
            loading.read()
            return loading.wb

        book = _guarded(path, lambda: load(data_only=True))
        found = _sheet(path, book, reading.sheet)
        rows = _cells(lambda: found)
        # Read only up to where they are needed.
        formulas = _cells(lambda: load(data_only=False)[found.title])
        number = width = filled = passed = 0
        while block := _guarded(path, lambda: list(islice(rows, _BLOCK))):
            sources = block
            if any(_has_no_value(cell) for row in block for cell in row):
                part = islice(formulas, number - passed, number - passed + len(block))
                sources = _guarded(path, partial(list, part))
                passed = number + len(block)
            for row, source in zip(block, sources, strict=True):
                number += 1
                if at := _formula_without_value(row, source):
                    message = f"the formula in {at} has no saved value; {_RECALCULATE}"
                    filled += 1
                    yield Row(number, None, (Defect(f"{path}:{number}", message),))
                    continue
                cells = [text_of_cell(cell.value) for cell in row]
                while cells and not cells[-1].strip():
                    cells.pop()
                if cells:
                    filled += 1
                    width = width or len(cells)
                    yield Row(number, cells + [""] * (width - len(cells)))
        others = [f"'{one.title}'" for one in book.worksheets if one.title != found.title]
        if others and filled <= reading.header:
            raise DataError(
                f"{path}: no rows in sheet '{found.title}'; choose another with --sheet: "
                f"{', '.join(others)}"
            )


def _skipped(sheet: object, relation: object) -> None:
    """In place of openpyxl's reader of a chart sheet."""


def _cells(sheet: Callable[[], Any]) -> Iterator[Any]:
    """The rows of a sheet as openpyxl's cells; the sheet is loaded when the first is needed."""
    loaded = sheet()
    loaded.reset_dimensions()  # some programs write wrong ones
    yield from loaded.iter_rows()


def _has_no_value(cell: Any) -> bool:
    """Whether a cell is in the file without a value; "str" is a formula whose value is ""."""
    return cell.value is None and cell.data_type != "str" and hasattr(cell, "row")


def _formula_without_value(values: Any, sources: Any) -> str | None:
    """The first such cell, as in "B2", of a row that was read as values and as formulas."""
    pairs = zip(values, sources, strict=True)
    found = (value for value, one in pairs if one.data_type == "f" and _has_no_value(value))
    return next((cell.coordinate for cell in found), None)


def _sheet(path: Path, book: Any, name: str | None) -> Any:
    sheets = {sheet.title: sheet for sheet in book.worksheets}
    if name is not None and name not in sheets:
        raise DataError(f"{path}: {unknown('sheet', name, sheets)}")
    if not sheets:
        raise DataError(f"{path}: no sheet with cells in this workbook")
    first = next(iter(sheets))
    visible = (title for title, sheet in sheets.items() if sheet.sheet_state == "visible")
    chosen = name or next(visible, first)
    if name is None and len(sheets) > 1:
        rank = "first" if chosen == first else "first visible"
        notice("%s: reads '%s', the %s of %d sheets", path, chosen, rank, len(sheets))
    return sheets[chosen]


def _guarded(path: Path, read: Callable[[], T]) -> T:
    """What openpyxl reads, without its remarks on formatting; DataError if it cannot."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return read()
        except Exception as error:  # of any type, from zipfile and XML parsers too
            cause = (str(error) or type(error).__name__).splitlines()[0]
            if isinstance(error, AttributeError | TypeError):  # a text about openpyxl's code
                cause = "openpyxl cannot read it"
            raise DataError(
                f"{path}: damaged or not an Excel workbook ({cause}); save it again as .xlsx, "
                "without a password"
            ) from None
