import csv
import io
import json
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from textapps.core.errors import DataError
from textapps.datasets.source import Defect, stop
from textapps.datasets.tables import read_table, table_format

# What any text may hold; NUL and the halves of surrogate pairs are refused elsewhere.
TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=9)


def table(path: Path) -> list[tuple[int, dict[str, str]]]:
    return list(read_table(path, stop))


def test_csv_is_quoted(write) -> None:
    path = write("a.csv", 'label,text\ngood,"well, ""so""\nand so"\n\nbad,plain "x"\n')
    assert table(path) == [
        (2, {"label": "good", "text": 'well, "so"\nand so'}),
        (5, {"label": "bad", "text": 'plain "x"'}),
    ]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(TEXT.filter(bool), TEXT), max_size=4))
def test_csv_brings_back_what_a_writer_wrote(write, rows: list[tuple[str, str]]) -> None:
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\r\n", quoting=csv.QUOTE_ALL)
    writer.writerows([("label", "text"), *rows])
    found = [tuple(cells.values()) for _, cells in table(write("a.csv", stream.getvalue()))]
    # The one thing not kept: how a line ends inside a cell.
    assert found == [tuple(cell.replace("\r\n", "\n") for cell in row) for row in rows]


def test_tsv_is_never_quoted(write) -> None:
    path = write("a.tsv", 'label\ttext\r\ngood\t"well\r\nbad\t\x85 a "b" c\u2028d\r\n')
    assert table(path) == [
        (2, {"label": "good", "text": '"well'}),
        (3, {"label": "bad", "text": '\x85 a "b" c\u2028d'}),
    ]


def test_json_lines(write) -> None:
    rows = [
        '{"text": "a\\nb", "label": true}',
        "",
        '{"label": 3, "text": "\\ud83d\\ude00"}',
        '{"text": null, "label": 1.5, "more": [2]}',
    ]
    assert table(write("a.jsonl", "\n".join(rows))) == [
        (1, {"text": "a\nb", "label": "true"}),
        (3, {"label": "3", "text": "😀"}),
        (4, {"text": "", "label": "1.5", "more": "[2]"}),
    ]


def test_plain_text(write) -> None:
    path = write("a.txt", "good\tone\ttab more\n\nbad\t\n")
    assert table(path) == [
        (1, {"label": "good", "text": "one\ttab more"}),
        (3, {"label": "bad", "text": ""}),
    ]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.csv", "label,text\ngood,a,b\n", ":2: 3 cells in 2 columns"),
        ("a.csv", 'label,text\ngood,"never closed\nbad,x\n', ":2: not CSV"),
        ("a.csv", 'label,text\ngood,"a"b\n', ":2: not CSV"),
        ("a.tsv", "label\ttext\n\ngood\n", ":3: 1 cells in 2 columns"),
        ("a.jsonl", '{"text": "a"}\n{"text": \n', ":2: not JSON"),
        ("a.jsonl", "[1]\n", ":1: not a JSON object"),
        ("a.jsonl", "[" * 100_000 + "\n", ":1: not JSON"),
        ("a.jsonl", '{"text": "\\ud800", "label": "x"}', ":1: half of a surrogate pair"),
        ("a.txt", "good\tfine\nno label here\n", ":2: no label: write label, a tab"),
    ],
)
def test_bad_rows_name_their_line(write, name: str, content: str, message: str) -> None:
    path = write(name, content)
    with pytest.raises(DataError) as caught:
        table(path)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_reading_goes_on_past_collected_defects(write) -> None:
    path = write("a.csv", 'label,text\nx\ngood,"a"b\nbad,fine\n')
    defects: list[Defect] = []
    assert list(read_table(path, defects.append)) == [(4, {"label": "bad", "text": "fine"})]
    assert [defect.place for defect in defects] == [f"{path}:2", f"{path}:3"]


@pytest.mark.parametrize("name", ["a.csv", "a.tsv", "a.jsonl", "a.txt"])
def test_a_line_of_a_megabyte(write, name: str) -> None:
    text = "word " * 200_000
    content = {
        "a.csv": f"label,text\ngood,{text}\n",
        "a.tsv": f"label\ttext\ngood\t{text}\n",
        "a.jsonl": json.dumps({"label": "good", "text": text}),
        "a.txt": f"good\t{text}",
    }[name]
    [(_, cells)] = table(write(name, content))
    assert cells == {"label": "good", "text": text}


def test_unknown_kind_lists_the_known(write) -> None:
    with pytest.raises(DataError, match=r"a\.xlsx: unknown kind of file, use \.csv, \.tsv"):
        table(write("a.xlsx", b""))


def test_table_format() -> None:
    assert table_format(Path("a.csv.gz")) == ".csv"
    assert table_format(Path("b.JSONL")) == ".jsonl"
    assert table_format(Path("csv")) is None
