"""Texts to pre-train on: which ones are taken, and which are left out."""

import csv
import gzip
import json
from pathlib import Path

import pytest

from textapps.core.errors import DataError
from textapps.core.notices import NOTICE
from textapps.datasets.config import DataConfig
from textapps.datasets.splits import split_of
from textapps.datasets.texts.config import PlainTextsConfig
from textapps.datasets.texts.loader import load_texts
from textapps.datasets.texts.plain import load_plain_texts

TEXTS = [f"text number {number} is fine" for number in range(300)]


def write_labelled(path: Path, texts: list[str], split: str | None = None) -> str:
    with path.open("a", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        if file.tell() == 0:
            writer.writerow(["text", "label"] + ["split"] * (split is not None))
        for number, text in enumerate(texts):
            writer.writerow([text, "no" if number % 2 else "yes"] + [split] * (split is not None))
    return str(path)


def write_unlabelled(path: Path, texts: list[str]) -> str:
    with gzip.open(path, "wt", encoding="utf-8") as file:
        file.writelines(json.dumps({"id": n, "text": text}) + "\n" for n, text in enumerate(texts))
    return str(path)


def loaded(*sources: str, **values: object) -> tuple[set[str], set[str]]:
    config = PlainTextsConfig.model_validate({"source": sources, **values})
    train, validation = load_plain_texts(config)
    assert train.name == validation.name
    return set(train.texts), set(validation.texts)


def test_all_texts_without_labels_are_taken(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(NOTICE, "textapps")
    train, validation = loaded(write_unlabelled(tmp_path / "own.jsonl.gz", TEXTS))
    assert train | validation == set(TEXTS)
    assert not train & validation
    assert 0 < len(validation) < 12
    assert "own: no labels found, so all of its texts are read" in caplog.text


def test_of_labelled_texts_those_that_a_classifier_trains_on(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(NOTICE, "textapps")
    source = write_labelled(tmp_path / "own.csv", TEXTS)
    train, validation = loaded(source)
    classifier, *_ = load_texts(DataConfig(source=source))
    assert train | validation == set(classifier.texts)
    assert {split_of(text) for text in train | validation} == {"train"}
    unread = len(TEXTS) - len(classifier.texts)
    assert f"own: {unread} texts of validation and test left out" in caplog.text


def test_copies_of_evaluated_texts_are_left_out_and_counted(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(NOTICE, "textapps")
    source = write_labelled(tmp_path / "own.csv", TEXTS[:40], "train")
    write_labelled(tmp_path / "own.csv", TEXTS[40:50], "validation")
    write_labelled(tmp_path / "own.csv", TEXTS[50:60], "test")
    copies = [TEXTS[42].upper(), TEXTS[55].replace(" ", "  ") + "!", *TEXTS[100:120]]
    more = write_unlabelled(tmp_path / "more.jsonl.gz", copies)
    train, validation = loaded(source, more)
    assert train | validation == {*TEXTS[:40], *TEXTS[100:120]}
    assert "2 texts left out: they also stand in a validation or test split" in caplog.text


def test_data_of_validation_and_test_are_left_out(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(NOTICE, "textapps")
    source = write_labelled(tmp_path / "own.csv", TEXTS[:60])
    test = write_labelled(tmp_path / "test.csv", TEXTS[50:70])
    other = write_labelled(tmp_path / "dev.csv", TEXTS[70:90])
    train, validation = loaded(source, validation_source=other, test_source=test)
    assert train | validation == set(TEXTS[:50])
    assert "of validation and test left out" not in caplog.text


def test_lines_of_a_text_file_are_texts(tmp_path: Path) -> None:
    path = tmp_path / "own.txt"
    path.write_text("one text\n\nanother text\na third\n", encoding="utf-8")
    train, validation = loaded(str(path))
    assert train | validation == {"one text", "another text", "a third"}


def test_labelled_lines_are_split_as_a_classifier_splits_them(tmp_path: Path) -> None:
    """By the whole text: a blank at its end makes another one."""
    lines = [f"{'no' if number % 2 else 'yes'}\t {text} " for number, text in enumerate(TEXTS)]
    path = tmp_path / "own.txt"
    path.write_text("\n".join(lines), encoding="utf-8")
    train, validation = loaded(str(path))
    (own,) = load_texts(DataConfig(source=str(path)), ("train",), ("no", "yes"))
    assert train | validation == set(own.texts)


def test_bad_rows_can_be_left_out(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / "own.jsonl"
    path.write_text("\n".join(['{"text": "a"}', "{oops", '{"text": "b"}']), encoding="utf-8")
    with pytest.raises(DataError, match=r"own\.jsonl:2: not JSON"):
        loaded(str(path))
    train, validation = loaded(str(path), skip_bad=True)
    assert train | validation == {"a", "b"}
    assert "own: 1 bad row skipped: " in caplog.text


def test_folders_with_and_without_classes(tmp_path: Path) -> None:
    """Those of the Large Movie Review Dataset have unlabelled texts beside the classes."""
    files = {"train/pos/1": "fine", "train/neg/1": "dull", "train/unsup/1": "odd"}
    for name, text in {**files, "test/pos/1": "great", "test/neg/1": "so so"}.items():
        path = tmp_path / "set" / f"{name}.txt"
        path.parent.mkdir(parents=True)
        path.write_text(text, encoding="utf-8")
    train, validation = loaded(str(tmp_path / "set"))
    assert "odd" in train | validation
    assert train | validation <= {"fine", "dull", "odd"}
    for number in range(3):
        (tmp_path / f"{number}.txt").write_text(f"text {number}", encoding="utf-8")
    train, validation = loaded(str(tmp_path))
    assert train | validation == {"text 0", "text 1", "text 2"}


def test_too_few_texts(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="fewer than two texts to train on"):
        loaded(write_unlabelled(tmp_path / "own.jsonl.gz", ["only one"]))


def test_texts_of_one_group(tmp_path: Path) -> None:
    source = write_unlabelled(tmp_path / "own.jsonl.gz", ["the same"] * 9)
    with pytest.raises(DataError, match="all texts are equal or of one group, so none would be"):
        loaded(source)


def test_several_sources_in_every_form() -> None:
    both = PlainTextsConfig.model_validate({"source": ("a", "b")})
    assert (both.source, both.more, both.sources) == ("a", ("b",), ("a", "b"))
    again = PlainTextsConfig.model_validate_json(both.model_dump_json(), strict=True)
    assert again == both
    assert PlainTextsConfig.model_validate({"source": "a"}).sources == ("a",)
    one_more = {"source": "a", "more": "b"}  # as the environment has it
    assert PlainTextsConfig.model_validate(one_more) == both
