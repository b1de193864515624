import json
import logging

import pytest

from textapps.core.errors import DataError
from textapps.core.notices import NOTICE
from textapps.datasets.config import DataConfig
from textapps.datasets.source import Defect
from textapps.datasets.texts.sources import Text, TextFolder, open_texts


@pytest.mark.parametrize(
    ("name", "content", "rows"),
    [
        (
            "pets.tsv",
            "text\tlabel\tmovie\npurrs\t cat \tone\n\tdog\t\n",
            [("purrs", "cat", "one"), ("", "dog", "")],
        ),
        ("pets.jsonl", '{"text": "purrs", "label": 1}', [("purrs", "1", "")]),
        (
            "pets.txt",
            "cat\tpurrs\tloud\n\n dog \t\n",
            [("purrs\tloud", "cat", ""), ("", "dog", "")],
        ),
        (
            "pets.txt",
            "__label__cat purrs\tloud\n__label__dog  barks \ndog\t__label__cat\n",
            [("purrs\tloud", "cat", ""), ("barks", "dog", ""), ("__label__cat", "dog", "")],
        ),
    ],
)
def test_rows_of_files(write, name: str, content: str, rows: list[tuple[str, ...]]) -> None:
    path = write(name, content)
    found = open_texts(str(path), DataConfig()).examples(None)
    assert [row[:3] for row in found] == rows
    assert found[0].place == f"{path}:{2 if name == 'pets.tsv' else 1}"


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("pets.jsonl", '{"text": "a", "label": "cat"}\n{"text": "b"}\n', "no label in this row"),
        ("pets.csv", "label,text\n ,purrs\ndog,barks\n", "no label in this row"),
        (
            "pets.txt",
            "cat\tpurrs\nbarks\n",
            "no label: write label, a tab, then the text; or __label__NAME text",
        ),
        (
            "pets.txt",
            "__label__cat purrs\n__label__cat __label__dog runs\n",
            "several labels; a text has one class",
        ),
        ("pets.txt", "cat\tpurrs\n\tbarks\n", "no label in this row"),
    ],
)
def test_rows_without_a_label(write, name: str, content: str, message: str) -> None:
    path = write(name, content)
    with pytest.raises(DataError, match=f"{path}:2: {message}"):
        open_texts(str(path), DataConfig()).examples(None)
    defects: list[Defect] = []
    assert len(open_texts(str(path), DataConfig(), defects.append).examples(None)) == 1
    assert defects == [Defect(f"{path}:2", message)]


def test_keys_inside_objects(write) -> None:
    rows = [
        {"data": {"text": "a"}, "marks": [{"label": "x"}]},
        {"data": {}, "marks": [{"label": 2}]},
    ]
    path = write("pets.jsonl", "\n".join(map(json.dumps, rows)))
    config = DataConfig(text_column="data.text", label_column="marks.0.label")
    found = open_texts(str(path), config).examples(None)
    assert [row[:2] for row in found] == [("a", "x"), ("", "2")]
    with pytest.raises(DataError, match=r"columns are data, marks, data.text, marks.0.label; name"):
        open_texts(str(path), DataConfig()).examples(None)


@pytest.mark.parametrize("ending", ["csv", "tsv"])
def test_columns_by_number(write, caplog: pytest.LogCaptureFixture, ending: str) -> None:
    config = DataConfig(text_column="3", label_column="1")
    comma = "," if ending == "csv" else "\t"
    path = write(f"pets.{ending}", "cat,7,purrs\ndog,8,barks\n".replace(",", comma))
    with caplog.at_level(NOTICE, "textapps"):
        found = open_texts(str(path), config).examples(None)
    assert found == [
        Text("purrs", "cat", "", f"{path}:1"),
        Text("barks", "dog", "", f"{path}:2"),
    ]
    assert caplog.messages == [
        f"{path}: columns by number, so the first line is a row and no header",
        f"{path}: reads text from '3', label from '1'",
    ]
    named = write(f"named.{ending}", "1,2,3\ncat,7,purrs\n".replace(",", comma))
    (row,) = open_texts(str(named), config).examples(None)
    assert row == Text("purrs", "cat", "", f"{named}:2")
    far = DataConfig(text_column="4", label_column="1")
    with pytest.raises(DataError, match="no column '4', the columns are 1, 2, 3"):
        open_texts(str(path), far).examples(None)


def test_prepared_sets_know_their_classes(prepare) -> None:
    rows = [("purrs", 1), ("barks", 0)]
    named = prepare("pets", names=("dog", "cat"), train=rows)
    plain = prepare("plain", names=None, keys=None, train=rows)
    texts = open_texts(str(named.parent), DataConfig())
    assert texts.label_names == ("dog", "cat")
    assert texts.examples("train") == [
        Text("purrs", "cat", "", "pets/train:1"),
        Text("barks", "dog", "", "pets/train:2"),
    ]
    assert open_texts(str(plain.parent), DataConfig()).label_names is None


def test_class_folders(write, tmp_path) -> None:
    write("pets/dog/b.txt", "barks\r\nloud\r\n")
    write("pets/dog/a.txt", "\ufeffyaps\n")
    write("pets/cat/z.txt", "purrs\x85")
    write("pets/cat/notes.md", "no text")
    write("pets/.git/x.txt", "no class")
    write("pets/empty/notes.md", "no class either")
    source = TextFolder(tmp_path / "pets")
    assert (source.name, source.own_splits) == ("pets", frozenset())
    assert source.label_names == ("cat", "dog")
    assert [(row.text, row.label) for row in source.examples(None)] == [
        ("purrs\x85", "cat"),
        ("yaps", "dog"),
        ("barks\nloud", "dog"),
    ]
    assert source.examples(None)[0].place == str(tmp_path / "pets/cat/z.txt")


def test_folders_of_splits(write, tmp_path) -> None:
    write("train/1/a.txt", "one")
    write("train/10/b.txt", "ten")
    write("train/9/c.txt", "nine")
    write("val/9/d.txt", "neuf")
    source = TextFolder(tmp_path)
    assert source.own_splits == {"train", "validation"}
    assert source.label_names == ("1", "9", "10")
    assert [row.text for row in source.examples("validation")] == ["neuf"]


def test_a_class_may_be_called_test(write, tmp_path) -> None:
    write("test/a.txt", "exam")
    write("toast/b.txt", "bread")
    source = TextFolder(tmp_path)
    assert (source.own_splits, source.label_names) == (frozenset(), ("test", "toast"))


def test_unlabelled_folder_is_left_out(write, tmp_path, caplog) -> None:
    for name in ("neg", "pos", "unsup"):
        write(f"train/{name}/a.txt", name)
    with caplog.at_level(logging.WARNING, "textapps"):
        assert TextFolder(tmp_path).label_names == ("neg", "pos")
    assert "train/unsup left out" in caplog.text


def test_folders_that_cannot_be_read(write, tmp_path) -> None:
    with pytest.raises(DataError, match="no class folders"):
        TextFolder(tmp_path).examples(None)
    write("cat/a.txt", b"m\xe9ow")
    with pytest.raises(DataError, match=r"cat/a\.txt: not UTF-8 \(byte 0xe9"):
        TextFolder(tmp_path).examples(None)
    for name in ("train", "dev", "val"):
        write(f"twice/{name}/cat/a.txt", "purrs")
    with pytest.raises(DataError, match="both dev and val"):
        TextFolder(tmp_path / "twice").examples("train")
