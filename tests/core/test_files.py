import pytest

from textapps.core.files import directory_aside, remove_leftovers, write_file


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


def test_leftovers_are_removed(tmp_path):
    (tmp_path / ".aside-1").mkdir()
    (tmp_path / ".aside-2").write_text("")
    (tmp_path / "kept").write_text("")
    remove_leftovers(tmp_path)
    assert [p.name for p in tmp_path.iterdir()] == ["kept"]
