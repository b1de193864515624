"""Tests of textapps.load."""

import sys
import types
from pathlib import Path

import pytest

import textapps
from textapps.core.config import Section
from textapps.core.errors import ConfigurationError, RunError
from textapps.training.run_directory import RunDirectory


class Config(Section):
    task: str = "sentiment"


def test_an_unknown_task() -> None:
    with pytest.raises(ConfigurationError, match=r"unknown task 'sentimant'.*'sentiment'\?"):
        textapps.load("sentimant")


def test_no_run(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="no finished run of sentiment"):
        textapps.load("sentiment", models_dir=tmp_path)
    with pytest.raises(RunError, match="no run at"):
        textapps.load("sentiment", tmp_path / "none")


def test_the_task_gets_the_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = RunDirectory.create(tmp_path, "sentiment", "gru", Config())
    (run.checkpoints / "step-00000003").mkdir(parents=True)
    task = types.SimpleNamespace(load=lambda run: run)
    monkeypatch.setitem(sys.modules, "textapps.tasks.sentiment.task", task)  # type: ignore[arg-type]
    loaded = textapps.load("sentiment", run.path)
    assert (loaded.path, loaded.config) == (run.path, {"task": "sentiment"})
