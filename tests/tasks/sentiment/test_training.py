"""Training a classifier and going on with it: seeds, resume, precision, characters."""

import shutil
from collections.abc import Callable
from pathlib import Path

import keras
import numpy as np
import pytest

from tests.tasks.stopping import assert_same_bits
from textapps.core.errors import DataError, RunError
from textapps.tasks import lifecycle
from textapps.tasks.sentiment.config import SentimentConfig
from textapps.tasks.sentiment.task import TASK
from textapps.training.fit import fit
from textapps.training.run_directory import RunDirectory

Trained = Callable[[str], object]
Tiny = Callable[..., SentimentConfig]


@pytest.fixture
def copied(trained: Trained, tmp_path: Path) -> RunDirectory:
    """A finished run that a test may change."""
    path = tmp_path / "models" / "sentiment" / "20260101-000000-simple_rnn"
    shutil.copytree(trained("simple_rnn").run.path, path)
    return RunDirectory.open(path)


def test_the_same_seed_gives_the_same_bits(trained: Trained, copied: RunDirectory) -> None:
    """Also to a run that was killed before its first checkpoint, and in the same process."""
    shutil.rmtree(copied.checkpoints)
    (copied.path / "history.csv").unlink()
    killed = RunDirectory.open(copied.path, trained=False)
    classifier, result = lifecycle.resume(TASK, killed)
    first = trained("simple_rnn")
    assert_same_bits(classifier.run, first.run)
    assert (result.steps, result.best_step) == (first.result.steps, first.result.best_step)
    assert result.best_score == first.result.best_score


def test_another_seed_gives_other_weights(trained: Trained, tiny: Tiny, tmp_path: Path) -> None:
    classifier, _ = lifecycle.train(TASK, tiny(random_seed=1, **{"training.epochs": 1}), tmp_path)
    first = trained("simple_rnn").classifier.model.get_weights()
    for ours, theirs in zip(classifier.model.get_weights(), first, strict=True):
        assert ours.shape == theirs.shape
        assert not np.array_equal(ours, theirs)


def test_a_finished_run_is_resumed_to_itself(trained: Trained, copied: RunDirectory) -> None:
    first = trained("simple_rnn")
    classifier, result = lifecycle.resume(TASK, copied)
    assert result == first.result
    assert_same_bits(copied, first.run)
    for ours, theirs in zip(
        classifier.model.get_weights(), first.classifier.model.get_weights(), strict=True
    ):
        np.testing.assert_array_equal(ours, theirs)


@pytest.mark.parametrize("split", ["train", "validation"])
def test_changed_data_are_refused(
    copied: RunDirectory, opinions: Path, tmp_path: Path, split: str
) -> None:
    lines = opinions.read_text(encoding="utf-8").splitlines(keepends=True)
    at = next(index for index, line in enumerate(lines) if line.endswith(f",{split}\n"))
    lines[at] = f"another film,0,{split}\n"
    changed = tmp_path / "opinions.csv"
    changed.write_text("".join(lines), encoding="utf-8")
    config = (copied.path / "config.toml").read_text(encoding="utf-8")
    copied.write_text("config.toml", config.replace(copied.config["data"]["source"], str(changed)))
    rows = {"train": 94, "validation": 9}[split]
    with pytest.raises(RunError, match=f"on other data: its {split} split had {rows} examples"):
        lifecycle.resume(TASK, copied)
    changed.unlink()
    with pytest.raises(DataError, match=r"no such file or folder.*opinions\.csv"):
        lifecycle.resume(TASK, copied)


def test_mixed_precision_trains_in_bfloat16_and_answers_in_float32(
    tiny: Tiny, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trained_in = []

    def spy(model: keras.Model, **arguments: object) -> object:
        trained_in.append(model.backbone.compute_dtype)
        return fit(model, **arguments)

    monkeypatch.setattr(lifecycle, "fit", spy)
    before = keras.config.dtype_policy().name
    config = tiny(**{"training.mixed_precision": True})
    classifier, result = lifecycle.train(TASK, config, tmp_path)
    assert trained_in == ["bfloat16"]
    assert keras.config.dtype_policy().name == before
    assert result.best_score >= 7 / 9
    assert classifier.model.backbone.compute_dtype == "float32"
    scores = classifier.scores(["a fine film", "awful", ""])
    assert scores.sum(axis=1) == pytest.approx(1, abs=1e-6)
