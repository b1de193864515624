import csv
import importlib.util
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


def test_sample_is_what_its_generator_writes(generator: ModuleType) -> None:
    committed = (bundled_dir() / "sentiment.csv").read_bytes()
    assert generator.sample().encode() == committed
    assert len(committed) < 150_000


def test_no_single_word_tells_the_label(generator: ModuleType) -> None:
    texts = [
        (set(row["text"].lower().replace(".", " ").replace(",", " ").split()), row["label"])
        for row in csv.DictReader(generator.sample().splitlines())
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
