"""Commands on a finished run: that of the fixture `ready`, which each test module defines."""

import copy
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

Cli = Callable[..., Result]


@pytest.fixture
def models(ready: Any, tmp_path: Path) -> Path:
    """A folder of models with this run only, not yet evaluated."""
    path = tmp_path / "models" / ready.run.task / f"20260102-030405-{ready.config.backbone.kind}"
    ignored = shutil.ignore_patterns("metrics.json", "evaluations", "report.html")
    shutil.copytree(ready.run.path, path, ignore=ignored)
    return tmp_path / "models"


@pytest.fixture
def traced(ready: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Commands use the predictor that exists, so that its graphs are traced only once."""
    from textapps.tasks import lifecycle

    def load(task: Any, run: Any) -> Any:
        again = copy.copy(ready)
        again.run = run
        return again

    monkeypatch.setattr(lifecycle, "load", load)


@pytest.fixture
def ask(cli: Cli, ready: Any, models: Path, traced: None) -> Cli:
    """`ask("predict", …)` runs a command of the task on the run; it must succeed."""

    def run(*arguments: str, input: bytes | None = None) -> Result:
        result = cli(ready.run.task, *arguments, "--models-dir", str(models), input=input)
        assert result.exit_code == 0, result.stderr
        return result

    return run
