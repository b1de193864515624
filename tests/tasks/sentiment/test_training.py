"""Training a classifier and going on with it: seeds, resume, precision, characters."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from tests.tasks.stopping import assert_same_bits
from textapps.core.errors import DataError, RunError
from textapps.tasks import lifecycle
from textapps.tasks.evaluation import costs
from textapps.tasks.sentiment.task import TASK
from textapps.training.fit import fit
from textapps.training.run_directory import RunDirectory

Make = Callable[[str, str], Any]
Tiny = Callable[..., Any]


KIND = "simple_rnn"


@pytest.mark.slow
def test_the_same_seed_gives_the_same_bits(trained: Make, copied: Callable[[Any], Any]) -> None:
    """Also to a run that was killed before its first checkpoint, and in the same process."""
    first = trained("sentiment", KIND)
    _, expected = lifecycle.resume(TASK, first.run)
    run = copied(first).run
    shutil.rmtree(run.checkpoints)
    (run.path / "history.csv").unlink()
    classifier, result = lifecycle.resume(TASK, RunDirectory.open(run.path, trained=False))
    assert_same_bits(classifier.run, first.run)
    assert (result.steps, result.best_step) == (expected.steps, expected.best_step)
    assert result.best_score == expected.best_score


@pytest.mark.slow
def test_another_seed_gives_other_weights(trained: Make, tiny: Tiny, tmp_path: Path) -> None:
    config = tiny("sentiment", KIND, random_seed=1, **{"training.epochs": 1})
    classifier, _ = lifecycle.train(TASK, config, tmp_path)
    first = trained("sentiment", KIND).model.get_weights()
    for ours, theirs in zip(classifier.model.get_weights(), first, strict=True):
        assert ours.shape == theirs.shape
        assert not np.array_equal(ours, theirs)


def test_a_finished_run_is_resumed_to_itself(
    trained: Make, copied: Callable[[Any], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The model is returned as it is: nothing is loaded."""
    first = trained("sentiment", KIND)
    monkeypatch.setattr(lifecycle, "load", None)
    classifier, result = lifecycle.resume(TASK, copied(first).run)
    assert result.stopped_by == "epochs"
    assert result.seconds == pytest.approx(costs(first)["seconds"])
    assert_same_bits(classifier.run, first.run)
    for ours, theirs in zip(classifier.model.get_weights(), first.model.get_weights(), strict=True):
        np.testing.assert_array_equal(ours, theirs)


@pytest.mark.parametrize("split", ["train", "validation"])
def test_changed_data_are_refused(
    untrained: Make, copied: Callable[[Any], Any], tmp_path: Path, split: str
) -> None:
    run = copied(untrained("sentiment", "gru")).run
    opinions = Path(run.config["data"]["source"])
    lines = opinions.read_text(encoding="utf-8").splitlines(keepends=True)
    at = next(index for index, line in enumerate(lines) if line.endswith(f",{split}\n"))
    lines[at] = f"another film,0,{split}\n"
    changed = tmp_path / "opinions.csv"
    changed.write_text("".join(lines), encoding="utf-8")
    config = (run.path / "config.toml").read_text(encoding="utf-8")
    run.write_text("config.toml", config.replace(str(opinions), str(changed)))
    rows = {"train": 94, "validation": 9}[split]
    with pytest.raises(RunError, match=f"on other data: its {split} split had {rows} examples"):
        lifecycle.resume(TASK, run)
    changed.unlink()
    with pytest.raises(DataError, match=r"no such file or folder.*opinions\.csv"):
        lifecycle.resume(TASK, run)


@pytest.mark.slow
def test_mixed_precision_trains_in_bfloat16_and_answers_in_float32(
    tiny: Tiny, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trained_in = []

    def spy(model: keras.Model, **arguments: object) -> object:
        trained_in.append(model.backbone.compute_dtype)
        return fit(model, **arguments)

    monkeypatch.setattr(lifecycle, "fit", spy)
    before = keras.config.dtype_policy().name
    config = tiny("sentiment", KIND, **{"training.mixed_precision": True})
    classifier, result = lifecycle.train(TASK, config, tmp_path)
    assert trained_in == ["bfloat16"]
    assert keras.config.dtype_policy().name == before
    assert result.best_score >= 7 / 9
    assert classifier.model.backbone.compute_dtype == "float32"
    scores = classifier.scores(["a fine film", "awful", ""])
    assert scores.sum(axis=1) == pytest.approx(1, abs=1e-6)
