import csv
import gzip
import io
import json
from collections.abc import Sequence
from pathlib import Path

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from textapps.core.errors import DataError
from textapps.core.notices import NOTICE
from textapps.datasets.formats.delimited import check_delimiter
from textapps.datasets.formats.registry import FORMATS, ending_of, format_of, is_table, read_table
from textapps.datasets.formats.rows import LINE, Reading
from textapps.datasets.source import Defect, stop

# What any text may hold; NUL and the halves of surrogate pairs are refused elsewhere.
TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=9)
Cells = dict[str, str]


def table(path: Path, report=stop, *, header: bool = True) -> list[tuple[int, Cells]]:
    form = format_of(path, lines=True)
    return list(read_table(path, form, report, Reading(header=header)))


def written(ending: str, rows: Sequence[Cells]) -> bytes:
    """The file that another library makes of rows with the same columns."""
    if ending == ".parquet":
        sink = io.BytesIO()
        columns = {name: [row[name] for row in rows] for name in rows[0]}
        pq.write_table(pa.table(columns), sink, row_group_size=2)
        return sink.getvalue()
    if ending == ".xlsx":
        book = openpyxl.Workbook()
        for line in (rows[0], *(row.values() for row in rows)):
            book.active.append(list(line))
        sink = io.BytesIO()
        book.save(sink)
        return sink.getvalue()
    if ending == ".csv":
        stream = io.StringIO()
        writer = csv.DictWriter(stream, rows[0], lineterminator="\r\n", quoting=csv.QUOTE_ALL)
        writer.writeheader()
        writer.writerows(rows)
        return stream.getvalue().encode()
    lines = {
        ".json": [json.dumps(rows, indent=2)],
        ".jsonl": map(json.dumps, rows),
        ".tsv": ["\t".join(rows[0]), *("\t".join(row.values()) for row in rows)],
        ".txt": ("".join(row.values()) for row in rows),
    }
    return "\n".join(lines[ending]).encode()


@pytest.mark.parametrize("ending", FORMATS)
def test_every_format_brings_back_what_another_library_wrote(write, ending: str) -> None:
    rows = [
        {"label": "good", "text": 'well "so", é\x85😀'},
        # A megabyte on one line; a cell of Excel holds 32 KiB.
        {"label": "bad", "text": "word " * (6_000 if ending == ".xlsx" else 200_000)},
        {"label": "", "text": " x"},
    ]
    if ending == ".txt":
        rows = [{LINE: row["text"]} for row in rows]
    content = written(ending, rows)
    names = [f"a{ending}", f"a{ending.upper()}"]
    if FORMATS[ending].packed:
        names.append(f"a{ending}.gz")
    for name in names:
        path = write(name, gzip.compress(content) if name.endswith("gz") else content)
        assert [cells for _, cells in table(path)] == rows


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(TEXT.filter(bool), TEXT), max_size=4))
def test_csv_brings_back_what_a_writer_wrote(write, rows: list[tuple[str, str]]) -> None:
    named = [{"label": label, "text": text} for label, text in [("", ""), *rows]]
    _, *found = [tuple(row.values()) for _, row in table(write("a.csv", written(".csv", named)))]
    # The one thing not kept: how a line ends inside a cell.
    assert found == [tuple(cell.replace("\r\n", "\n") for cell in row) for row in rows]


