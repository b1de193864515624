"""The benchmark beside nanoGPT's recipe: the recipe itself, and what is made of the figures."""

import itertools
import json
import math
import runpy
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks import child, nanogpt
from textapps.tasks.generate.config import PRESETS
from textapps.training.checkpoint import CheckpointStore, TrainingState
from textapps.training.evaluations import write_evaluation
from textapps.training.run_directory import RunDirectory


@pytest.fixture(scope="module")
def torch() -> Any:
    return pytest.importorskip("torch")


@pytest.fixture
def recipe(torch: Any) -> Any:
    from benchmarks import nanogpt_recipe

    torch.manual_seed(0)
    return nanogpt_recipe


def test_without_pytorch_it_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)
    monkeypatch.delitem(sys.modules, "benchmarks.nanogpt_recipe", raising=False)
    with pytest.raises(SystemExit, match="needs PyTorch: pip install torch"):
        runpy.run_module("benchmarks.nanogpt_recipe")


def test_the_recipe_has_its_size_and_sees_the_past_only(torch: Any, recipe: Any) -> None:
    """12 · width² weights a block, 9 norms, 65 characters and 64 positions."""
    model = recipe.Recipe(65)
    expected = 4 * 12 * 128**2 + 9 * 128 + (65 + 64) * 128
    assert sum(weights.numel() for weights in model.parameters()) == expected
    ids = torch.randint(65, (3, 17))
    other = ids.clone()
    other[:, 11] = (other[:, 11] + 1) % 65
    same = (model(ids) == model(other)).all(dim=2)
    assert same[:, :11].all()
    assert not same[:, 11:].any()


def test_the_rate_rises_over_steps_and_falls_over_time(recipe: Any) -> None:
    rates = [recipe.learning_rate(step, 0.0, 50.0, 0.0) for step in (0, 49, 99)]
    assert rates == pytest.approx([1e-5, 5e-4, 1e-3])
    falling = [recipe.learning_rate(500, at, 50.0, 10.0) for at in (10.0, 30.0, 50.0)]
    assert falling == pytest.approx([1e-3, 5.5e-4, 1e-4])


def test_training_ends_with_the_time_and_learns(
    torch: Any, recipe: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recipe, "BATCH", 3)
    text = torch.arange(5).repeat(40)
    model = recipe.Recipe(5)
    ticks = itertools.count()
    assert recipe.train(model, text, 25, lambda: next(ticks)) == 24
    assert recipe.evaluate(model, text, 64).mean() < 0.7 * math.log(5)


@pytest.mark.parametrize(("characters", "stride"), [(200, 16), (130, 64), (64, 16), (9, 16)])
def test_every_character_is_evaluated_where_it_has_most_before_it(
    torch: Any, recipe: Any, characters: int, stride: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Counts:
        """Whose surprise is the target, and a tenth for each character before it."""

        def nats(self, ids: Any, targets: Any) -> Any:
            return targets + torch.arange(ids.shape[1]) / 1000

    monkeypatch.setattr(recipe, "WINDOWS", 3)
    found = recipe.evaluate(Counts(), torch.arange(characters + 1), stride)
    assert found.astype(int).tolist() == list(range(1, characters + 1))
    before = np.round((found % 1) * 1000).astype(int)
    assert before[:64].tolist() == list(range(min(64, characters)))
    windows = {*range(0, characters - 64, stride), max(0, characters - 64)}
    most = [max(i - start for start in windows if 0 <= i - start < 64) for i in range(characters)]
    assert before.tolist() == most


def begun(work: Path, *, stopped_by: str | None, saved: bool = True) -> Path:
    """A run as a `train` of before has left it."""
    config = PRESETS.resolve(flags={"preset": "tiny"})
    run = RunDirectory.create(work, "generate", "gru", config)
    if saved:
        state = TrainingState(step=3, steps_per_pass=3, stopped_by=stopped_by)
        arrays = {"model/00000": np.zeros(2)}
        record = {"key": "model/00000", "name": "w", "shape": [2], "dtype": "float32"}
        CheckpointStore(run.checkpoints).save(state, arrays, [{**record, "average": None}])
    return run.path


@pytest.mark.parametrize("case", ["none", "unsaved", "stopped", "finished"])
def test_training_goes_on_where_it_can(
    case: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = None
    if case != "none":
        stopped_by = "epochs" if case == "finished" else None
        path = begun(tmp_path, stopped_by=stopped_by, saved=case != "unsaved")
    commands = []

    def run(command: list[str]) -> child.Child:
        commands.append(command[3:])
        begun(tmp_path, stopped_by="epochs")
        return child.Child("", 1.5, 2.5, 987)

    monkeypatch.setattr(child, "run", run)
    found = nanogpt.train(tmp_path, ["--data", "sample"])
    assert found.finished
    if case == "finished":
        assert (commands, found.path) == ([], path)
    elif case == "stopped":
        assert commands == [["--resume", str(path)]]
    else:
        assert commands == [["--data", "sample", "--models-dir", str(tmp_path)]]


def test_both_sides_are_compared_on_the_same_characters(tmp_path: Path) -> None:
    run = RunDirectory.open(begun(tmp_path, stopped_by="epochs"))
    summary = {
        "data": "verses",
        "split": "test",
        "examples": 7,
        "metrics": {"seconds": 12.34, "parameters": 987, "order": 2, "nats_per_character": 2.25},
    }
    sha256 = np.array("ab")
    write_evaluation(run, summary, nats=np.full(7, 1.5, np.float32), sha256=sha256)
    write_evaluation(run, summary, "-baseline", nats=np.full(7, 2.25), sha256=sha256)
    out = tmp_path / "recipe.npz"
    np.savez(out, nats=np.full(7, 1.75, np.float32), sha256=sha256)
    found = nanogpt.compare(run, summary, {"steps": 5, "nats_per_character": 1.75}, out)
    assert found["margin"] == {"difference": 0.25, "low": 0.25, "high": 0.25, "p_value": 0.0}
    assert found["textapps"]["nats_per_character"] == 1.5
    assert (found["textapps"]["backbone"], found["textapps"]["steps"]) == ("gru", 3)
    assert found["recipe"]["nats_per_character_low"] == 1.75
    assert found["recipe"]["steps"] == 5
    assert found["ngrams"] == {"order": 2, "nats_per_character": 2.25}
    assert (found["seconds_of_training"], found["characters"]) == (12.3, 7)
    assert json.loads(json.dumps(found)) == found

    np.savez(out, nats=np.full(7, 1.75), sha256=np.array("other"))
    with pytest.raises(RuntimeError, match="evaluated on other data"):
        nanogpt.compare(run, summary, {}, out)
