import logging
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from textapps.core.errors import DataError
from textapps.datasets.config import DataConfig
from textapps.datasets.source import Row
from textapps.datasets.splits import split_of
from textapps.datasets.texts.folders import FolderSource
from textapps.datasets.texts.labelled_texts import LabelledTexts
from textapps.datasets.texts.load import Loader, load_labelled_texts, load_split


def many(classes: str = "cat dog fish", rows: int = 60) -> list[tuple[str, str]]:
    """(label, text) pairs, enough for every split to have some of each class."""
    names = classes.split()
    return [(names[number % len(names)], f"text {number}") for number in range(rows)]


def tsv(rows: list[tuple[str, str]]) -> str:
    return "label\ttext\n" + "".join(f"{label}\t{text}\n" for label, text in rows)


def pairs(data: LabelledTexts) -> list[tuple[str, str]]:
    names = [data.label_names[label] for label in data.labels]
    return list(zip(names, data.texts, strict=True))


def test_file_is_split_by_the_rule(write) -> None:
    source = str(write("pets.tsv", tsv(many())))
    splits = load_labelled_texts(DataConfig(source=source))
    for name in ("train", "validation", "test"):
        data = getattr(splits, name)
        assert pairs(data) == [row for row in many() if split_of(row[1]) == name]
        assert (data.name, data.label_names) == ("pets", ("cat", "dog", "fish"))
        assert data.labels.dtype == np.int32


@pytest.mark.parametrize("suffix", ["csv", "tsv", "jsonl", "txt"])
@pytest.mark.parametrize("packed", [False, True])
def test_formats_agree(write, suffix: str, packed: bool) -> None:
    import gzip
    import json

    rows = many()
    content = {
        "csv": tsv(rows).replace("\t", ",").replace("\n", "\r\n"),
        "tsv": "\ufeff" + tsv(rows),
        "jsonl": "\n".join(json.dumps({"label": label, "text": text}) for label, text in rows),
        "txt": tsv(rows).split("\n", 1)[1],
    }[suffix].encode()
    path = write(f"pets.{suffix}.gz", gzip.compress(content)) if packed else None
    data = load_split(DataConfig(source=str(path or write(f"pets.{suffix}", content))), "train")
    assert pairs(data) == [row for row in rows if split_of(row[1]) == "train"]
    assert data.name == "pets"


def test_only_what_is_asked_for(write) -> None:
    splits = load_labelled_texts(DataConfig(source=str(write("pets.tsv", tsv(many())))), ["test"])
    assert len(splits.test) > 0
    with pytest.raises(AttributeError):
        splits.train  # noqa: B018


