"""Windows cut a file always in the same places, and lose nothing."""

import gzip
from pathlib import Path

import pytest

from tests.batch.files import write
from textapps.batch import windows
from textapps.batch.rows import read_rows
from textapps.batch.windows import read_windows


@pytest.mark.parametrize("count", [0, 1, 4, 5, 13])
def test_windows_hold_all_rows(tmp_path: Path, count: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(windows, "ROWS", 5)
    monkeypatch.setattr(windows, "BYTES", 11)
    path = write(tmp_path / "a.txt", "".join(f"{'x' * i}\n" for i in range(count)).encode())
    found = list(read_windows(path, "text", None))
    assert [window.number for window in found] == list(range(len(found)))
    assert found  # one at least, so that an empty file has an answer
    assert [row for window in found for row in window.rows] == list(read_rows(path, "text", None))
    for window in found:
        before_last = sum(len(row.payload) for row in window.rows[:-1])
        assert len(window.rows) <= 5
        assert before_last < 11
        assert not window.broken


def test_a_file_that_is_cut_off_ends_broken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(windows, "ROWS", 5)
    path = tmp_path / "a.txt.gz"
    path.write_bytes(gzip.compress(b"".join(b"%d\n" % i for i in range(50_000)))[:-300])
    *whole, last = read_windows(path, "text", None)
    assert whole
    assert not any(window.broken for window in whole)
    assert (last.rows, last.number) == ([], len(whole))
    assert last.broken.startswith(f"{path}: damaged or not gzip")
