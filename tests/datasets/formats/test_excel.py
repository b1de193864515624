"""Workbooks as people make them, written by openpyxl."""

import builtins
import datetime
import io
import zipfile
from collections.abc import Sequence
from pathlib import Path

import openpyxl
import openpyxl.chart
import pytest

from textapps.core.errors import DataError
from textapps.core.notices import NOTICE
from textapps.datasets.formats.registry import format_of, read_table, without_header
from textapps.datasets.formats.rows import Reading
from textapps.datasets.source import Defect, stop


def workbook(path: Path, **sheets: Sequence[Sequence[object]]) -> Path:
    book = openpyxl.Workbook()
    book.remove(book.active)
    for name, rows in sheets.items():
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append(list(row))
    book.save(path)
    return path


def read(path: Path, report=stop, **how: object) -> list[tuple[int, dict[str, str]]]:
    return list(read_table(path, format_of(path), report, Reading(**how)))


def test_cells_are_text_and_rows_are_numbered_as_in_excel(tmp_path: Path) -> None:
    day = datetime.datetime(2026, 1, 31)
    path = workbook(
        tmp_path / "a.xlsx",
        one=[
            (None,),
            ("id", " text ", "when", "share", None),
            (7, "two\nlines é😀", day, 4.0),
            (None, "", None),
            ("8", "007", day.replace(hour=9, minute=5), 0.25),
            (True, None, datetime.time(23, 59)),
        ],
    )
    assert read(path) == [
        (3, {"id": "7", "text": "two\nlines é😀", "when": "2026-01-31", "share": "4"}),
        (5, {"id": "8", "text": "007", "when": "2026-01-31 09:05:00", "share": "0.25"}),
        (6, {"id": "true", "text": "", "when": "23:59:00", "share": ""}),
    ]


def changed(path: Path, part: str, old: bytes, new: bytes) -> None:
    """Replace `old`, which occurs once, in a part of a workbook."""
    content = io.BytesIO()
    with zipfile.ZipFile(path) as before, zipfile.ZipFile(content, "w") as after:
        for name in before.namelist():
            data = before.read(name)
            if name.endswith(part):
                assert data.count(old) == 1
                data = data.replace(old, new)
            after.writestr(name, data)
    path.write_bytes(content.getvalue())


def test_a_formula_without_a_saved_value_is_a_defect_of_its_row(tmp_path: Path) -> None:
    """openpyxl saves none; other programs save a value, which may be an empty text."""
    rows: list[tuple[object, ...]] = [("n", "text")]
    rows += [(number, f"t{number}") for number in range(2, 2_100)]
    rows[2] = ('="a "&A3', "b")
    rows[2_050 - 1] = (None, '="a "&1')
    rows += [(1, '="empty"'), (2, '="saved"')]
    path = workbook(tmp_path / "a.xlsx", one=rows)
    changed(path, "sheet1.xml", b'r="B2100">', b'r="B2100" t="str">')
    changed(path, "sheet1.xml", b'<f>"saved"</f>', b'<f>"saved"</f><v>5</v>')
    defects: list[Defect] = []
    found = dict(read(path, defects.append))
    assert [defect.place for defect in defects] == [f"{path}:3", f"{path}:2050"]
    assert [defect.message for defect in defects] == [
        f"the formula in {at} has no saved value; open the workbook in Excel or LibreOffice and "
        "save it"
        for at in ("A3", "B2050")
    ]
    assert set(range(2, 2_102)) - set(found) == {3, 2_050}
    assert found[2_049] == {"n": "2049", "text": "t2049"}
    assert (found[2_100]["text"], found[2_101]["text"]) == ("", "5")
    with pytest.raises(DataError, match=r"a.xlsx:3: the formula in A3 has no saved value"):
        read(path)


def test_a_row_may_be_shorter_than_the_header_but_not_longer(tmp_path: Path) -> None:
    path = workbook(tmp_path / "a.xlsx", one=[("a", "b", "c"), ("x",), (1, 2, 3, None), (*"wxyz",)])
    defects: list[Defect] = []
    expected = [(2, {"a": "x", "b": "", "c": ""}), (3, {"a": "1", "b": "2", "c": "3"})]
    assert read(path, defects.append) == expected
    assert defects == [Defect(f"{path}:4", "4 cells in 3 columns")]
    twice = workbook(tmp_path / "b.xlsx", one=[("a", "b", "a")])
    with pytest.raises(DataError, match=r"b.xlsx: two columns are called 'a'; rename one"):
        read(twice)


