import gzip
from pathlib import Path

import pytest

from textapps.core.errors import DataError
from textapps.datasets.corpus.files import (
    TableDocuments,
    TextFile,
    TextFolder,
    decode_text,
    is_table,
    read_text,
)

ODD = "\tGröße \x85 \u2028 a\rb\x0c\n\n詩  \n"


@pytest.mark.parametrize("bom", [b"", b"\xef\xbb\xbf"])
@pytest.mark.parametrize("end", [b"\n", b"\r\n"])
def test_a_text_is_left_as_it_is_but_for_mark_and_line_ends(write, bom: bytes, end: bytes) -> None:
    raw = bom + ODD.encode().replace(b"\n", end)
    assert read_text(write("odd.txt", raw)) == ODD
    assert read_text(write("odd.txt.GZ", gzip.compress(raw))) == ODD
    assert decode_text(raw, "here") == ODD


def test_a_mark_inside_is_a_character() -> None:
    assert decode_text("a\ufeff".encode(), "here") == "a\ufeff"


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        (b"", "is empty"),
        (b"\xef\xbb\xbf", "is empty"),
        (b"ab\xff", r"not UTF-8 \(byte 0xff at position 3\); save it as UTF-8"),
        (b"\n\nab\0", "a NUL character: UTF-16 or binary"),
        ("Größe".encode("utf-16"), "not UTF-8"),
        ("中文".encode("gb18030"), "not UTF-8"),
        (b" \r\n\t\n", "is empty"),
        (b"\xed\xa0\x80", "not UTF-8"),
    ],
)
def test_no_text(write, raw: bytes, message: str) -> None:
    path = write("odd.txt", raw)
    with pytest.raises(DataError, match=f"odd.txt.* {message}"):
        read_text(path)


def test_files_that_cannot_be_read(write, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"cannot read .*: Is a directory"):
        read_text(tmp_path)
    with pytest.raises(DataError, match="damaged or not gzip"):
        read_text(write("odd.gz", b"plain"))
    with pytest.raises(DataError, match="damaged or not gzip"):
        read_text(write("cut.gz", gzip.compress(b"text" * 99)[:-9]))


@pytest.mark.parametrize(
    ("name", "called", "table"),
    [
        ("poem.txt", "poem", False),
        ("poem", "poem", False),
        ("poem.v2.md.GZ", "poem.v2", False),
        ("my poems (2).text", "my-poems-2", False),
        ("rows.TSV", "rows", True),
        ("rows.jsonl.gz", "rows", True),
    ],
)
def test_names(name: str, called: str, table: bool) -> None:
    assert TextFile(Path(name)).name == called
    assert is_table(Path(name)) == table


def test_a_folder_is_read_in_the_order_of_its_paths(write) -> None:
    for name in ("b.txt", "a/z.MD", "a/b/c.text", "B.txt.gz", "c.py", ".git/d.txt", "e/.f.txt"):
        content = name.encode()
        write(f"songs/{name}", gzip.compress(content) if name.endswith("gz") else content)
    write("songs/empty.txt", "")
    write("songs/blank.txt", "\n")
    folder = TextFolder(write("songs/c.csv", "x").parent)
    assert (folder.name, folder.own_splits) == ("songs", frozenset())
    assert folder.texts(None) == ["B.txt.gz", "a/b/c.text", "a/z.MD", "b.txt"]


def test_splits_of_a_folder(write, caplog: pytest.LogCaptureFixture) -> None:
    for name in ("train/2.txt", "train/1.txt", "Val.md.gz", "notes.txt"):
        content = name.encode()
        write(f"songs/{name}", gzip.compress(content) if name.endswith("gz") else content)
    folder = TextFolder(write("songs/x", "x").parent)
    assert folder.own_splits == {"train", "validation"}
    assert folder.texts("train") == ["train/1.txt", "train/2.txt"]
    assert folder.texts("validation") == ["Val.md.gz"]
    assert folder.texts("test") == []
    (warning,) = caplog.messages
    assert warning == f"{folder.path / 'notes.txt'}: left out, because it belongs to no split"


def test_a_folder_with_only_test_is_not_split(write) -> None:
    folder = TextFolder(write("songs/test.txt", "a").parent)
    assert (folder.own_splits, folder.texts(None)) == (frozenset(), ["a"])


def test_a_folder_without_texts(write) -> None:
    folder = TextFolder(write("songs/a.csv", "text\n").parent)
    with pytest.raises(DataError, match=r"no text files \(.txt, .md, .text; .gz too\)"):
        folder.texts(None)


def test_documents_of_a_table(write) -> None:
    path = write(
        "rows.jsonl", '{"Body": "  a\\r\\nb "}\n{"Body": " \\n"}\n{"Body": null}\n{"Body": "a"}\n'
    )
    table = TableDocuments(path)
    assert (table.name, table.own_splits) == ("rows", frozenset())
    assert table.texts(None) == ["  a\nb ", "a"]


def test_splits_of_a_table(write) -> None:
    path = write("rows.csv", "text,n,split\none,1,train\ntwo,2,Dev\nthree,3,train\n")
    table = TableDocuments(path)
    assert table.own_splits == {"train", "validation"}
    assert table.texts("train") == ["one", "three"]
    assert TableDocuments(path, "n").texts("validation") == ["2"]


@pytest.mark.parametrize(
    ("content", "column", "message"),
    [
        ("a\tb\n1\t2\n", None, "no text column, the columns are a, b; name it with --text-column"),
        ("text\tb\n1\t2\n", "txt", "no column 'txt', .* did you mean 'text'"),
        ("text\tsplit\none\tsome\n", None, "rows.tsv:2: unknown split 'some', write one of train"),
        ("text\n", None, "no rows with a text"),
        ("text\n \n", None, "no rows with a text"),
        ("text\none\ttwo\n", None, "rows.tsv:2: 2 cells in 1 columns"),
        ("text\na\0b\n", None, "rows.tsv:2: a NUL character"),
    ],
)
def test_bad_tables(write, content: str, column: str | None, message: str) -> None:
    with pytest.raises(DataError, match=message):
        _ = TableDocuments(write("rows.tsv", content), column).own_splits
