import pytest

from textapps.core.errors import DataError
from textapps.datasets.source import Defect, Row
from textapps.datasets.texts.files import FileSource


def test_rows_in_order_with_their_places(write) -> None:
    path = write("my pets.tsv", "text\tlabel\npurrs\t cat \nbarks\tdog\n")
    source = FileSource(path)
    assert source.name == "my-pets"
    assert source.own_splits == frozenset()
    assert source.rows(None) == [
        Row("purrs", "cat", "", f"{path}:2"),
        Row("barks", "dog", "", f"{path}:3"),
    ]


def test_own_splits_and_groups(write) -> None:
    path = write(
        "pets.csv.x.csv",
        "label,text,split,group\ncat,purrs,Train,a\ndog,barks,dev,a\ncat,meows,training,\n",
    )
    source = FileSource(path)
    assert source.name == "pets.csv.x"
    assert source.own_splits == {"train", "validation"}
    assert [(row.text, row.group) for row in source.rows("train")] == [
        ("purrs", "a"),
        ("meows", ""),
    ]
    assert [row.text for row in source.rows("validation")] == ["barks"]


def test_unknown_split_names_its_line(write) -> None:
    path = write("pets.csv", "label,text,split\ncat,purrs,train\ndog,barks,fold2\n")
    with pytest.raises(DataError, match=r"pets\.csv:3: unknown split 'fold2', write one of train"):
        FileSource(path).rows("train")


def test_missing_label_names_its_line(write) -> None:
    path = write("pets.jsonl", '{"text": "purrs", "label": "cat"}\n{"text": "barks"}\n')
    with pytest.raises(DataError, match=r"pets\.jsonl:2: no label in column 'label'"):
        FileSource(path).rows(None)


def test_rows_without_label_are_left_out_when_defects_are_collected(write) -> None:
    path = write("pets.csv", "label,text\n,purrs\ndog,barks\n")
    defects: list[Defect] = []
    source = FileSource(path, report=defects.append)
    assert [row.text for row in source.rows(None)] == ["barks"]
    assert [defect.place for defect in defects] == [f"{path}:2"]
