"""Training a generator and going on with it: learning, seeds, resume, changed data."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.quick import quick
from tests.tasks.stopping import InterruptAt, assert_same_bits, halfway
from tests.tasks.tiny import TRAINED
from textapps.backbones.config import BACKBONES
from textapps.core.errors import RunError
from textapps.datasets.corpus.loader import load_corpora
from textapps.tasks import lifecycle
from textapps.tasks.generate.data import LEAD
from textapps.tasks.generate.task import TASK
from textapps.training.history import read_history
from textapps.training.interruption import TrainingInterrupted
from textapps.training.run_directory import RunDirectory

Make = Callable[[str, str], Any]
Tiny = Callable[..., Any]
RECURRENT = "lstm"


@pytest.mark.parametrize("kind", quick(TRAINED["generate"], *TRAINED["generate"]))
def test_learns(trained: Make, kind: str) -> None:
    """Nearly by heart."""
    rows = read_history(trained("generate", kind).run)
    first, last = (float(row["val_nats_per_character"]) for row in (rows[0], rows[-1]))
    assert last < min(1.5, first)


def test_resumed_in_mid_pass_ends_with_the_same_bits(trained: Make, tmp_path: Path) -> None:
    """The state of the streams is part of the checkpoint."""
    whole = trained("generate", "transformer")
    run = halfway(whole.run, tmp_path)
    lifecycle.resume(TASK, run)
    assert_same_bits(whole.run, run)


@pytest.mark.slow
def test_interrupted_and_resumed_ends_with_the_same_bits(
    trained: Make, tiny: Tiny, tmp_path: Path
) -> None:
    """Between two checkpoints."""
    with pytest.raises(TrainingInterrupted):
        lifecycle.train(TASK, tiny("generate", RECURRENT), tmp_path, InterruptAt(23))
    (run,) = RunDirectory.all(tmp_path, "generate")
    lifecycle.resume(TASK, run)
    assert_same_bits(trained("generate", RECURRENT).run, run)


@pytest.mark.slow
def test_with_mixed_precision_it_goes_on_too(tiny: Tiny, tmp_path: Path) -> None:
    """The states of the streams, which are computed in bfloat16, are kept so that they load."""
    changes = {"training.mixed_precision": True, "training.epochs": 2}
    config = tiny("generate", RECURRENT, **changes)
    whole, _ = lifecycle.train(TASK, config, tmp_path / "whole")
    with pytest.raises(TrainingInterrupted):
        lifecycle.train(TASK, config, tmp_path / "parts", InterruptAt(23))
    (run,) = RunDirectory.all(tmp_path / "parts", "generate")
    lifecycle.resume(TASK, run)
    assert_same_bits(whole.run, run)


def test_the_figure_of_training_is_that_of_a_full_pass(
    trained: Make,
) -> None:
    generator = trained("generate", RECURRENT)
    (validation,) = load_corpora(generator.config.data, ("validation",))
    nats = generator.nats(validation.text)
    assert nats.shape == (len(validation.text),)
    best = min(float(row["val_nats_per_character"]) for row in read_history(generator.run))
    assert nats.mean() == pytest.approx(best, abs=1e-4)


@pytest.mark.slow
@pytest.mark.parametrize("kind", quick(BACKBONES, "gru", "transformer"))
def test_nats_of_a_long_text_are_those_of_one_reading(
    untrained: Make, toy_data: Callable[[str], Path], kind: str
) -> None:
    """Streams that are read side by side lose nothing but what is further back than their lead."""
    generator = untrained("generate", kind)
    text = toy_data("generate").read_text(encoding="utf-8")
    ids = generator.preprocessor.encode("\n" + text)
    assert len(text) > 2 * LEAD
    logits, _ = generator.model.read(ids[None, :-1])
    expected = generator.model.nats(ids[None, 1:], logits)[0]
    found = generator.nats(text)
    np.testing.assert_allclose(found, expected, atol=2e-3)
    np.testing.assert_allclose(found.mean(), np.mean(expected), atol=1e-4)


def test_nats_of_nothing(untrained: Make) -> None:
    assert untrained("generate", "gru").nats("").shape == (0,)


def test_unknown_characters_have_finite_nats(trained: Make) -> None:
    nats = trained("generate", RECURRENT).nats("the 映 cat")
    assert np.isfinite(nats).all()
    assert nats[4] > 3 > nats[:4].max()


def test_changed_text_is_refused(
    untrained: Make, copied: Callable[[Any], Any], tmp_path: Path
) -> None:
    run = copied(untrained("generate", "gru")).run
    verses = Path(run.config["data"]["source"])
    changed = tmp_path / "verses.txt"
    changed.write_text("X" + verses.read_text(encoding="utf-8")[1:], encoding="utf-8")
    config = (run.path / "config.toml").read_text(encoding="utf-8")
    run.write_text("config.toml", config.replace(str(verses), str(changed)))
    with pytest.raises(RunError, match="on other data: its train split"):
        lifecycle.resume(TASK, RunDirectory.open(run.path))
