import logging
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from textapps.core.errors import DataError
from textapps.datasets.config import DataConfig
from textapps.datasets.splits import split_of
from textapps.datasets.texts.examples import LabelledTexts
from textapps.datasets.texts.loader import load_texts
from textapps.datasets.texts.sources import TextFolder
from textapps.datasets.texts.text_loader import TextLoader


def many(classes: str = "cat dog fish", rows: int = 60) -> list[tuple[str, str]]:
    """(label, text) pairs, enough for every split to have some of each class."""
    names = classes.split()
    return [(names[number % len(names)], f"text {number}") for number in range(rows)]


def tsv(rows: list[tuple[str, str]]) -> str:
    return "label\ttext\n" + "".join(f"{label}\t{text}\n" for label, text in rows)


def pairs(data: LabelledTexts) -> list[tuple[str, str]]:
    names = [data.label_names[label] for label in data.labels]
    return list(zip(names, data.texts, strict=True))


def test_labels_are_numbered_and_splits_keep_to_the_rule(write) -> None:
    loaded = load_texts(DataConfig(source=str(write("pets.tsv", tsv(many())))))
    for name, data in zip(("train", "validation", "test"), loaded, strict=True):
        assert pairs(data) == [row for row in many() if split_of(row[1]) == name]
        assert (data.name, data.label_names) == ("pets", ("cat", "dog", "fish"))
        assert (data.labels.dtype, len(data)) == (np.int32, len(data.texts))


def test_bad_rows_can_be_skipped(write, caplog: pytest.LogCaptureFixture) -> None:
    good = tsv(many())
    bad = b"dog\tno \xff text\nonly\n\tno label\n"
    path = write("pets.tsv", good.encode() + bad)
    with pytest.raises(DataError, match="not UTF-8"):
        load_texts(DataConfig(source=str(path)))
    with caplog.at_level("WARNING", "textapps"):
        loaded = load_texts(DataConfig(source=str(path), skip_bad=True))
    assert sorted(row for data in loaded for row in pairs(data)) == sorted(many())
    said, *_ = caplog.messages  # the others are of classes with few rows
    first = good.count("\n") + 1
    assert said.startswith(f"pets: 3 bad rows skipped: {path}:{first}: not UTF-8 (byte 0xff")
    assert f"{path}:{first + 1}: 1 cell in 2 columns; {path}:{first + 2}: no label" in said


