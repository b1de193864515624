from pathlib import Path

import pytest

from textapps.core.errors import DataError
from textapps.datasets.prepared import default_data_dir, find_prepared, prepared_sets


@pytest.fixture
def data_dir(write, tmp_path) -> Path:
    for folder in (
        "pets/1.0.0",
        "pets/1.10.0",
        "pets/1.9.0",
        "glue/cola/2.0.0",
        "glue/sst2/2.0.0",
        "solo/plain_text/1.0.0",
        "downloads/extracted/x",
    ):
        write(f"{folder}/dataset_info.json", "{}")
    write("pets/2.0.0.incompleteABC/dataset_info.json", "{}")
    return tmp_path


def test_prepared_sets(data_dir: Path) -> None:
    assert [(str(one), one.version) for one in prepared_sets(data_dir)] == [
        ("glue/cola", "2.0.0"),
        ("glue/sst2", "2.0.0"),
        ("pets", "1.0.0"),
        ("pets", "1.9.0"),
        ("pets", "1.10.0"),
        ("solo/plain_text", "1.0.0"),
    ]
    assert list(prepared_sets(data_dir / "nowhere")) == []


@pytest.mark.parametrize(
    ("name", "folder"),
    [
        ("pets", "pets/1.10.0"),
        ("pets:1.9.0", "pets/1.9.0"),
        ("glue/sst2", "glue/sst2/2.0.0"),
        ("solo", "solo/plain_text/1.0.0"),
        ("solo/plain_text:1.0.0", "solo/plain_text/1.0.0"),
        ("pets:3.0.0", None),
        ("glue/rte", None),
        ("no such name", None),
        ("../pets", None),
    ],
)
def test_find_prepared(data_dir: Path, name: str, folder: str | None) -> None:
    found = find_prepared(name, data_dir)
    assert (found and found.directory) == (folder and data_dir / folder)


def test_several_configurations_must_be_told_apart(data_dir: Path) -> None:
    with pytest.raises(DataError, match="name one of glue/cola, glue/sst2"):
        find_prepared("glue", data_dir)


def test_default_data_dir(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TFDS_DATA_DIR", "/some/where")
    assert default_data_dir() == Path("/some/where")
    monkeypatch.delenv("TFDS_DATA_DIR")
    assert default_data_dir() == Path.home() / "tensorflow_datasets"
