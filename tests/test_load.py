"""Tests of textapps.load and textapps.train."""

import re
from pathlib import Path

import numpy as np
import pytest

import textapps
from textapps.core.config import Section
from textapps.core.errors import ConfigurationError, RunError
from textapps.tasks.generate.predictor import TextGenerator
from textapps.tasks.sentiment.predictor import SentimentClassifier
from textapps.tasks.speech.predictor import SpeechRecognizer
from textapps.tasks.translate.predictor import Translator
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


def test_runs_are_found_as_on_the_command_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By name, and under TEXTAPPS_MODELS_DIR."""
    elsewhere = tmp_path / "elsewhere"
    runs = [RunDirectory.create(elsewhere, "sentiment", "gru", Config()) for _ in range(2)]
    for run in runs:
        (run.checkpoints / "step-00000003").mkdir(parents=True)
    monkeypatch.setattr("textapps.tasks.lifecycle.load", lambda task, run: run)
    monkeypatch.setattr("textapps.tasks.lifecycle.train", lambda *given: (given, None))
    monkeypatch.chdir(tmp_path)
    for run in runs:
        assert textapps.load("sentiment", run.name, elsewhere).path == run.path
    with pytest.raises(RunError, match="no run at"):
        textapps.load("sentiment", runs[0].name)
    monkeypatch.setenv("TEXTAPPS_MODELS_DIR", str(elsewhere))
    assert textapps.load("sentiment", runs[0].name).path == runs[0].path
    assert textapps.train("generate")[2] == elsewhere
    with pytest.raises(RunError, match=f"no finished run of sentiment in {tmp_path}/other"):
        textapps.load("sentiment", models_dir=tmp_path / "other")


@pytest.mark.parametrize(
    ("predictor", "method", "single", "remedy"),
    [
        (SentimentClassifier, "predict", "a fine film", "one text .* write predict([text])"),
        (SentimentClassifier, "scores", "a fine film", "predict([text])"),
        (TextGenerator, "generate", "ROMEO:", "one seed .* write generate([seed])"),
        (TextGenerator, "stream", "ROMEO:", "generate([seed])"),
        (Translator, "predict", "A man sleeps.", "one text .* write predict([text])"),
        (Translator, "n_best", "A man sleeps.", "predict([text])"),
        (SpeechRecognizer, "predict", "yes.wav", "one recording .* write predict([recording])"),
        (SpeechRecognizer, "predict", Path("yes.wav"), "predict([recording])"),
        (SpeechRecognizer, "predict", b"RIFF", "predict([recording])"),
        (SpeechRecognizer, "predict", np.zeros(9, np.float32), "predict([recording])"),
        (SpeechRecognizer, "listen", np.zeros(9, np.float32), "listen([waveform])"),
    ],
)
def test_one_input_is_not_taken_for_a_list(
    predictor: type, method: str, single: object, remedy: str
) -> None:
    """The check comes before anything of the model is used."""
    bare = predictor.__new__(predictor)
    pattern = ".*".join(map(re.escape, remedy.split(".*")))
    with pytest.raises(TypeError, match=pattern):
        getattr(bare, method)(single)


def test_training_by_dotted_keys(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("textapps.tasks.lifecycle.train", lambda *given: (given, None))
    settings = {"preset": "tiny", "backbone.kind": "lstm", "training.epochs": 3}
    task, config, models_dir, progress = textapps.train("generate", settings, tmp_path)
    assert (task.name, models_dir, progress) == ("generate", tmp_path, None)
    assert (config.preset, config.backbone.kind, config.training.epochs) == ("tiny", "lstm", 3)
    assert config.model.chunk == 32  # the preset's
    with pytest.raises(ConfigurationError, match=r"'training\.epoch'.*'epochs'\?"):
        textapps.train("generate", {"training.epoch": 3})
