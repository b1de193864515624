from pathlib import Path

import pytest
from pydantic import ValidationError

from textapps.core.errors import ConfigurationError
from textapps.datasets.clips.config import ClipsConfig
from textapps.datasets.config import DataConfig, PairsConfig


def test_unknown_key_and_empty_source_are_errors() -> None:
    with pytest.raises(ValidationError, match="sorce"):
        DataConfig(sorce="sample")
    with pytest.raises(ValidationError, match="at least 1 character"):
        DataConfig(source="")


def test_resolved_makes_paths_absolute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("pets.csv").touch()
    config = DataConfig(source="pets.csv", test_source="glue/sst2", data_dir="prepared")
    assert config.resolved() == DataConfig(
        source=str(tmp_path / "pets.csv"),
        test_source="glue/sst2",
        data_dir=str(tmp_path / "prepared"),
    )


def test_resolved_leaves_the_sample_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("sample").mkdir()
    assert DataConfig(source="sample").resolved().source == "sample"


def test_another_source_keeps_what_the_model_answers_and_nothing_else() -> None:
    clips = ClipsConfig(
        source="words", test_source="others", data_dir="sets", commands=("up", "no"), unknown=0.2
    )
    other = clips.changed({"source": "mine.csv"})
    assert other == ClipsConfig(
        source="mine.csv", data_dir="sets", commands=("up", "no"), unknown=0.2
    )
    assert clips.changed({"skip_bad": True}) == clips.model_copy(update={"skip_bad": True})
    pairs = PairsConfig(source="en-de.tsv", reverse=True, source_column="en", target_column="de")
    assert pairs.changed({"source": "b.tsv"}) == PairsConfig(source="b.tsv", reverse=True)


def test_two_files_or_a_sheet_are_another_source() -> None:
    pairs = PairsConfig(source="en-de.tsv", test_source="test.tsv", reverse=True)
    files = {"source_file": "t17.en", "target_file": "t17.de"}
    named = pairs.changed(files)
    assert named == PairsConfig(reverse=True, **files)
    assert not named.is_source_of(pairs)
    assert named.changed({"source": "b.tsv"}) == PairsConfig(source="b.tsv", reverse=True)
    book = DataConfig(source="book.xlsx", sheet="Train", test_source="t.csv", text_column="Avis")
    sheet = book.changed({"sheet": "Test"})
    assert sheet == DataConfig(source="book.xlsx", sheet="Test", text_column="Avis")
    assert not sheet.is_source_of(book)
    assert book.changed({"sheet": "Train"}) == book


def test_a_source_is_the_same_by_whatever_path(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    path = tmp_path / "data" / "a.csv"
    path.write_text("text,label\na,b\n")
    (tmp_path / "link.csv").symlink_to(path)
    own = DataConfig(source=str(tmp_path / "data" / ".." / "data" / "a.csv"))
    for other in (path, tmp_path / "link.csv"):
        assert DataConfig(source=str(other)).is_source_of(own)
    (tmp_path / "b.csv").write_bytes(path.read_bytes())
    assert not DataConfig(source=str(tmp_path / "b.csv")).is_source_of(own)


def test_the_column_of_inputs_is_that_of_the_language_that_is_translated() -> None:
    pairs = PairsConfig(source="en-de.tsv", source_column="en", target_column="de")
    assert pairs.input_column == "en"
    assert pairs.changed({"reverse": True}).input_column == "de"
    assert DataConfig(text_column="Avis").input_column == "Avis"
    assert ClipsConfig().input_column is None


def test_a_changed_section_is_checked() -> None:
    with pytest.raises(ConfigurationError, match="source_column and target_column go together"):
        PairsConfig().changed({"source_column": "en"})
