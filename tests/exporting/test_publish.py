import errno
import os
import stat
import threading
import time

import pytest

from textapps.core.errors import ExportError
from textapps.core.files import ASIDE
from textapps.exporting.publish import publish


def write_two_files(directory):
    (directory / "variables").mkdir()
    (directory / "variables" / "data").write_bytes(b"weights")
    (directory / "saved_model.pb").write_bytes(b"graph")


def names(directory):
    return sorted(path.name for path in directory.iterdir())


def test_versions_count_up_from_the_highest_and_old_ones_stay(tmp_path):
    first = publish(write_two_files, tmp_path / "exported" / "m")
    assert first.name == "1"
    (first.parent / "9").mkdir()
    (first.parent / "9" / "saved_model.pb").write_bytes(b"old")
    (first.parent / "notes").mkdir()
    assert publish(write_two_files, first.parent).name == "10"
    assert names(first.parent) == ["1", "10", "9", "notes"]
    assert (first.parent / "9" / "saved_model.pb").read_bytes() == b"old"


def test_a_version_can_be_read_by_others_as_the_umask_says(tmp_path):
    path = publish(write_two_files, tmp_path)
    reference = tmp_path / "reference"
    reference.mkdir()
    assert stat.S_IMODE(path.stat().st_mode) == stat.S_IMODE(reference.stat().st_mode)


def test_nothing_is_visible_under_a_version_while_it_is_written(tmp_path):
    def write(directory):
        write_two_files(directory)
        (only,) = names(tmp_path)
        assert not only.isdigit()
        assert directory.parent == tmp_path  # a rename must not cross file systems

    publish(write, tmp_path)
    assert names(tmp_path) == ["1"]


@pytest.mark.parametrize("error", [ExportError("wrong answers"), KeyboardInterrupt()])
def test_a_failure_leaves_nothing_behind(tmp_path, error):
    def write(directory):
        write_two_files(directory)
        raise error

    with pytest.raises(type(error)):
        publish(write, tmp_path)
    assert names(tmp_path) == []


def test_a_full_disk_while_writing(tmp_path):
    def write(directory):
        write_two_files(directory)
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with pytest.raises(ExportError, match=f"{tmp_path}: No space left on device"):
        publish(write, tmp_path)
    assert names(tmp_path) == []


def test_a_full_disk_while_synchronising(tmp_path, monkeypatch):
    synchronised = []

    def fsync(descriptor):
        synchronised.append(descriptor)
        if len(synchronised) == 3:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", fsync)
    with pytest.raises(ExportError, match="No space left on device"):
        publish(write_two_files, tmp_path)
    assert names(tmp_path) == []


def test_every_file_and_directory_is_synchronised_before_the_rename(tmp_path, monkeypatch):
    events = []
    fsync = os.fsync

    def record(descriptor):
        events.append((os.fstat(descriptor).st_ino, (tmp_path / "1").exists()))
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", record)
    path = publish(write_two_files, tmp_path)
    before = {inode for inode, published in events if not published}
    after = {inode for inode, published in events if published}
    assert before == {p.stat().st_ino for p in [path, *path.rglob("*")]}
    assert after == {tmp_path.stat().st_ino}


def test_concurrent_exports_get_versions_of_their_own(tmp_path):
    together = threading.Barrier(5)

    def write(directory):
        write_two_files(directory)
        (directory / "who").write_text(threading.current_thread().name)
        together.wait()

    published = {}

    def run():
        published[threading.current_thread().name] = publish(write, tmp_path)

    threads = [threading.Thread(target=run, name=f"exporter {i}") for i in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert names(tmp_path) == ["1", "2", "3", "4", "5"]
    assert {who: (path / "who").read_text() for who, path in published.items()} == {
        who: who for who in published
    }


def test_a_version_taken_at_the_last_moment_is_skipped(tmp_path, monkeypatch):
    path_class = type(tmp_path)
    rename = path_class.rename

    def late(self, target):
        if target.name == "1" and not target.exists():
            target.mkdir()
            write_two_files(target)
        return rename(self, target)

    monkeypatch.setattr(path_class, "rename", late)
    assert publish(write_two_files, tmp_path).name == "2"


def test_remains_of_killed_exports_go_after_a_day(tmp_path):
    old, living = tmp_path / f"{ASIDE}old", tmp_path / f"{ASIDE}living"
    for path in (old, living):
        path.mkdir()
        write_two_files(path)
    yesterday = time.time() - 25 * 3600
    os.utime(old, (yesterday, yesterday))
    publish(write_two_files, tmp_path)
    assert names(tmp_path) == [living.name, "1"]
