import gzip
from pathlib import Path

import pytest

from textapps.core.errors import DataError
from textapps.datasets.formats.lines import read_lines
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


def test_utf_16_is_undecodable(write) -> None:
    path = write("a.txt", "label\ttext".encode("utf-16"))
    with pytest.raises(DataError, match=r"a\.txt:1: not UTF-8 \(byte 0xff at position 1\)"):
        list(read_lines(path, stop))


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
