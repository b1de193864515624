"""Where the files are on which users have stumbled."""

from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def cases(shared_data: Path) -> Path:
    """The folder of cases, beside the real data sets."""
    path = shared_data.parent / "cases"
    if not path.is_dir():
        pytest.skip(f"needs the cases in {path}")
    return path


@pytest.fixture(scope="session")
def texts(cases: Path) -> Path:
    """The folder of texts among them."""
    return cases / "texts"
