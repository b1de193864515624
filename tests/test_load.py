"""Tests of textapps.load and textapps.train."""

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


def test_the_lifecycle_gets_task_and_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = RunDirectory.create(tmp_path, "sentiment", "gru", Config())
    (run.checkpoints / "step-00000003").mkdir(parents=True)
    monkeypatch.setattr("textapps.tasks.lifecycle.load", lambda task, run: (task, run))
    task, loaded = textapps.load("sentiment", run.path)
    assert (task.name, loaded.path) == ("sentiment", run.path)
    assert loaded.config == {"task": "sentiment"}


def test_training_by_dotted_keys(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("textapps.tasks.lifecycle.train", lambda *given: (given, None))
    settings = {"preset": "tiny", "backbone.kind": "lstm", "training.epochs": 3}
    task, config, models_dir, progress = textapps.train("generate", settings, tmp_path)
    assert (task.name, models_dir, progress) == ("generate", tmp_path, None)
    assert (config.preset, config.backbone.kind, config.training.epochs) == ("tiny", "lstm", 3)
    assert config.model.chunk == 32  # the preset's
    with pytest.raises(ConfigurationError, match=r"'training\.epoch'.*'epochs'\?"):
        textapps.train("generate", {"training.epoch": 3})
