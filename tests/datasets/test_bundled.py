import csv
import gzip
import importlib
import importlib.util
import re
import sys
from pathlib import Path
from types import ModuleType

import pytest

from textapps.core.errors import DataError
from textapps.datasets import bundled
from textapps.datasets.bundled import bundled_dir


@pytest.fixture
def generator() -> ModuleType:
    spec = importlib.util.spec_from_file_location("generate", bundled_dir() / "generate.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def pairs(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The generator of sentence pairs, which imports the other one by its bare name."""
    monkeypatch.syspath_prepend(str(bundled_dir()))
    for name in ("generate", "generate_pairs"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    module = importlib.import_module("generate_pairs")
    for name in ("generate", "generate_pairs"):
        monkeypatch.delitem(sys.modules, name)
    return module


@pytest.mark.parametrize("name", ["sentiment.csv", "verses.txt"])
def test_samples_are_what_their_generator_writes(generator: ModuleType, name: str) -> None:
    committed = (bundled_dir() / name).read_bytes()
    assert generator.SAMPLES[name]().encode() == committed
    assert len(committed) < 150_000


def test_both_lines_of_a_verse_rhyme(generator: ModuleType) -> None:
    rhyme_of = {ending: row for row in generator.RHYMES for ending in row}
    ends = "|".join(rhyme_of)
    found = re.findall(rf"({ends})[?,]\n+(?:[A-Z]+:\n)?.* ({ends})\.\n", generator.verses())
    assert len(found) > generator.VERSES
    assert all(first != last and rhyme_of[first] == rhyme_of[last] for first, last in found)


def test_verses_do_not_repeat_themselves(generator: ModuleType) -> None:
    """Else learning them by heart would look like learning."""
    lines = [line for line in generator.verses().split("\n") if len(line) > 20]
    assert len(set(lines)) > 0.95 * len(lines)


def test_no_single_word_tells_the_label(generator: ModuleType) -> None:
    texts = [
        (set(row["text"].lower().replace(".", " ").replace(",", " ").split()), row["label"])
        for row in csv.DictReader(generator.reviews().splitlines())
    ]
    words = set().union(*(words for words, _ in texts))
    right = (sum((word in words) == (label == "pos") for words, label in texts) for word in words)
    assert max(abs(count / len(texts) - 0.5) for count in right) < 0.1


def test_sentence_pairs_are_what_their_generator_writes(pairs: ModuleType) -> None:
    committed = (bundled_dir() / "sentences.tsv.gz").read_bytes()
    assert gzip.decompress(committed).decode() == pairs.sentences()
    assert len(committed) < 150_000
    rows = [line.split("\t") for line in pairs.sentences().splitlines()]
    assert [len(row) for row in rows] == [2] * pairs.PAIRS
    assert all(len(set(side)) == pairs.PAIRS for side in zip(*rows, strict=True))


def test_a_sentence_has_one_translation_and_back(pairs: ModuleType) -> None:
    """Else a model that has learned the grammar would still be wrong at times."""
    tolvi_of: dict[str, str] = {}
    for seed in range(100, 103):
        drawn = pairs.Pairs(seed)
        for _ in range(10_000):
            english, tolvi = drawn.pair()
            assert tolvi_of.setdefault(english, tolvi) == tolvi
    assert len(tolvi_of) > 10_000
    assert len(set(tolvi_of.values())) == len(tolvi_of)


def test_the_example_of_the_grammar(pairs: ModuleType) -> None:
    """The one that its description takes apart, by a grammar that draws just this."""
    drawn = pairs.Pairs(0)
    fox, lamp = pairs.NOUNS[0], pairs.NOUNS[7]
    picks = iter(["the", "old"])
    drawn.pick = lambda items: next(picks)
    subject = drawn.noun(fox)
    assert subject[:2] == ("the old fox", "ruvan hemma")
    picks = iter(["two", ""])
    assert drawn.noun(lamp, "k")[:2] == ("two lamps", "du limek")
    assert pairs.english_verb(pairs.TRANSITIVE[1], subject, "past", "denial") == (
        "the old fox did not find"
    )


def test_installed_folder_comes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bundled, "__file__", str(tmp_path / "textapps" / "datasets" / "bundled.py"))
    with pytest.raises(DataError, match="install textapps again"):
        bundled_dir()
    for folder in (tmp_path / "data", tmp_path / "textapps" / "bundled"):
        folder.mkdir(parents=True)
        (folder / "sentiment.csv").touch()
        assert bundled_dir() == folder