def test_training_never_reads_test(write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for split in ("train", "test"):
        for label, text in many():
            write(f"pets/{split}/{label}/{text}.txt", f"{split} {text}")
    read: list[str | None] = []
    examples = TextFolder.examples
    monkeypatch.setattr(
        TextFolder,
        "examples",
        lambda source, split: read.append(split) or examples(source, split),
    )
    config = DataConfig(source=str(tmp_path / "pets"))
    train, validation = load_texts(config, ["train", "validation"])
    assert read == ["train"]
    assert len(train) + len(validation) == 60
    assert all(split_of(text) == "validation" for text in validation.texts)
    read.clear()
    [test] = load_texts(config, ["test"])
    assert (len(test), read) == (60, ["test"])


def test_the_classes_are_those_of_training(write) -> None:
    test = write("exam.tsv", tsv([("dog", "yaps"), ("bird", "sings")]))
    config = DataConfig(source=str(write("pets.tsv", tsv(many()))), test_source=str(test))
    with pytest.raises(
        DataError, match=r"exam\.tsv:3: label 'bird', the classes are cat, dog, fish"
    ):
        load_texts(config, ["test"])
    write("exam.tsv", tsv([("fish", "swims"), ("dog", "yaps")]))
    [data] = load_texts(config, ["test"])
    assert (data.labels.tolist(), data.label_names, data.name) == (
        [2, 1],
        ("cat", "dog", "fish"),
        "exam",
    )
    # those of an earlier training need no training data
    gone = config.model_copy(update={"source": "gone.csv"})
    [data] = load_texts(gone, ["test"], label_names=["dog", "cat", "fish"])
    assert (data.labels.tolist(), data.label_names) == ([2, 0], ("dog", "cat", "fish"))


def test_integer_labels_sort_by_value(write) -> None:
    config = DataConfig(source=str(write("stars.tsv", tsv(many("10 9 1")))))
    assert load_texts(config, ["train"])[0].label_names == ("1", "9", "10")


def test_a_prepared_set_keeps_its_order_of_classes(prepare, tmp_path: Path) -> None:
    train = [(text, number % 2) for number, (_, text) in enumerate(many())]
    prepare("pets", names=("dog", "cat"), train=train, test=[("yaps", 0)])
    prepare("exam", train=train, test=[("what", -1)])
    config = DataConfig(source="pets", data_dir=str(tmp_path / "prepared"))
    train, _, test = load_texts(config)
    assert train.label_names == ("dog", "cat")
    assert (test.texts, test.labels.tolist()) == (["yaps"], [0])
    with pytest.raises(DataError, match="exam/test:1: no label in this row"):
        load_texts(config.model_copy(update={"source": "exam"}), ["test"])


def test_order_and_fingerprint_repeat(write) -> None:
    config = DataConfig(source=str(write("pets.tsv", tsv(many()))))
    first, again = (load_texts(config, ["train"])[0] for _ in range(2))
    assert (first.texts, first.fingerprint) == (again.texts, again.fingerprint)


def test_rows_without_text_are_left_out_with_a_warning(write, caplog) -> None:
    source = str(write("pets.tsv", tsv([("cat", " "), *many(), ("dog", "")])))
    with caplog.at_level(logging.WARNING, "textapps"):
        [data] = load_texts(DataConfig(source=source), ["train"])
    assert "" not in [text.strip() for text in data.texts]
    [record] = caplog.records
    assert record.getMessage().startswith("pets: 2 rows of train without text, left out")


def test_every_split_gets_every_class(write, caplog) -> None:
    """The rule sends the only cat of validation and test to training."""
    rows = [row for row in many("cat dog") if row[0] == "dog" or split_of(row[1]) == "train"]
    source = str(write("pets.tsv", tsv(rows)))
    with caplog.at_level(logging.WARNING, "textapps"):
        loaded = load_texts(DataConfig(source=source))
    assert all(set(part.labels.tolist()) == {0, 1} for part in loaded)
    moved = [
        (split, pair)
        for split, part in zip(("train", "validation", "test"), loaded, strict=True)
        for pair in pairs(part)
        if split_of(pair[1]) != split
    ]
    assert [(split, label) for split, (label, _) in moved] == [
        ("validation", "cat"),
        ("test", "cat"),
    ]
    assert "1 of 'cat' to test, 1 of 'cat' to validation" in caplog.messages[0]
    assert any("few rows: validation: 1 row of 'cat'" in one for one in caplog.messages)
    caplog.clear()
    again = load_texts(DataConfig(source=source), label_names=("cat", "dog"))
    assert [one.fingerprint for one in again] == [one.fingerprint for one in loaded]
    assert not caplog.messages  # said when the model was trained


def test_folded_labels_are_one_class(write, caplog) -> None:
    spelled = {"cat": ("Cat", "cat"), "dog": ("dog", "DOG"), "fish": ("1", "1.0")}
    rows = [(spelled[label][n % 5 == 0], text) for n, (label, text) in enumerate(many(rows=90))]
    source = str(write("pets.tsv", tsv(rows)))
    with caplog.at_level(logging.WARNING, "textapps"):
        [plain] = load_texts(DataConfig(source=source), ["train"])
    assert len(plain.label_names) == 6
    assert any("'1', '1.0'; 'Cat', 'cat'; 'DOG', 'dog' (--fold" in one for one in caplog.messages)
    caplog.clear()
    [folded] = load_texts(DataConfig(source=source, fold_labels=True), ["train"])
    assert folded.label_names == ("1", "cat", "dog")
    assert not caplog.messages
    kept = DataConfig(source=source, fold_labels=True).changed({"source": "other.csv"})
    assert (kept.source, kept.fold_labels) == ("other.csv", True)


@pytest.mark.parametrize(
    ("content", "split", "message"),
    [
        ("label\ttext\n", "train", "pets.tsv: no rows in this file"),
        ("label\ttext\ncat\tone\ncat\ttwo\n", "train", "only one class, 'cat'; at least two"),
        ("words\ttext\ncat\tone\n", "train", "no label column, the columns are words, text"),
        ("label\ttext\ncat\tm\xe9\n", "train", "pets.tsv:2: not UTF-8"),
        ("label\ttext\ncat\tm\0\n", "train", "pets.tsv:2: a NUL character"),
        ("label\ttext\tsplit\ncat\tone\ttest\n", "train", "pets: no train split, only test"),
        (
            "label\ttext\tsplit\ncat\t \ttrain\ndog\tone\ttrain\n",
            "train",
            "pets: no row of class 'cat' to train on",
        ),
        (
            "label\ttext\ncat\tone\ndog\tthree\n",
            "test",
            "pets: class 'cat' has too few rows (1) for train, validation, test: add some",
        ),
        (
            "label\ttext\tsplit\ncat\tone\ttrain\ndog\ttwo\ttrain\ncat\t\ttest\n",
            "test",
            "pets: no rows for test: use more, or give",
        ),
        (
            "label\ttext\n" + "".join(f"{n % 13}\tpet {n}\n" for n in range(22)),
            "train",
            "pets: 13 different labels in 22 rows are no classes: name the column of labels with",
        ),
    ],
)
def test_bad_files(write, content: str, split: str, message: str) -> None:
    source = str(write("pets.tsv", content.encode("latin-1")))
    with pytest.raises(DataError) as caught:
        load_texts(DataConfig(source=source), [split])
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)
    assert caught.value.exit_code == 3


