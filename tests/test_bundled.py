import csv
import importlib.util
import re
from pathlib import Path
from types import ModuleType

import pytest

from textapps import bundled
from textapps.bundled import bundled_dir
from textapps.errors import DataError


@pytest.fixture
def generator() -> ModuleType:
    spec = importlib.util.spec_from_file_location("generate", bundled_dir() / "generate.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
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


def test_installed_folder_comes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bundled, "__file__", str(tmp_path / "textapps" / "bundled.py"))
    with pytest.raises(DataError, match="install textapps again"):
        bundled_dir()
    for folder in (tmp_path / "data", tmp_path / "textapps" / "bundled"):
        folder.mkdir(parents=True)
        (folder / "sentiment.csv").touch()
        assert bundled_dir() == folder
