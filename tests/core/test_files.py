import shutil
from pathlib import Path

import pytest

from textapps.core.files import directory_aside, remove_directory, remove_leftovers, write_file


def test_a_file_is_replaced_whole(tmp_path):
    path = tmp_path / "a.txt"
    write_file(path, "ü")
    write_file(path, b"\0\1")
    assert path.read_bytes() == b"\0\1"
    assert [p.name for p in tmp_path.iterdir()] == ["a.txt"]
    assert path.stat().st_mode & 0o400


def test_a_failed_write_leaves_the_old_file(tmp_path):
    path = tmp_path / "a.txt"
    write_file(path, "old")
    with pytest.raises(TypeError):
        write_file(path, 5)
    assert path.read_text() == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["a.txt"]


def test_a_directory_appears_whole_and_replaces_another(tmp_path):
    for content in ("one", "two"):
        with directory_aside(tmp_path / "d") as aside:
            (aside / "sub").mkdir()
            (aside / "sub" / content).write_text(content)
            assert not (tmp_path / "d" / "sub" / content).exists()
    assert [p.name for p in tmp_path.rglob("*")] == ["d", "sub", "two"]


def test_a_directory_that_failed_leaves_nothing(tmp_path):
    with pytest.raises(FileNotFoundError), directory_aside(tmp_path / "d") as aside:
        (aside / "half" / "missing").write_text("half")
    assert list(tmp_path.iterdir()) == []


def test_a_directory_that_cannot_take_its_place_leaves_the_old_one(tmp_path, monkeypatch):
    (tmp_path / "d").mkdir()
    (tmp_path / "d" / "old").write_text("")
    renames = []

    def rename(path, target):
        renames.append(target)
        if len(renames) == 1:
            raise OSError("no")
        return path.replace(target)

    monkeypatch.setattr(Path, "rename", rename)
    with pytest.raises(OSError, match="no"), directory_aside(tmp_path / "d") as aside:
        (aside / "new").write_text("")
    assert [p.name for p in tmp_path.rglob("*")] == ["d", "old"]


def test_the_old_directory_is_deleted_after_the_new_one_is_there(tmp_path, monkeypatch):
    (tmp_path / "d").mkdir()
    seen = []
    monkeypatch.setattr(
        shutil, "rmtree", lambda path: seen.append(list((tmp_path / "d").iterdir()))
    )
    with directory_aside(tmp_path / "d") as aside:
        (aside / "new").write_text("")
    assert seen == [[tmp_path / "d" / "new"]]


def test_leftovers_are_removed(tmp_path):
    (tmp_path / ".aside-1").mkdir()
    (tmp_path / ".aside-2").write_text("")
    (tmp_path / "kept").write_text("")
    remove_leftovers(tmp_path)
    assert [p.name for p in tmp_path.iterdir()] == ["kept"]


def test_a_directory_named_by_a_link_or_a_dot_is_removed(tmp_path, monkeypatch):
    for name in ("linked", "here"):
        (tmp_path / "inner" / name / "sub").mkdir(parents=True)
    (tmp_path / "link").symlink_to(tmp_path / "inner" / "linked")
    remove_directory(tmp_path / "link")
    assert [p.name for p in (tmp_path / "inner").iterdir()] == ["here"]
    monkeypatch.chdir(tmp_path / "inner" / "here")
    remove_directory(Path())
    assert list((tmp_path / "inner").iterdir()) == []
    assert [p.name for p in tmp_path.iterdir() if p.name.startswith(".")] == []


def test_a_directory_named_by_a_link_is_replaced(tmp_path):
    (tmp_path / "old").mkdir()
    (tmp_path / "link").symlink_to("old")
    with directory_aside(tmp_path / "link") as aside:
        (aside / "new").write_text("")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["link", "old"]
    assert [p.name for p in (tmp_path / "link").iterdir()] == ["new"]


def test_a_removal_that_failed_leaves_nothing_aside(tmp_path):
    with pytest.raises(FileNotFoundError):
        remove_directory(tmp_path / "missing")
    assert list(tmp_path.iterdir()) == []
