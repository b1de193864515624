"""A run that tests of the commands may damage."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Make = Callable[[str, str], Any]


@pytest.fixture
def models(untrained: Make, tmp_path: Path) -> Path:
    """A folder with one finished run, which a test may damage."""
    run = untrained("sentiment", "simple_rnn").run.path
    shutil.copytree(run, tmp_path / "models" / "sentiment" / "20260101-000000-simple_rnn")
    return tmp_path / "models"


@pytest.fixture
def run(models: Path) -> Path:
    (path,) = (models / "sentiment").iterdir()
    return path


@pytest.fixture
def traced(untrained: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    """Commands get the classifier that is there already, so that its graph is traced once."""
    import copy

    from textapps.tasks import lifecycle

    ready = untrained("sentiment", "simple_rnn")

    def load(task: Any, run: Any) -> Any:
        again = copy.copy(ready)
        again.run = run
        return again

    monkeypatch.setattr(lifecycle, "load", load)
