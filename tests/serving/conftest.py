"""A directory to serve, and tiny models to put into it; each is made once."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.serving import legacy, models


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """`built("lengths", 3)` is a directory with that model of `models` or `legacy`."""
    made: dict[tuple[object, ...], Path] = {}

    def build(name: str, *arguments: object) -> Path:
        key = (name, *arguments)
        if key not in made:
            write = getattr(models, name, None) or getattr(legacy, name)
            made[key] = write(tmp_path_factory.mktemp(name) / "model", *arguments)
        return made[key]

    return build


@pytest.fixture
def place(tmp_path: Path, built: Callable[..., Path]) -> Callable[..., Path]:
    """`place("m", 2, "lengths", 3)` makes it appear whole at `<directory>/m/2`."""

    def put(model: str, version: int, name: str, *arguments: object) -> Path:
        return models.copy(built(name, *arguments), tmp_path / "models" / model / str(version))

    return put


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """The directory to serve, empty."""
    path = tmp_path / "models"
    path.mkdir()
    return path
