import logging

import pytest

from textapps.core.errors import DataError
from textapps.datasets.texts.folders import FolderSource


def test_class_folders(write, tmp_path) -> None:
    write("pets/dog/b.txt", "barks\r\nloud\r\n")
    write("pets/dog/a.txt", "\ufeffyaps\n")
    write("pets/cat/z.txt", "purrs\x85")
    write("pets/cat/notes.md", "no text")
    write("pets/.git/x.txt", "no class")
    write("pets/empty/notes.md", "no class either")
    source = FolderSource(tmp_path / "pets")
    assert (source.name, source.own_splits) == ("pets", frozenset())
    assert source.label_names == ("cat", "dog")
    assert [(row.text, row.label) for row in source.rows(None)] == [
        ("purrs\x85", "cat"),
        ("yaps", "dog"),
        ("barks\nloud", "dog"),
    ]
    assert source.rows(None)[0].place == str(tmp_path / "pets/cat/z.txt")


def test_own_splits(write, tmp_path) -> None:
    write("train/1/a.txt", "one")
    write("train/10/b.txt", "ten")
    write("train/9/c.txt", "nine")
    write("val/9/d.txt", "neuf")
    source = FolderSource(tmp_path)
    assert source.own_splits == {"train", "validation"}
    assert source.label_names == ("1", "9", "10")
    assert [row.text for row in source.rows("validation")] == ["neuf"]


def test_a_class_may_be_called_test(write, tmp_path) -> None:
    write("test/a.txt", "exam")
    write("toast/b.txt", "bread")
    source = FolderSource(tmp_path)
    assert (source.own_splits, source.label_names) == (frozenset(), ("test", "toast"))


def test_unlabelled_folder_is_left_out(write, tmp_path, caplog) -> None:
    for name in ("neg", "pos", "unsup"):
        write(f"train/{name}/a.txt", name)
    with caplog.at_level(logging.WARNING, "textapps"):
        assert FolderSource(tmp_path).label_names == ("neg", "pos")
    assert "train/unsup left out" in caplog.text


def test_errors(write, tmp_path) -> None:
    with pytest.raises(DataError, match="no class folders"):
        FolderSource(tmp_path).rows(None)
    write("cat/a.txt", b"m\xe9ow")
    with pytest.raises(DataError, match=r"cat/a\.txt: not UTF-8 \(byte 0xe9"):
        FolderSource(tmp_path).rows(None)
    for name in ("train", "dev", "val"):
        write(f"twice/{name}/cat/a.txt", "purrs")
    with pytest.raises(DataError, match="both dev and val"):
        FolderSource(tmp_path / "twice").rows("train")