def test_training_never_reads_test(write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for split in ("train", "test"):
        for label, text in many():
            write(f"pets/{split}/{label}/{text}.txt", f"{split} {text}")
    read: list[str | None] = []
    rows = FolderSource.rows

    def watched(source: FolderSource, split: str | None) -> list[Row]:
        read.append(split)
        return rows(source, split)

    monkeypatch.setattr(FolderSource, "rows", watched)
    config = DataConfig(source=str(tmp_path / "pets"))
    splits = load_labelled_texts(config, ["train", "validation"])
    assert read == ["train"]
    assert len(splits.train) + len(splits.validation) == 60
    assert all(split_of(text) == "validation" for text in splits.validation.texts)
    read.clear()
    assert len(load_split(config, "test")) == 60
    assert read == ["test"]


def test_own_splits_are_honoured(write) -> None:
    rows = [(*row, "test" if number % 4 == 0 else "train") for number, row in enumerate(many())]
    content = "label\ttext\tsplit\n" + "".join("\t".join(row) + "\n" for row in rows)
    splits = load_labelled_texts(DataConfig(source=str(write("pets.tsv", content))))
    assert pairs(splits.test) == [row[:2] for row in rows if row[2] == "test"]
    left = [row[:2] for row in rows if row[2] == "train"]
    assert pairs(splits.validation) == [r for r in left if split_of(r[1]) == "validation"]
    # Rows that the rule would put into test are training rows where test is the set's own.
    assert pairs(splits.train) == [r for r in left if split_of(r[1]) != "validation"]


def test_groups_stay_together(write) -> None:
    rows = "".join(f"{label},{text},{number // 5}\n" for number, (label, text) in enumerate(many()))
    source = str(write("pets.csv", "label,text,movie\n" + rows))
    splits = load_labelled_texts(DataConfig(source=source))
    groups = {text: number // 5 for number, (_, text) in enumerate(many())}
    train, test = ({groups[text] for text in data.texts} for data in (splits.train, splits.test))
    assert train
    assert test
    assert not train & test


def test_other_sources_for_validation_and_test(write) -> None:
    main = str(write("pets.tsv", tsv(many())))
    dev = str(write("dev.tsv", tsv([("dog", "yaps")])))
    test = str(write("exam.jsonl", '{"text": "two", "label": "fish"}\n'))
    config = DataConfig(source=main, validation_source=dev, test_source=test)
    splits = load_labelled_texts(config)
    assert pairs(splits.train) == many()
    assert pairs(splits.validation) == [("dog", "yaps")]
    assert pairs(splits.test) == [("fish", "two")]
    assert (splits.train.name, splits.test.name) == ("pets", "exam")
    assert splits.test.label_names == ("cat", "dog", "fish")


def test_given_test_data_leave_validation_to_be_carved(write) -> None:
    test = str(write("exam.tsv", tsv([("dog", "yaps")])))
    config = DataConfig(source=str(write("pets.tsv", tsv(many()))), test_source=test)
    splits = load_labelled_texts(config)
    assert {split_of(text) for text in splits.train.texts} == {"train", "test"}


def test_given_data_with_own_splits_give_the_wanted_one(write) -> None:
    both = "label\ttext\tsplit\ncat\tone\tdev\ndog\ttwo\ttest\n"
    source = str(write("both.tsv", both))
    config = DataConfig(
        source=str(write("pets.tsv", tsv(many()))), validation_source=source, test_source=source
    )
    assert load_split(config, "validation").texts == ["one"]
    assert load_split(config, "test").texts == ["two"]
    other = str(write("other.tsv", both.replace("dev", "train")))
    with pytest.raises(DataError, match="other: no validation split, only test, train"):
        load_split(config.model_copy(update={"validation_source": other}), "validation")
    single = str(write("single.tsv", "label\ttext\tsplit\ncat\tone\ttest\n"))
    config = config.model_copy(update={"validation_source": single})
    assert load_split(config, "validation").texts == ["one"]


def test_unknown_label_names_its_line(write) -> None:
    test = write("exam.tsv", tsv([("dog", "yaps"), ("bird", "sings")]))
    config = DataConfig(source=str(write("pets.tsv", tsv(many()))), test_source=str(test))
    with pytest.raises(
        DataError, match=r"exam\.tsv:3: label 'bird', the classes are cat, dog, fish"
    ):
        load_split(config, "test")


def test_labels_of_an_earlier_training_need_no_training_data(write) -> None:
    test = str(write("exam.tsv", tsv([("dog", "yaps"), ("cat", "purrs")])))
    config = DataConfig(source="gone.csv", test_source=test)
    data = load_split(config, "test", label_names=["dog", "cat", "fish"])
    assert (data.labels.tolist(), data.label_names) == ([0, 1], ("dog", "cat", "fish"))


def test_integer_labels_sort_by_value(write) -> None:
    source = str(write("stars.tsv", tsv(many("10 9 1"))))
    assert load_split(DataConfig(source=source), "train").label_names == ("1", "9", "10")


def test_order_and_fingerprint_repeat(write) -> None:
    config = DataConfig(source=str(write("pets.tsv", tsv(many()))))
    first, again = load_split(config, "train"), load_split(config, "train")
    assert first.texts == again.texts
    assert first.fingerprint == again.fingerprint


def test_rows_without_text_are_left_out_with_a_warning(write, caplog) -> None:
    source = str(write("pets.tsv", tsv([("cat", " "), *many(), ("dog", "")])))
    with caplog.at_level(logging.WARNING, "textapps"):
        data = load_split(DataConfig(source=source), "train")
    assert "" not in [text.strip() for text in data.texts]
    [record] = caplog.records
    assert record.getMessage().startswith("pets: 2 rows without text left out of train")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "pets: no labelled rows"),
        ("label\ttext\n", "pets: no labelled rows"),
        ("label\ttext\ncat\tone\ncat\ttwo\n", "one class only, 'cat'; at least two"),
        ("words\ttext\ncat\tone\n", "no label column, the columns are words, text"),
        ("label\ttext\ncat\tm\xe9\n", "pets.tsv:2: not UTF-8"),
        ("label\ttext\ncat\tm\0\n", "pets.tsv:2: a NUL character"),
        ("label\ttext\n\tone\n", "pets.tsv:2: no label in column 'label'"),
        ("label\ttext\tsplit\ncat\tone\ttest\n", "pets: no train split, only test"),
        ("label\ttext\ncat\ttwo\ndog\tone\n", "one class only in the training rows"),
    ],
)
def test_bad_files(write, content: str, message: str) -> None:
    source = str(write("pets.tsv", content.encode("latin-1")))
    with pytest.raises(DataError) as caught:
        load_split(DataConfig(source=source), "train")
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)
    assert caught.value.exit_code == 3


def test_split_without_rows(write) -> None:
    source = str(write("pets.tsv", tsv([("cat", "one"), ("dog", "three")])))
    with pytest.raises(DataError, match=r"no rows for validation; .* give --validation-data"):
        load_split(DataConfig(source=source), "validation")