def test_the_first_sheet_or_the_one_that_is_named(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = workbook(tmp_path / "a.xlsx", Reviews=[("a",), ("x",)], Notes=[("a",), ("y",), ("z",)])
    with caplog.at_level(NOTICE, "textapps"):
        assert read(path) == [(2, {"a": "x"})]
        assert caplog.messages == [f"{path}: reads 'Reviews', the first of 2 sheets"]
        caplog.clear()
        assert read(path, sheet="Notes") == [(2, {"a": "y"}), (3, {"a": "z"})]
    assert not caplog.messages
    with pytest.raises(DataError, match=r"unknown sheet 'notes', choose from Reviews, Notes; did"):
        read(path, sheet="notes")


@pytest.mark.parametrize("state", ["hidden", "veryHidden"])
def test_the_first_visible_sheet(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, state: str
) -> None:
    path = workbook(tmp_path / "a.xlsx", Lists=[("a",), ("x",)], Seen=[("a",), ("y",)], Last=[])
    book = openpyxl.load_workbook(path)
    book["Lists"].sheet_state = state
    book.active = 1
    book.save(path)
    with caplog.at_level(NOTICE, "textapps"):
        assert read(path) == [(2, {"a": "y"})]
    assert caplog.messages == [f"{path}: reads 'Seen', the first visible of 3 sheets"]
    assert read(path, sheet="Lists") == [(2, {"a": "x"})]


@pytest.mark.parametrize("title", [[], [("Avis de clients",)]])
def test_a_sheet_without_rows_names_the_others(tmp_path: Path, title: list[tuple[str]]) -> None:
    sheets = {"Info": title, "Avis été": [("a",), ("x",)], "Notes": [("b",), ("y",)]}
    path = workbook(tmp_path / "a.xlsx", **sheets)
    message = "no rows in sheet 'Info'; choose another with --sheet: 'Avis été', 'Notes'"
    with pytest.raises(DataError, match=f"a.xlsx: {message}$"):
        read(path)
    assert read(workbook(tmp_path / "b.xlsx", Info=title)) == []


def test_sheets_of_charts_are_passed_over(tmp_path: Path) -> None:
    path = workbook(tmp_path / "a.xlsx", one=[("a", "b"), ("x", '="y"')])
    book = openpyxl.load_workbook(path)
    book.create_chartsheet("empty", 0)
    bars = openpyxl.chart.BarChart()
    book.create_chartsheet("bars", 1).add_chart(bars)
    book.save(path)
    defects: list[Defect] = []
    assert read(path, defects.append) == []
    assert [defect.place for defect in defects] == [f"{path}:2"]
    with pytest.raises(DataError, match="unknown sheet 'empty', choose from one"):
        read(path, sheet="empty")


@pytest.mark.parametrize("error", [AttributeError, TypeError])
def test_an_error_of_openpyxl_shows_no_text_about_its_code(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: type[Exception]
) -> None:
    def fail(*_: object) -> None:
        raise error("'list' object has no attribute 'find'")

    path = workbook(tmp_path / "a.xlsx", one=[("a",), ("x",)])
    monkeypatch.setattr(openpyxl.reader.excel.ExcelReader, "read_worksheets", fail)
    with pytest.raises(DataError, match=r"workbook \(openpyxl cannot read it\); save it again"):
        read(path)


def test_columns_by_number_are_said_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = workbook(tmp_path / "a.xlsx", one=[("x", 5), ("y", 6)], two=[])
    with caplog.at_level(NOTICE, "textapps"):
        form = format_of(path)
        reading = without_header(path, form, Reading(), ["2"])
        found = list(read_table(path, form, stop, reading))
    assert found == [(1, {"1": "x", "2": "5"}), (2, {"1": "y", "2": "6"})]
    assert caplog.messages == [
        f"{path}: columns by number, so the first line is a row and no header",
        f"{path}: reads 'one', the first of 2 sheets",
    ]


def test_more_rows_than_are_read_at_a_time(tmp_path: Path) -> None:
    rows = [(f"r{number}",) for number in range(2_345)]
    path = workbook(tmp_path / "a.xlsx", one=[("a",), *rows])
    assert [cells["a"] for _, cells in read(path)] == [name for (name,) in rows]


def test_a_wrong_dimension_hides_no_cells(tmp_path: Path) -> None:
    """Some programs write that a sheet has one cell."""
    path = workbook(tmp_path / "a.xlsx", one=[("a", "b"), ("x", "y")])
    changed(path, "sheet1.xml", b'ref="A1:B2"', b'ref="A1"')
    assert read(path) == [(2, {"a": "x", "b": "y"})]


@pytest.mark.parametrize("content", [b"", b"text,label\na,b\n", b"PK\x03\x04 cut off"])
def test_what_is_no_workbook_is_an_error_of_one_line(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "a.xlsx"
    path.write_bytes(content)
    with pytest.raises(
        DataError, match=r"a.xlsx: damaged or not an Excel workbook \(.*save it"
    ) as e:
        read(path)
    assert "\n" not in str(e.value)


def test_a_truncated_workbook(tmp_path: Path) -> None:
    whole = workbook(tmp_path / "a.xlsx", one=[("a",), ("x",)]).read_bytes()
    for size in range(100, len(whole), 700):
        path = tmp_path / "b.xlsx"
        path.write_bytes(whole[:size])
        with pytest.raises(DataError, match="damaged or not an Excel workbook"):
            read(path)


def test_without_openpyxl_it_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = workbook(tmp_path / "a.xlsx", one=[("a",), ("x",)])
    importing = builtins.__import__

    def without(name: str, *rest: object) -> object:
        if name.partition(".")[0] == "openpyxl":
            raise ModuleNotFoundError(name)
        return importing(name, *rest)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(DataError, match=r"pip install 'textapps\[excel\]'"):
        read(path)
