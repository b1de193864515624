import gzip
from pathlib import Path

import pytest

from textapps.core.errors import DataError
from textapps.datasets.config import CorpusConfig
from textapps.datasets.corpus.sources import (
    TextFile,
    TextFolder,
    decode_document,
    open_documents,
    read_document,
)

ODD = "\tGröße \x85 \u2028 a\rb\x0c\n\n詩  \n"


@pytest.mark.parametrize("bom", [b"", b"\xef\xbb\xbf"])
@pytest.mark.parametrize("end", [b"\n", b"\r\n"])
def test_a_text_is_left_as_it_is_but_for_mark_and_line_ends(write, bom: bytes, end: bytes) -> None:
    raw = bom + ODD.encode().replace(b"\n", end)
    assert read_document(write("odd.txt", raw)) == ODD
    assert read_document(write("odd.txt.GZ", gzip.compress(raw))) == ODD
    assert decode_document(raw, "here") == ODD


def test_a_mark_inside_is_a_character() -> None:
    assert decode_document("a\ufeff".encode(), "here") == "a\ufeff"


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        (b"", "is empty"),
        (b"\xef\xbb\xbf", "is empty"),
        (b"ab\xff", r"not UTF-8 \(byte 0xff at position 3\); save it as UTF-8"),
        (b"\n\nab\0", "a NUL character: UTF-16 or binary"),
        ("Größe".encode("utf-16-le"), "not UTF-8"),
        ("中文".encode("gb18030"), "not UTF-8"),
        (b" \r\n\t\n", "is empty"),
        (b"\xed\xa0\x80", "not UTF-8"),
    ],
)
def test_no_text(write, raw: bytes, message: str) -> None:
    path = write("odd.txt", raw)
    with pytest.raises(DataError, match=f"odd.txt.* {message}"):
        read_document(path)


def test_files_that_cannot_be_read(write, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"cannot read .*: Is a directory"):
        read_document(tmp_path)
    with pytest.raises(DataError, match="damaged or not gzip"):
        read_document(write("odd.gz", b"plain"))
    with pytest.raises(DataError, match="damaged or not gzip"):
        read_document(write("cut.gz", gzip.compress(b"text" * 99)[:-9]))


@pytest.mark.parametrize(
    ("name", "called"),
    [
        ("poem.txt", "poem"),
        ("poem", "poem"),
        ("poem.v2.md.GZ", "poem.v2"),
        ("my poems (2).text", "my-poems-2"),
    ],
)
def test_names(name: str, called: str) -> None:
    assert TextFile(Path(name)).name == called


def test_a_folder_is_read_in_the_order_of_its_paths(write) -> None:
    for name in ("b.txt", "a/z.MD", "a/b/c.text", "B.txt.gz", "c.py", ".git/d.txt", "e/.f.txt"):
        content = name.encode()
        write(f"songs/{name}", gzip.compress(content) if name.endswith("gz") else content)
    write("songs/empty.txt", "")
    write("songs/blank.txt", "\n")
    folder = TextFolder(write("songs/c.csv", "x").parent)
    assert (folder.name, folder.own_splits) == ("songs", frozenset())
    assert folder.examples(None) == ["B.txt.gz", "a/b/c.text", "a/z.MD", "b.txt"]


def test_splits_of_a_folder(write, caplog: pytest.LogCaptureFixture) -> None:
    for name in ("train/2.txt", "train/1.txt", "Val.md.gz", "notes.txt"):
        content = name.encode()
        write(f"songs/{name}", gzip.compress(content) if name.endswith("gz") else content)
    folder = TextFolder(write("songs/x", "x").parent)
    assert folder.own_splits == {"train", "validation"}
    assert folder.examples("train") == ["train/1.txt", "train/2.txt"]
    assert folder.examples("validation") == ["Val.md.gz"]
    assert folder.examples("test") == []
    (warning,) = caplog.messages
    assert warning == f"{folder.path / 'notes.txt'}: left out, because it belongs to no split"


def test_a_folder_with_only_test_is_not_split(write) -> None:
    folder = TextFolder(write("songs/test.txt", "a").parent)
    assert (folder.own_splits, folder.examples(None)) == (frozenset(), ["a"])


def test_a_folder_without_texts(write) -> None:
    folder = TextFolder(write("songs/a.csv", "text\n").parent)
    with pytest.raises(DataError, match=r"no text files \(.txt, .md, .text; .gz too\)"):
        folder.examples(None)


def test_documents_of_a_table(write) -> None:
    rows = (
        '{"Body": "  a\\r\\nb "}\n{"Body": " \\n"}\n{"Body": null}\n{"Body": "\ufeffa"}\n{"n": 1}\n'
    )
    path = str(write("rows.jsonl", rows))
    table = open_documents(path, CorpusConfig())
    assert (table.own_splits, table.unit) == (frozenset(), "row")
    assert table.examples(None) == ["  a\nb ", "\ufeffa"]
    path = str(write("rows.csv", "text,n,split\none,1,train\ntwo,2,Dev\nthree,3,train\n"))
    table = open_documents(path, CorpusConfig(text_column="n"))
    assert (table.own_splits, table.examples("validation")) == ({"train", "validation"}, ["2"])
    with pytest.raises(DataError, match=r"no column 'txt', .* did you mean 'text'"):
        open_documents(path, CorpusConfig(text_column="txt")).examples(None)


def test_texts_of_a_prepared_set(prepare) -> None:
    rows = [("\ufeffone\r\n", 0), (" ", 0), ("two", 1)]
    many = prepare("pets", train=rows, test=[("é", 1)]).parent
    plays = prepare("plays", train=[("to be, ", 0)], test=[("question", 0)]).parent
    pets, play = (open_documents(str(path), CorpusConfig()) for path in (many, plays))
    assert (pets.unit, pets.examples("train")) == ("row", ["one\n", "two"])
    assert (play.unit, play.own_splits) == ("part", {"train", "test"})
