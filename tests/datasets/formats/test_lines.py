import gzip
from pathlib import Path
from typing import Any

import pytest

from textapps.core.errors import DataError
from textapps.core.notices import NOTICE
from textapps.datasets.formats.lines import check_encoding, read_lines, read_pieces, read_text
from textapps.datasets.source import Defect, stop


def test_only_line_feeds_end_lines(write) -> None:
    path = write("a.txt", "one\x85\u2028\x0b\r still\r\ntwo\n\nfour")
    expected = [(1, "one\x85\u2028\x0b\r still"), (2, "two"), (3, ""), (4, "four")]
    assert list(read_lines(path, stop)) == expected


def test_byte_order_mark_is_dropped_at_the_start_only(write) -> None:
    path = write("a.txt", "\ufeffone\n\ufefftwo\n")
    assert list(read_lines(path, stop)) == [(1, "one"), (2, "\ufefftwo")]


def test_gzip(write) -> None:
    path = write("a.txt.gz", gzip.compress("één\ntwee".encode()))
    assert list(read_lines(path, stop)) == [(1, "één"), (2, "twee")]


@pytest.mark.parametrize(
    "content",
    [b"not gzip at all", gzip.compress(b"line\n" * 5000)[:-9], b"\x1f\x8b\x08"],
    ids=["none", "cut off", "header cut off"],  # with the time that gzip notes, ids would differ
)
def test_damaged_gzip(write, content: bytes) -> None:
    path = write("a.txt.gz", content)
    with pytest.raises(DataError, match=r"a\.txt\.gz: damaged or not gzip"):
        list(read_lines(path, stop))


def test_undecodable_bytes_name_file_line_and_position(write) -> None:
    path = write("a.txt", b"fine\ncaf\xe9\nfine")
    with pytest.raises(DataError, match=r"a\.txt:2: not UTF-8 \(byte 0xe9 at position 4\)"):
        list(read_lines(path, stop))


HARD = "one\x85\u2028\n\u0a0a ü€\r\n\nlast"
LINES = [(1, "one\x85\u2028"), (2, "\u0a0a ü€"), (3, ""), (4, "last")]


@pytest.mark.parametrize("mark", ["utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be"])
@pytest.mark.parametrize("packed", [False, True])
def test_a_byte_order_mark_gives_the_encoding(
    write, caplog: pytest.LogCaptureFixture, mark: str, packed: bool
) -> None:
    content = f"\ufeff{HARD}".encode(mark)
    path = write("a.txt.gz", gzip.compress(content)) if packed else write("a.txt", content)
    with caplog.at_level(NOTICE, "textapps"):
        assert list(read_lines(path, stop)) == LINES
    assert caplog.messages == [f"{path}: read as {mark[:6].upper()}, by its byte order mark"]
    assert read_text(path, stop) == "\n".join(line for _, line in LINES)


@pytest.mark.parametrize("encoding", ["utf-16-be", "utf-16", "gb18030", "UTF-8"])
def test_an_encoding_can_be_named(write, caplog: pytest.LogCaptureFixture, encoding: str) -> None:
    path = write("a.txt", HARD.encode(encoding))
    with caplog.at_level(NOTICE, "textapps"):
        assert list(read_lines(path, stop, encoding)) == LINES
    assert not caplog.messages
    assert read_text(path, stop, encoding) == "\n".join(line for _, line in LINES)


def test_what_is_not_of_the_named_encoding_is_reported(write) -> None:
    path = write("a.txt", b"caf\xe9 5\x80\nno \x81\n")
    defects: list[Defect] = []
    assert list(read_lines(path, defects.append, "cp1252")) == [(1, "café 5€"), (2, "no \ufffd")]
    assert defects == [(f"{path}:2", "not cp1252; name another with --encoding")]


@pytest.mark.parametrize("read", [read_lines, read_pieces])
def test_a_text_that_a_codec_refuses_is_reported(write, read: Any) -> None:
    path = write("a.txt", "Größe\n".encode("utf-16-le"))  # without a byte order mark
    defects: list[Defect] = []
    assert list(read(path, defects.append, "utf-16")) == []
    remedy = "name another with --encoding, such as utf-16-le"
    assert defects == [(str(path), f"not utf-16; {remedy}")]


@pytest.mark.parametrize("name", ["cp1253a", "hex", ""])
def test_names_that_are_no_encodings_of_text(name: str) -> None:
    with pytest.raises(ValueError, match="unknown encoding, name one of Python's, such as utf-8"):
        check_encoding(name)


def test_nul_names_file_and_line(write) -> None:
    path = write("a.txt", b"fine\nb\0ad\n")
    with pytest.raises(DataError, match=r"a\.txt:2: a NUL character"):
        list(read_lines(path, stop))


def test_defects_can_be_collected(write) -> None:
    path = write("a.txt", b"\xff\nfine\n\0\n")
    defects: list[Defect] = []
    lines = list(read_lines(path, defects.append))
    assert lines == [(1, "\ufffd"), (2, "fine"), (3, "\0")]
    assert [defect.place for defect in defects] == [f"{path}:1", f"{path}:3"]


def test_unreadable_file(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"cannot read .*nothing\.txt: No such file"):
        list(read_lines(tmp_path / "nothing.txt", stop))
