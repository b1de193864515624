"""Files on which users stumbled: which part is evaluated, and classes."""

from pathlib import Path

import pytest

import textapps
from textapps.datasets.config import DataConfig, PairsConfig
from textapps.datasets.pairs.inspection import PairsFindings
from textapps.datasets.pairs.inspection import check as check_pairs
from textapps.datasets.texts.inspection import check
from textapps.datasets.texts.loader import load_texts

pytestmark = pytest.mark.acceptance


def test_odd_pairs_are_found(cases: Path) -> None:
    def found(name: str) -> PairsFindings:
        return check_pairs(PairsConfig(source=str(cases / "pairs" / name)))

    [ids] = found("idfirst.tsv").single_words
    assert ids.startswith("source: 150 of 150 are one word, such as '0'")
    [header] = found("header.tsv").headings
    assert header.endswith("header.tsv:1: English, German")
    good = found("hebrew.tsv")
    assert not any((good.odd_lengths, good.other_scripts, good.single_words, good.headings))


def test_texts_without_blanks_between_words(texts: Path) -> None:
    [told] = check(DataConfig(source=str(texts / "zh.tsv"))).unspaced
    assert "--tokens char" in told


def test_a_file_without_splits_is_evaluated_whole(texts: Path) -> None:
    data = DataConfig(source=str(texts / "whole_file.csv"))
    [found] = load_texts(data, (None,))
    assert found.part == ("all", len(found), len(found))
    [part] = load_texts(data, ("test",))
    assert part.part == ("test", len(part), len(found))
    assert len(part) < len(found) / 4


def test_every_split_has_every_class(texts: Path, caplog) -> None:
    loaded = load_texts(DataConfig(source=str(texts / "rareclass.csv")))
    rare = loaded[0].label_names.index("refund")
    assert [(part.labels == rare).sum() for part in loaded] == [1, 1, 1]
    assert "rareclass: rows moved so that every split has every class" in caplog.messages[0]
    found = check(DataConfig(source=str(texts / "rareclass.csv")))
    assert found.scarce[0] == "train: 1 row of 'refund'"
    _, validation, _ = load_texts(DataConfig(source=str(texts / "fifty.csv")))
    assert set(validation.labels.tolist()) == {0, 1}
    assert "few rows: validation" in caplog.messages[-2]


def test_a_rare_class_can_be_weighed(texts: Path, tmp_path: Path) -> None:
    """It is predicted then; macro F1 selects the weights either way."""
    source = str(texts / "imbalanced.csv")
    [told] = check(DataConfig(source=source)).unequal
    assert told.startswith("train: 'ok' has 26 times as many examples as 'complaint' (833 and 32)")
    predicted = {}
    for kind in ("none", "balanced"):
        settings = {"preset": "tiny", "data.source": source, "training.class_weights": kind}
        classifier = textapps.train("sentiment", settings, tmp_path)
        assert classifier.config.training.monitor == "macro_f1"
        _, validation, test = load_texts(DataConfig(source=source))
        answers = classifier.predict([*validation.texts, *test.texts])
        predicted[kind] = sum(answer.label == "complaint" for answer in answers)
    assert predicted["balanced"] > predicted["none"]


def test_spellings_of_a_label(texts: Path) -> None:
    source = str(texts / "mixedcase.csv")
    assert check(DataConfig(source=source)).alike == ["'NEG', 'Neg', 'neg'", "'POS', 'Pos', 'pos'"]
    [train] = load_texts(DataConfig(source=source, fold_labels=True), ("train",))
    assert train.label_names == ("neg", "pos")