def test_loader_reports_instead_of_raising(write) -> None:
    defects: list[tuple[str, str]] = []
    source = str(write("pets.tsv", tsv(many()) + "cat\n"))
    _, rows = TextLoader(DataConfig(source=source), report=defects.append).rows("train")
    assert len(rows) > 0
    assert [place for place, _ in defects] == [f"{source}:62"]


def test_files_need_no_tensorflow(write) -> None:
    source = str(write("pets.tsv", tsv(many())))
    code = (
        "import sys; from textapps.datasets.config import DataConfig;"
        "from textapps.datasets.texts.loader import load_texts;"
        f"load_texts(DataConfig(source={source!r}));"
        "heavy = ('tensorflow', 'keras', 'tensorflow_datasets', 'pyarrow');"
        "print([name for name in heavy if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


@pytest.mark.acceptance
def test_real_imdb(shared_data: Path) -> None:
    train, validation, test = load_texts(DataConfig(data_dir=str(shared_data / "tfds")))
    assert [len(data) for data in (train, validation, test)] == [22_525, 2_475, 25_000]
    assert np.bincount(test.labels).tolist() == [12_500, 12_500]
    assert train.label_names == ("neg", "pos")
    assert train.texts[0].startswith("This was an absolutely terrible movie.")
    known = {*train.texts, *validation.texts}
    assert sum(text in known for text in test.texts) == 123


@pytest.mark.acceptance
def test_real_chinese_reviews(shared_data: Path) -> None:
    path = str(shared_data / "sentiment_zh" / "chnsenticorp_{}.tsv.gz")
    loaded = load_texts(
        DataConfig(
            source=path.format("train"),
            validation_source=path.format("dev"),
            test_source=path.format("test"),
        )
    )
    assert [len(data) for data in loaded] == [9_600, 1_200, 1_200]
    assert loaded[0].label_names == ("0", "1")


@pytest.mark.acceptance
def test_real_texts_without_labels(shared_data: Path) -> None:
    config = DataConfig(source=str(shared_data / "imdb_unsupervised.jsonl.gz"))
    with pytest.raises(DataError, match="no label column, the columns are id, movie, text"):
        load_texts(config, ["train"])