def test_missing_files_suggest_near_ones(write, tmp_path: Path) -> None:
    near = write("reviews.csv", "")
    with pytest.raises(
        DataError, match=rf"no such file or folder: .*revews\.csv; did you mean '{near}'\?"
    ):
        load_split(DataConfig(source=str(tmp_path / "revews.csv")), "train")
    with pytest.raises(DataError, match="there is no folder"):
        load_split(DataConfig(source=str(tmp_path / "nowhere/pets.csv")), "train")
    with pytest.raises(DataError, match="no such file or folder: pets"):
        load_split(DataConfig(source="./pets"), "train")


def test_sample() -> None:
    splits = load_labelled_texts(DataConfig(source="sample"))
    sizes = [len(data) for data in (splits.train, splits.validation, splits.test)]
    assert sum(sizes) == 1200
    assert min(sizes) > 100
    assert (splits.train.name, splits.train.label_names) == ("sample", ("neg", "pos"))


def test_prepared_set_by_name_and_by_folder(prepare, tmp_path: Path, monkeypatch) -> None:
    train = [(text, number % 2) for number, (_, text) in enumerate(many())]
    prepare("pets", config="plain", names=("dog", "cat"), train=train, test=[("yaps", 0)])
    config = DataConfig(source="pets", data_dir=str(tmp_path / "prepared"))
    splits = load_labelled_texts(config)
    assert splits.train.label_names == ("dog", "cat")
    assert [split_of(text) for text in splits.validation.texts] == ["validation"] * len(
        splits.validation
    )
    assert len(splits.train) + len(splits.validation) == 60
    assert (splits.test.texts, splits.test.labels.tolist()) == (["yaps"], [0])
    monkeypatch.setenv("TFDS_DATA_DIR", str(tmp_path / "prepared"))
    for source, name in (("pets", "pets"), (str(tmp_path / "prepared/pets"), "pets-plain")):
        same = load_split(DataConfig(source=source), "train")
        assert (same.fingerprint, same.name) == (splits.train.fingerprint, name)


def test_unlabelled_split_of_a_prepared_set(prepare, tmp_path: Path) -> None:
    prepare("pets", train=[("purrs", 0), ("barks", 1)], test=[("what", -1)])
    config = DataConfig(source="pets", data_dir=str(tmp_path / "prepared"))
    with pytest.raises(DataError, match="pets/test:1: no label, the classes are cat, dog"):
        load_split(config, "test")


def test_loader_reports_instead_of_raising(write) -> None:
    defects: list[tuple[str, str]] = []
    source = str(write("pets.tsv", tsv(many()) + "cat\n"))
    assert len(Loader(DataConfig(source=source), report=defects.append).load("train")) > 0
    assert [place for place, _ in defects] == [f"{source}:62"]


def test_files_need_no_tensorflow(write) -> None:
    source = str(write("pets.tsv", tsv(many())))
    code = (
        "import sys; from textapps.datasets.config import DataConfig;"
        "from textapps.datasets.texts.load import load_split;"
        f"load_split(DataConfig(source={source!r}), 'train');"
        "print([name for name in ('tensorflow', 'keras') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


@pytest.mark.acceptance
def test_real_imdb(shared_data: Path) -> None:
    splits = load_labelled_texts(DataConfig(data_dir=str(shared_data / "tfds")))
    assert [len(data) for data in (splits.train, splits.validation, splits.test)] == [
        22_525,
        2_475,
        25_000,
    ]
    assert np.bincount(splits.test.labels).tolist() == [12_500, 12_500]
    assert splits.train.label_names == ("neg", "pos")
    assert splits.train.texts[0].startswith("This was an absolutely terrible movie.")
    train = {*splits.train.texts, *splits.validation.texts}
    assert sum(text in train for text in splits.test.texts) == 123


@pytest.mark.acceptance
def test_real_chinese_reviews(shared_data: Path) -> None:
    path = str(shared_data / "sentiment_zh" / "chnsenticorp_{}.tsv.gz")
    config = DataConfig(
        source=path.format("train"),
        validation_source=path.format("dev"),
        test_source=path.format("test"),
    )
    splits = load_labelled_texts(config)
    assert [len(data) for data in (splits.train, splits.validation, splits.test)] == [
        9_600,
        1_200,
        1_200,
    ]
    assert splits.train.label_names == ("0", "1")


@pytest.mark.acceptance
def test_real_texts_without_labels(shared_data: Path) -> None:
    config = DataConfig(source=str(shared_data / "imdb_unsupervised.jsonl.gz"))
    with pytest.raises(DataError, match="no label column, the columns are id, movie, text"):
        load_split(config, "train")
