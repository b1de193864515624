import os
from pathlib import Path

import pytest

from textapps.datasets.stamp import stamp_of

CHANGES = {
    "size": lambda folder: (folder / "a/one.txt").write_bytes(b"four"),
    "time": lambda folder: os.utime(folder / "a/one.txt", ns=(5, 5)),
    "name": lambda folder: (folder / "a/one.txt").rename(folder / "a/ten.txt"),
    "file more": lambda folder: (folder / "a/b/two.txt").write_bytes(b""),
    "file less": lambda folder: (folder / "a/one.txt").unlink(),
    "table": lambda folder: (folder.parent / "table.csv").unlink(),
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "data/a/b").mkdir(parents=True)
    (tmp_path / "data/a/one.txt").write_bytes(b"one")
    (tmp_path / "table.csv").write_bytes(b"text,label\n")
    return tmp_path / "data"


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_every_change_is_seen(folder: Path, change) -> None:
    paths = [folder, folder.parent / "table.csv"]
    before = stamp_of(paths)
    assert stamp_of(reversed(paths)) == before
    change(folder)
    assert stamp_of(paths) != before


def test_no_file_is_read(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = stamp_of([folder])
    times = (folder / "a/one.txt").stat()
    (folder / "a/one.txt").write_bytes(b"two")
    os.utime(folder / "a/one.txt", ns=(times.st_atime_ns, times.st_mtime_ns))
    assert stamp_of([folder]) == before
    assert stamp_of([]) == ""
