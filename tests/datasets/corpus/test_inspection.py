from pathlib import Path

import pytest

from textapps.core.errors import DataError
from textapps.datasets.config import CorpusConfig
from textapps.datasets.corpus.inspection import check, summarise
from textapps.datasets.corpus.loader import load_corpora
from textapps.datasets.source import SPLITS

LINE = "a long line of forty characters and more"


@pytest.fixture
def config(write) -> CorpusConfig:
    rows = [
        (LINE, "train"),
        ("two\x0c\x85\x85", "train"),
        ("Zoë, Zoë", "dev"),
        (LINE, "test"),
        ("\ufffdx" + LINE[2:], "test"),
        (LINE[:39], "test"),
    ]
    table = "text\tsplit\n" + "".join(f"{text}\t{split}\n" for text, split in rows)
    return CorpusConfig(source=str(write("lines.tsv", table)))


def test_summary(config: CorpusConfig) -> None:
    overview, _, first = summarise(config)
    splits = overview.splits
    assert (overview.name, first[0][:40]) == ("lines", LINE)
    assert list(splits) == ["train", "validation", "test"]
    train, validation, test = splits.values()
    assert (train.characters, train.lines, train.documents) == (40 + 2 + 6 + 1, 3, 2)
    assert (validation.documents, validation.lines, validation.distinct) == (1, 1, 5)
    assert (train.new, list(validation.new)) == ({}, ["Z", "ë", ","])
    assert validation.new == {"Z": 2, "ë": 2, ",": 1}
    assert test.new == {"\ufffd": 1, "x": 1}
    assert train.beginning.startswith(LINE)
    loaded = load_corpora(config, SPLITS)
    assert [one.fingerprint for one in splits.values()] == [one.fingerprint for one in loaded]


def test_findings(config: CorpusConfig) -> None:
    found = check(config)
    assert found.splits == summarise(config)[0].splits
    assert found.odd == {
        "train": {"\x85": 2, "\x0c": 1},
        "validation": {},
        "test": {"\ufffd": 1},
    }
    # one line has another beginning, one is too short to tell
    assert found.shared == {"validation": [], "test": [LINE]}
    titles = dict(found.found())
    assert titles["characters of validation that train lacks"] == [
        "'Z' U+005A: 2",
        "'ë' U+00EB: 2",
        "',' U+002C: 1",
    ]
    assert titles["lines of test that also occur in train, of 40 characters or more"] == [LINE]


def test_what_cannot_be_loaded_cannot_be_looked_at(tmp_path: Path) -> None:
    path = tmp_path / "song.txt"
    path.write_bytes(b"la la \xff la")
    for look in (summarise, check):
        with pytest.raises(DataError, match="not UTF-8"):
            look(CorpusConfig(source=str(path)))