@pytest.mark.parametrize(
    ("name", "content", "rows"),
    [
        (
            "a.csv",
            'label,text\ngood,"well, ""so""\nand so"\n\nbad,plain "x"\n',
            [
                (2, {"label": "good", "text": 'well, "so"\nand so'}),
                (5, {"label": "bad", "text": 'plain "x"'}),
            ],
        ),
        (
            "a.tsv",
            ' label \ttext\r\ngood\t"well\r\nbad\t\x85 a "b" c\u2028d\r\n',
            [
                (2, {"label": "good", "text": '"well'}),
                (3, {"label": "bad", "text": '\x85 a "b" c\u2028d'}),
            ],
        ),
        (
            "a.jsonl",
            '{"text": "a\\nb", "label": true}\n\n{"label": 3, "text": "\\ud83d\\ude00"}\n'
            '{"text": null, "label": 1.5, "more": [2]}',
            [
                (1, {"text": "a\nb", "label": "true"}),
                (3, {"label": "3", "text": "😀"}),
                (4, {"text": "", "label": "1.5", "more": "[2]"}),
            ],
        ),
        ("a.txt", "one\ttab\n\n", [(1, {LINE: "one\ttab"}), (2, {LINE: ""})]),
    ],
)
def test_rows_and_their_lines(write, name: str, content: str, rows: list) -> None:
    assert table(write(name, content)) == rows


@pytest.mark.parametrize("delimiter", [";", "\t", "|"])
def test_the_delimiter_of_csv_is_found_and_said(
    write, caplog: pytest.LogCaptureFixture, delimiter: str
) -> None:
    lines = ['id{}"well, text"{}label', '1{}"a, ""b""\n c"{}x', "2{}d, e{}y"]
    path = write("a.csv", "\r\n".join(line.replace("{}", delimiter) for line in lines))
    with caplog.at_level(NOTICE, "textapps"):
        found = table(path)
    assert [tuple(cells.values()) for _, cells in found] == [
        ("1", 'a, "b"\n c', "x"),
        ("2", "d, e", "y"),
    ]
    assert list(found[0][1]) == ["id", "well, text", "label"]
    (said,) = caplog.messages
    assert said.startswith(f"{path}: cells are separated by ")


def test_a_delimiter_can_be_named(write, caplog: pytest.LogCaptureFixture) -> None:
    for name in ("a.csv", "a.tsv"):
        path = write(name, "id:a,b\n1:x,y\n")
        found = read_table(path, format_of(path), stop, Reading(delimiter=":"))
        assert list(found) == [(2, {"id": "1", "a,b": "x,y"})]
    assert not caplog.messages
    with pytest.raises(ValueError, match="a delimiter is one character, such as ';', or 'tab'"):
        check_delimiter("::")


@pytest.mark.parametrize("name", ["a.csv", "a.tsv"])
def test_column_names_may_not_repeat(write, name: str) -> None:
    path = write(name, "id,text, text\n1,a,b\n".replace(",", "," if name == "a.csv" else "\t"))
    with pytest.raises(DataError, match=rf"{name}: two columns are called 'text'; rename one"):
        table(path)
    # Excel leaves empty columns behind.
    path = write(name, "text,,\na,,\n".replace(",", "," if name == "a.csv" else "\t"))
    assert table(path) == [(2, {"text": "a", "": ""})]


def test_json_is_an_array_or_lines(write) -> None:
    defects: list[Defect] = []
    path = write("a.json", ' [{"text": "a",\n "n": 1},\n 7, {"text": "\\ud800"}]')
    assert table(path, defects.append) == [(1, {"text": "a", "n": "1"})]
    assert [defect.place for defect in defects] == [f"{path}:2", f"{path}:3"]
    assert table(write("a.json", '{"text": "a"}\n\n{"text": "b"}')) == [
        (1, {"text": "a"}),
        (3, {"text": "b"}),
    ]
    with pytest.raises(DataError, match=r"a\.json: not JSON \("):
        table(write("a.json", '[{"text": "a"}'))


@pytest.mark.parametrize("name", ["a.csv", "a.tsv"])
def test_without_a_header_columns_have_numbers(write, name: str) -> None:
    path = write(name, "a\tb\nc\n".replace("\t", "," if name == "a.csv" else "\t"))
    assert table(path, header=False) == [(1, {"1": "a", "2": "b"}), (2, {"1": "c"})]


