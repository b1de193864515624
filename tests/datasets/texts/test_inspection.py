import pytest

from textapps.core.errors import DataError
from textapps.datasets.config import DataConfig
from textapps.datasets.inspection import Twin
from textapps.datasets.source import Defect
from textapps.datasets.texts.inspection import check, summarise

HEADER = "label\ttext\tsplit\n"


def rows(*lines: str) -> str:
    return HEADER + "".join(line.replace("|", "\t") + "\n" for line in lines)


GOOD = rows(
    "cat|purrs|train",
    "dog|barks at the moon|train",
    "dog|barks at night|train",
    "cat|meows|dev",
    "dog|yaps|test",
)


def test_summary(write) -> None:
    overview, _, first = summarise(DataConfig(source=str(write("pets.tsv", GOOD))))
    splits = overview.splits
    assert overview.name == "pets"
    assert first == ["cat: purrs", "dog: barks at the moon"]
    assert list(splits) == ["train", "validation", "test"]
    train = splits["train"]
    assert train.rows == 3
    assert train.classes == {"cat": 1, "dog": 2}
    assert train.words == {"shortest": 1, "median": 3, "percent_95": 3, "longest": 4}
    assert train.characters == {"shortest": 5, "median": 14, "percent_95": 14, "longest": 17}
    assert train.examples == [
        {"label": "cat", "text": "purrs"},
        {"label": "dog", "text": "barks at the moon"},
    ]
    assert splits["test"].classes == {"cat": 0, "dog": 1}


def test_a_good_set_has_no_findings(write) -> None:
    found = check(DataConfig(source=str(write("pets.tsv", GOOD))))
    assert (found.defects, found.empty, found.duplicates, found.conflicts) == ([], [], [], [])
    assert found.shared == {}
    assert found.splits == summarise(DataConfig(source=str(write("pets.tsv", GOOD))))[0].splits


def test_unequal_classes_have_a_remedy(write) -> None:
    """In train: the one row of test does not count."""
    found = check(DataConfig(source=str(write("pets.tsv", GOOD))))
    (line,) = found.unequal
    assert line.startswith("train: 'dog' has 2 times as many examples as 'cat' (2 and 1); ")
    assert "--class-weights balanced or --oversample" in line
    content = GOOD.replace("dog\tbarks at night", "cat\tpurrs at night")
    assert "2 and 1" in check(DataConfig(source=str(write("cats.tsv", content)))).unequal[0]
    content += "dog\tsleeps\ttrain\n"
    assert check(DataConfig(source=str(write("even.tsv", content)))).unequal == []


def test_repeated_and_empty_rows(write) -> None:
    content = GOOD + rows("dog|purrs|train", "cat|purrs|test", "dog| |test", "cat|meows|test")
    path = write("pets.tsv", content.replace("\n" + HEADER, "\n"))
    found = check(DataConfig(source=str(path)))
    assert found.defects == []
    assert found.empty == [f"{path}:9"]
    assert found.duplicates == [Twin(f"{path}:7", f"{path}:2")]
    assert found.shared == {
        "train+test": [Twin(f"{path}:8", f"{path}:2")],
        "validation+test": [Twin(f"{path}:10", f"{path}:5")],
    }
    assert found.conflicts == [Twin(f"{path}:7", f"{path}:2")]
    assert found.splits["test"].rows == 3


def test_every_defect_is_found(write) -> None:
    bad = b"dog\tb\xe9\ttrain\ndog\ttoo short\n\tno label\ttrain\nbird\tsings\ttest\n"
    path = write("pets.tsv", GOOD.encode() + bad)
    found = check(DataConfig(source=str(path)))
    assert [defect.place for defect in found.defects] == [
        f"{path}:{line}" for line in (7, 8, 9, 10)
    ]
    assert found.defects[3] == Defect(f"{path}:10", "label 'bird', the classes are cat, dog")
    assert found.splits["test"].rows == 1


def test_empty_splits_are_defects(write) -> None:
    path = write("pets.tsv", "label\ttext\ncat\tone\ndog\tthree\n")
    found = check(DataConfig(source=str(path)))
    assert [defect.place for defect in found.defects] == ["pets", "pets", "validation", "test"]
    assert found.defects[0].message.startswith("class 'cat' has too few rows (1)")
    assert list(found.splits) == ["train"]


def test_classes_are_judged(write) -> None:
    lines = [
        f"{label}|{label} {n}|{split}"
        for label in ("cat", "Cat")
        for n in range(10)
        for split in ("train", "dev", "test")
    ]
    few = [f"eel|swims {n}|train" for n in range(9)]
    found = check(DataConfig(source=str(write("pets.tsv", rows(*lines, *few)))))
    assert found.alike == ["'Cat', 'cat'"]
    assert found.scarce == [
        "train: 9 rows of 'eel'",
        "validation: 0 rows of 'eel'",
        "test: 0 rows of 'eel'",
    ]
    assert found.defects == []


def test_near_duplicates_in_other_splits(write) -> None:
    content = GOOD + rows("cat|Purrs!|test", "cat|purrs|test", "dog|...|test", "dog|?!|dev")
    path = write("pets.tsv", content.replace("\n" + HEADER, "\n"))
    found = check(DataConfig(source=str(path)))
    assert found.near == {"train+test": [Twin(f"{path}:7", f"{path}:2")]}
    assert found.shared == {"train+test": [Twin(f"{path}:8", f"{path}:2")]}
    assert found.unspaced == []


def test_texts_without_blanks(write, caplog) -> None:
    lines = [
        f"{label}|这部电影真的非常好看{number}我还想再看一遍|{split}"
        for split in ("train", "dev", "test")
        for label in ("cat", "dog")
        for number in range(10)
    ]
    [found] = check(DataConfig(source=str(write("pets.tsv", rows(*lines))))).unspaced
    assert found.startswith("18 characters to a word: --tokens char")


def test_labels_that_are_no_classes_are_a_defect(write) -> None:
    lines = [f"{n}|text {n}|train" for n in range(30)]
    found = check(DataConfig(source=str(write("pets.tsv", rows(*lines)))))
    assert "30 different labels in 30 rows are no classes" in found.defects[0].message


def test_what_cannot_be_read_is_an_error(tmp_path) -> None:
    with pytest.raises(DataError, match="no such file"):
        check(DataConfig(source=str(tmp_path / "pets.tsv")))
