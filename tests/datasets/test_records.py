from pathlib import Path

import pytest

from textapps.core.errors import DataError
from textapps.datasets.records import Record, locate

DATA = [bytes([number]) * (number * 7 + 1) for number in range(6)]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    import tensorflow as tf

    path = tmp_path / "a.tfrecord"
    with tf.io.TFRecordWriter(str(path)) as writer:
        for data in DATA:
            writer.write(data)
    return path


def records(path: Path) -> list[Record]:
    """All records, located in two parts."""
    first = list(locate(path, DATA[:2], None))
    return [*first, *locate(path, DATA[2:], first[-1])]


def test_records_are_where_tensorflow_wrote_them(path: Path) -> None:
    assert [record.read() for record in records(path)[::-1]] == DATA[::-1]
    assert records(path)[-1].end + 4 == path.stat().st_size


def test_what_changes_after_it_was_checked(path: Path) -> None:
    third = records(path)[2]
    whole = path.read_bytes()
    for at in range(third.start, third.end):
        changed = bytearray(whole)
        changed[at] ^= 0x10
        path.write_bytes(changed)
        with pytest.raises(
            DataError, match=rf"^{path}: damaged \(the record at byte {third.start} "
        ):
            third.read()
    path.write_bytes(whole[: third.end - 1])
    with pytest.raises(DataError, match=rf"^{path}: damaged .*; prepare the set again$"):
        third.read()
    path.unlink()
    with pytest.raises(DataError, match=rf"^{path}: damaged \(No such file or directory\)"):
        third.read()
