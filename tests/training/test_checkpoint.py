import dataclasses
import errno
import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from textapps.core.errors import RunError
from textapps.training import checkpoint
from textapps.training.checkpoint import CheckpointStore, TrainingState, read_arrays

STATE = TrainingState(
    step=3, steps_per_pass=5, seconds=1.5, best_score=0.25, best_loss=2.0, best_step=3, waited=1
)


@pytest.fixture
def store(tmp_path: Path) -> CheckpointStore:
    return CheckpointStore(tmp_path / "checkpoints")


def save(store: CheckpointStore, step: int, best: int | None = None) -> None:
    state = dataclasses.replace(STATE, step=step, best_step=best)
    arrays = {"model/00000": np.full((2, 3), step, np.float32), "model/00001": np.uint32([3, 7])}
    store.save(state, arrays, [{"key": name} for name in arrays])


def test_state_and_arrays_come_back(store):
    store.save(STATE, {"a": np.arange(4.0)}, [])
    assert store.newest_state() == STATE
    assert store.newest_good() == (STATE, store.path(3))
    assert store.path(3).name == "step-00000003"
    np.testing.assert_array_equal(read_arrays(store.path(3), ["a"])[0], np.arange(4.0))


def test_nothing_there(store):
    assert store.newest_good() is store.newest_state() is None
    assert store.steps() == []


def test_keeps_the_last_two_and_the_best(store):
    for step in (2, 4, 6, 8):
        save(store, step, best=2)
    assert store.steps() == [2, 6, 8]
    save(store, 10, best=10)
    assert store.steps() == [8, 10]
    assert not list(store.directory.glob(".*"))


def test_keeps_the_ends_of_intervals_too(tmp_path):
    store = CheckpointStore(tmp_path, keep_ends=3, interval=4)
    for step in (4, 8, 9, 10, 12, 13, 14, 16, 17, 18, 19):
        save(store, step, best=9)
    assert store.steps() == [8, 9, 12, 16, 18, 19]
    assert store.ends(19) == [8, 12, 16]
    assert store.ends(15) == [8, 12]
    assert store.ends(7) == CheckpointStore(tmp_path).ends(19) == []


def truncate(path: Path) -> None:
    arrays = path / checkpoint.ARRAYS
    arrays.write_bytes(arrays.read_bytes()[:-9])


def flip(path: Path) -> None:
    arrays = path / checkpoint.ARRAYS
    content = bytearray(arrays.read_bytes())
    content[len(content) // 2] ^= 1
    arrays.write_bytes(content)


def edit_state(path: Path) -> None:
    record = json.loads((path / checkpoint.STATE).read_text())
    del record["waited"]
    (path / checkpoint.STATE).write_text(json.dumps(record))


DAMAGES = {
    "truncated": truncate,
    "one bit": flip,
    "no arrays": lambda path: (path / checkpoint.ARRAYS).unlink(),
    "no state": lambda path: (path / checkpoint.STATE).unlink(),
    "half a state": lambda path: (path / checkpoint.STATE).write_text('{"format": 1, "st'),
    "a state of nothing": lambda path: (path / checkpoint.STATE).write_text("[]"),
    "a field missing": edit_state,
    "an empty directory": lambda path: [file.unlink() for file in path.iterdir()],
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_falls_back_from_a_damaged_checkpoint_with_a_warning(store, damage, caplog):
    save(store, 2)
    save(store, 4)
    DAMAGES[damage](store.path(4))
    state, path = store.newest_good()
    assert (state.step, path) == (2, store.path(2))
    assert "step-00000004 is damaged" in caplog.text
    assert not store.is_whole(4)


def test_all_damaged(store):
    save(store, 2)
    truncate(store.path(2))
    with pytest.raises(RunError, match="every checkpoint"):
        store.newest_good()


def test_a_newer_format_is_refused_rather_than_fallen_back_from(store):
    save(store, 2)
    save(store, 4)
    state = store.path(4) / checkpoint.STATE
    state.write_text(state.read_text().replace('"format": 1', '"format": 2'))
    with pytest.raises(RunError, match=r"format 2.*upgrade"):
        store.newest_good()


def test_a_damaged_checkpoint_can_be_written_again(store):
    save(store, 4)
    truncate(store.path(4))
    save(store, 4)
    assert store.is_whole(4)


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EIO])
def test_a_full_disk_loses_nothing(store, monkeypatch, number):
    save(store, 2)
    save(store, 4)

    def half(file, **arrays):
        Path(file).write_bytes(b"PK half of it")
        raise OSError(number, "it went wrong")

    monkeypatch.setattr(np, "savez", half)
    with pytest.raises(RunError, match=r"cannot write checkpoint .*step-00000006.*intact"):
        save(store, 6)
    assert store.steps() == [2, 4]
    assert store.is_whole(2)
    assert store.is_whole(4)
    assert not list(store.directory.glob(".*"))


def test_tidy_removes_what_was_left_and_what_comes_later(store):
    for step in (2, 4):
        save(store, step)
    shutil.copytree(store.path(2), store.directory / ".aside-x")
    (store.directory / ".aside-y").write_text("half")
    store.tidy(2)
    assert [path.name for path in store.directory.iterdir()] == ["step-00000002"]


def test_reading_a_damaged_array(store):
    save(store, 2)
    truncate(store.path(2))
    with pytest.raises(RunError, match="damaged"):
        read_arrays(store.path(2), ["model/00000"])
