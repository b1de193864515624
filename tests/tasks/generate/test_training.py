"""Training a generator and going on with it: learning, seeds, resume, changed data."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.tasks.stopping import InterruptAt, assert_same_bits, halfway
from textapps.backbones.config import BACKBONES
from textapps.core.errors import RunError
from textapps.datasets.corpus.loader import load_corpora
from textapps.tasks import lifecycle
from textapps.tasks.generate.data import LEAD
from textapps.tasks.generate.task import TASK
from textapps.training.history import read_history
from textapps.training.interruption import TrainingInterrupted
from textapps.training.run_directory import RunDirectory

Trained = Callable[..., Any]
Tiny = Callable[..., Any]


@pytest.mark.parametrize("kind", BACKBONES)
def test_learns(trained_generator: Trained, kind: str) -> None:
    """Nearly by heart."""
    rows = read_history(trained_generator(kind).run)
    first, last = (float(row["val_nats_per_character"]) for row in (rows[0], rows[-1]))
    assert last < min(1.5, first)


INTERRUPTED = "lstm"  # the others go on from a checkpoint


@pytest.mark.parametrize("kind", [kind for kind in BACKBONES if kind != INTERRUPTED])
def test_resumed_in_mid_pass_ends_with_the_same_bits(
    trained_generator: Trained, tmp_path: Path, kind: str
) -> None:
    """The state of the streams is part of the checkpoint."""
    whole = trained_generator(kind)
    run = halfway(whole.run, tmp_path)
    lifecycle.resume(TASK, run)
    assert_same_bits(whole.run, run)


def test_interrupted_and_resumed_ends_with_the_same_bits(
    trained_generator: Trained, tiny_generate: Tiny, tmp_path: Path
) -> None:
    """Between two checkpoints."""
    with pytest.raises(TrainingInterrupted):
        lifecycle.train(TASK, tiny_generate(INTERRUPTED), tmp_path, InterruptAt(23))
    (run,) = RunDirectory.all(tmp_path, "generate")
    lifecycle.resume(TASK, run)
    assert_same_bits(trained_generator(INTERRUPTED).run, run)


def test_the_figure_of_training_is_that_of_a_full_pass(
    trained_generator: Trained,
) -> None:
    generator = trained_generator("gru")
    (validation,) = load_corpora(generator.config.data, ("validation",))
    nats = generator.nats(validation.text)
    assert nats.shape == (len(validation),)
    best = min(float(row["val_nats_per_character"]) for row in read_history(generator.run))
    assert nats.mean() == pytest.approx(best, abs=1e-4)


@pytest.mark.parametrize("kind", BACKBONES)
def test_nats_of_a_long_text_are_those_of_one_reading(
    trained_generator: Trained, verses: Path, kind: str
) -> None:
    """Streams that are read side by side lose nothing but what is further back than their lead."""
    generator = trained_generator(kind)
    text = verses.read_text(encoding="utf-8")
    ids = generator.preprocessor.encode("\n" + text)
    assert len(text) > 2 * LEAD
    logits, _ = generator.model.read(ids[None, :-1])
    expected = generator.model.nats(ids[None, 1:], logits)[0]
    found = generator.nats(text)
    np.testing.assert_allclose(found, expected, atol=2e-3)
    np.testing.assert_allclose(found.mean(), np.mean(expected), atol=1e-4)


def test_nats_of_nothing(trained_generator: Trained) -> None:
    assert trained_generator("gru").nats("").shape == (0,)


def test_unknown_characters_have_finite_nats(trained_generator: Trained) -> None:
    nats = trained_generator("gru").nats("the 映 cat")
    assert np.isfinite(nats).all()
    assert nats[4] > 3 > nats[:4].max()


def test_changed_text_is_refused(trained_generator: Trained, verses: Path, tmp_path: Path) -> None:
    path = tmp_path / "models" / "generate" / "20260101-000000-gru"
    shutil.copytree(trained_generator("gru").run.path, path)
    changed = tmp_path / "verses.txt"
    changed.write_text("X" + verses.read_text(encoding="utf-8")[1:], encoding="utf-8")
    run = RunDirectory.open(path)
    config = (path / "config.toml").read_text(encoding="utf-8")
    run.write_text("config.toml", config.replace(run.config["data"]["source"], str(changed)))
    with pytest.raises(RunError, match="on other data: its train split"):
        lifecycle.resume(TASK, RunDirectory.open(path))


def test_loaded_equals_trained(trained_generator: Trained) -> None:
    generator = trained_generator("transformer")
    again = lifecycle.load(TASK, RunDirectory.open(generator.run.path))
    np.testing.assert_array_equal(again.nats("the cat"), generator.nats("the cat"))
    assert again.config == generator.config
