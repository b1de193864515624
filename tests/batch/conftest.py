"""Tiny models to ask, without the manifest of an export."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.serving import models
from textapps.batch.inputs import model_sha256
from textapps.batch.job import Job


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """`built("lengths")` is a SavedModel of tests/serving/models.py."""
    made: dict[str, Path] = {}

    def build(name: str) -> Path:
        if name not in made:
            made[name] = getattr(models, name)(tmp_path_factory.mktemp(name) / "model")
            shutil.rmtree(made[name] / "assets.extra", ignore_errors=True)
        return made[name]

    return build


@pytest.fixture
def job(built: Callable[[str], Path], tmp_path: Path) -> Job:
    """Lengths of texts, three at a time."""
    model = built("lengths")
    return Job(model, model_sha256(model), "text", None, 3, tmp_path / "answers")