def test_values_of_parquet(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    values = {
        "text": pa.array([b"caf\xc3\xa9", None, b"m\xe9"], pa.binary()),
        "label": pa.array([True, None, False]),
        "day": pa.array([0, 1, None], pa.date32()),
        "more": pa.array([[1, 2], [], None]),
    }
    pq.write_table(pa.table(values), path)
    defects: list[Defect] = []
    assert table(path, defects.append) == [
        (1, {"text": "café", "label": "true", "day": "1970-01-01", "more": "[1, 2]"}),
        (2, {"text": "", "label": "", "day": "1970-01-02", "more": "[]"}),
        (3, {"text": "m\ufffd", "label": "false", "day": "", "more": ""}),
    ]
    [(place, message)] = defects
    assert (place, message.startswith("not UTF-8 (byte 0xe9 at")) == (f"{path}:3", True)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.csv", "label,text\ngood,a,b\n", ":2: 3 cells in 2 columns"),
        ("a.csv", 'label,text\ngood,"never closed\nbad,x\n', ":2: not CSV"),
        ("a.csv", 'label,text\ngood,"a"b\n', ":2: not CSV"),
        ("a.csv", b"lab\xffel,text\ngood,a\n", ":1: not UTF-8"),
        ("a.tsv", "label\ttext\n\ngood\n", ":3: 1 cell in 2 columns"),
        ("a.jsonl", '{"text": "a"}\n{"text": \n', ":2: not JSON"),
        ("a.jsonl", "[1]\n", ":1: not a JSON object"),
        ("a.jsonl", "[" * 100_000 + "\n", ":1: not JSON"),
        ("a.jsonl", '{"text": "\\ud800", "label": "x"}', ":1: half of a surrogate pair"),
        ("a.parquet", "text\n", "a.parquet: damaged or not Parquet ("),
        ("a.parquet", written(".parquet", [{"text": "a" * 99}])[:-20], "a.parquet: damaged or not"),
        (
            "a.xls",
            "",
            "unknown kind of file, use .csv, .tsv, .json, .jsonl, .txt (.gz too), .parquet or "
            ".xlsx",
        ),
        ("a.parquet.gz", "", "unknown kind of file, use .csv, "),
    ],
)
def test_what_cannot_be_read_names_its_line(write, name: str, content, message: str) -> None:
    path = write(name, content)
    with pytest.raises(DataError) as caught:
        table(path)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("ending", FORMATS)
def test_a_file_that_is_not_there(tmp_path: Path, ending: str) -> None:
    with pytest.raises(DataError, match=r"^cannot read .*/none\.\w+: No such file or directory$"):
        table(tmp_path / f"none{ending}")


def test_reading_goes_on_past_collected_defects(write) -> None:
    path = write("a.csv", b'label,text\nx\ngood,"a"b\nbad,f\xffne\n\xff\n')
    defects: list[Defect] = []
    assert table(path, defects.append) == [(4, {"label": "bad", "text": "f\ufffdne"})]
    assert [defect.place for defect in defects] == [f"{path}:{n}" for n in (2, 3, 4, 5, 5)]


def test_a_table_is_streamed(write) -> None:
    """What is wrong further down is not met before it is reached."""
    path = write("a.csv", "text\none\ntwo\nthree,3\n")
    rows = read_table(path, format_of(path), stop)
    assert [next(rows)[0], next(rows)[0]] == [2, 3]
    with pytest.raises(DataError, match=":4: 2 cells"):
        next(rows)


def test_endings() -> None:
    names = ("a.csv.gz", "b.JSONL", "csv", "a.parquet.gz", "a.txt")
    assert [ending_of(Path(name)) for name in names] == [".csv", ".jsonl", None, None, ".txt"]
    assert [is_table(Path(name)) for name in names] == [True, True, False, False, False]
    with pytest.raises(
        DataError, match=r"a\.txt: unknown kind of file, .*, \.parquet, \.xlsx, or a poem"
    ):
        format_of(Path("a.txt"), instead=", or a poem")
