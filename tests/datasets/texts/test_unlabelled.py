"""Unlabelled texts: which are taken, which are left out, and what is said of them."""

import gzip
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from textapps.core.errors import DataError
from textapps.datasets.config import DataConfig
from textapps.datasets.texts.examples import LabelledTexts
from textapps.datasets.texts.loader import load_texts
from textapps.datasets.texts.plain import load_unlabelled

Load = Callable[..., tuple[str, ...]]
LABELLED = [
    ("a fine film", "pos", "train"),
    ("a dull film", "neg", "train"),
    ("held out, fine", "pos", "validation"),
    ("held out, dull", "neg", "validation"),
    ("tested fine", "pos", "test"),
    ("tested dull", "neg", "test"),
]


@pytest.fixture
def load(tmp_path: Path) -> Load:
    """`load(path, …)` gives the unlabelled texts of sources beside LABELLED."""
    own = tmp_path / "own.tsv"
    rows = "".join("\t".join(row) + "\n" for row in [("text", "label", "split"), *LABELLED])
    own.write_text(rows, encoding="utf-8")

    def found(*sources: Path) -> tuple[str, ...]:
        config = DataConfig(source=str(own), unlabelled=tuple(map(str, sources)))
        splits: list[LabelledTexts] = load_texts(config, ("train", "validation"))
        return load_unlabelled(config, *splits)

    return found


def test_texts_to_train_or_evaluate_on_are_left_out_in_any_spelling(
    load: Load, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    more = tmp_path / "more.jsonl.gz"
    texts = [
        "new one",
        "Held out: FINE!",
        "tested  fine",
        "A fine film.",
        "New one!",
        "new two",
        "",
    ]
    lines = "".join(json.dumps({"text": text}) + "\n" for text in texts)
    more.write_bytes(gzip.compress(lines.encode()))
    lone = tmp_path / "lone.txt"
    lone.write_text("new three\nnew two\n", encoding="utf-8")
    with caplog.at_level(25, "textapps"):
        assert load(more, lone) == ("new one", "new two", "new three")
    [said] = [each for each in caplog.messages if "unlabelled" in each]
    assert said.startswith("more, lone: 3 unlabelled texts, without 5 that")


def test_of_a_source_with_splits_only_texts_for_training_are_taken(
    load: Load, tmp_path: Path
) -> None:
    """Its labels are not read, and what it tests on is left out of the other source too."""
    split = tmp_path / "split.csv"
    rows = ["text,label,split", "theirs,pos,train", "their test,neg,test", "ours,neg,train"]
    split.write_text("\n".join(rows) + "\n", encoding="utf-8")
    other = tmp_path / "other.txt"
    other.write_text("their test\nanother\n", encoding="utf-8")
    assert load(split, other) == ("theirs", "ours", "another")


def test_nothing_left_is_an_error(load: Load, tmp_path: Path) -> None:
    known = tmp_path / "known.txt"
    known.write_text("tested dull\na dull film\n", encoding="utf-8")
    with pytest.raises(DataError, match=r"known: no unlabelled text .* --unlabelled"):
        load(known)
    with pytest.raises(DataError, match=r"no such file or folder.*absent\.txt"):
        load(tmp_path / "absent.txt")


def test_the_fingerprint_tells_unlabelled_texts_apart() -> None:
    import numpy as np

    labels = np.zeros(1, np.int32)
    found = {
        LabelledTexts(["a"], labels, ("x", "y"), "name", unlabelled=more).fingerprint
        for more in ((), ("b",), ("b", "c"), ("bc",))
    }
    assert len(found) == 4


def test_a_source_with_labels_and_without_splits_is_taken_whole(
    load: Load, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Of 100 such rows a classifier would hold about 20 back."""
    more = tmp_path / "more.csv"
    texts = [f"text number {number}" for number in range(100)]
    rows = [f"{text},{'pos' if number % 3 else 'neg'}" for number, text in enumerate(texts)]
    more.write_text("\n".join(["text,label", *rows, "tested dull,neg"]) + "\n", encoding="utf-8")
    with caplog.at_level(25, "textapps"):
        assert load(more) == tuple(texts)
    assert "more: 100 unlabelled texts, without 1 that" in caplog.text


def test_a_tab_in_one_line_of_a_text_file_is_of_the_text(load: Load, tmp_path: Path) -> None:
    lone = tmp_path / "lone.txt"
    lone.write_text("one\n\ntwo\tand more\n__label__pos three\nfour\n", encoding="utf-8")
    assert load(lone) == ("one", "two\tand more", "three", "four")
    labelled = tmp_path / "labelled.txt"
    labelled.write_text("pos\tone\nneg\ttwo\tand more\nthree\n\n", encoding="utf-8")
    assert load(labelled) == ("one", "two\tand more", "three")
