"""Arrays in files are read like those in memory, and take no memory."""

from pathlib import Path

import numpy as np
import pytest

from textapps.cache.mapped import MappedArray

SMAPS = Path("/proc/self/smaps")


def test_it_is_read_like_an_array(tmp_path: Path) -> None:
    values = np.arange(300, dtype="<u2") * 3
    values.tofile(tmp_path / "values")
    mapped = MappedArray(tmp_path / "values", "<u2")
    assert (len(mapped), mapped.dtype) == (300, values.dtype)
    for places in (slice(7, 12), slice(None), slice(9, 9), np.array([[5, 299], [0, -1]])):
        np.testing.assert_array_equal(mapped[places], values[places])
    assert [len(block) for block in mapped.blocks(140)] == [140, 140, 20]
    np.testing.assert_array_equal(np.concatenate(list(mapped.blocks(7))), values)
    (tmp_path / "values").unlink()
    np.testing.assert_array_equal(mapped[290:], values[290:])


def test_an_empty_file_is_an_empty_array(tmp_path: Path) -> None:
    (tmp_path / "values").touch()
    mapped = MappedArray(tmp_path / "values", "<i4")
    assert len(mapped) == 0
    assert mapped[:].tolist() == mapped[np.zeros(0, int)].tolist() == []


@pytest.mark.skipif(not SMAPS.exists(), reason="the memory of a mapping is seen on Linux only")
def test_what_was_read_takes_no_memory(tmp_path: Path) -> None:
    path = tmp_path / "values"
    np.zeros(1 << 20, "<i8").tofile(path)
    mapped = MappedArray(path, "<i8")
    assert sum(len(block) for block in mapped.blocks(10_000)) == 1 << 20
    mapped[np.arange(0, 1 << 20, 1_000)]
    _, _, found = SMAPS.read_text().partition(str(path))
    resident = next(line for line in found.splitlines() if line.startswith("Rss:"))
    assert resident.split()[1:] == ["0", "kB"]
