"""Files on which users stumbled: which part is evaluated."""

from pathlib import Path

import pytest

from textapps.datasets.config import DataConfig
from textapps.datasets.texts.loader import load_texts

pytestmark = pytest.mark.acceptance


@pytest.fixture(scope="module")
def texts(shared_data: Path) -> Path:
    """The folder of texts among the cases."""
    path = shared_data.parent / "cases" / "texts"
    if not path.is_dir():
        pytest.skip(f"needs the cases in {path}")
    return path


def test_a_file_without_splits_is_evaluated_whole(texts: Path) -> None:
    data = DataConfig(source=str(texts / "whole_file.csv"))
    [found] = load_texts(data, (None,))
    assert found.part == ("all", len(found), len(found))
    [part] = load_texts(data, ("test",))
    assert part.part == ("test", len(part), len(found))
    assert len(part) < len(found) / 4
