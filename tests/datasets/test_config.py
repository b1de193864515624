from pathlib import Path

import pytest
from pydantic import ValidationError

from textapps.datasets.config import DataConfig


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
