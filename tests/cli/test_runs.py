"""Tests of `textapps runs`."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from click.testing import Result
from pydantic import Field

from textapps.core.config import Section
from textapps.training.checkpoint import CheckpointStore, TrainingState
from textapps.training.run_directory import RunDirectory

Cli = Callable[..., Result]


class Backbone(Section):
    kind: str


class Start(Section):
    init_from: str | None = None


class Config(Section):
    task: str = "sentiment"
    preset: str = "tiny"
    backbone: Backbone
    start: Start = Start()
    training: dict[str, str] = Field(default_factory=dict)


def make_run(
    models: Path, name: str, state: TrainingState | None, start: str | None = None, **training: str
) -> RunDirectory:
    kind = name.rpartition("-")[2]
    config = Config(backbone=Backbone(kind=kind), start=Start(init_from=start), training=training)
    run = RunDirectory.create(models, "sentiment", kind, config)
    run.path.rename(run.path.with_name(name))
    run = RunDirectory.open(run.path.with_name(name), trained=False)
    if state is not None:
        CheckpointStore(run.checkpoints).save(state, {"0": np.zeros(3)}, [])
    return run


@pytest.fixture
def models(tmp_path: Path) -> Path:
    """Three runs: finished and evaluated, stopped half-way, without a checkpoint.

    The first is of an earlier version, which named no metric to monitor.
    """
    models = tmp_path / "models"
    done = TrainingState(12, 6, 3.0, 0.9375, 0.2, 12, 0, "epochs")
    run = make_run(models, "20260101-000001-gru", done)
    metrics = {"accuracy": 0.87654321, "macro_f1": 0.85, "log_loss": 0.31, "parameters": 7}
    run.write_json("metrics.json", {"task": "sentiment", "metrics": metrics})
    stopped = TrainingState(3, 6, 1.0, None, None, None, 0, None)
    make_run(models, "20260101-000002-lstm", stopped, monitor="loss")
    make_run(models, "20260101-000003-transformer", None, monitor="macro_f1")
    return models


def test_table(cli: Cli, models: Path) -> None:
    result = cli("runs", "--models-dir", str(models))
    assert [" ".join(line.split()) for line in result.stdout.splitlines()] == [
        "task run backbone preset state monitor epochs score accuracy macro_f1",
        "sentiment 20260101-000001-gru gru tiny finished accuracy 2 0.9375 0.8765 0.85",
        "sentiment 20260101-000002-lstm lstm tiny stopped loss 0.5",
        "sentiment 20260101-000003-transformer transformer tiny incomplete macro_f1",
    ]
    assert (result.exit_code, result.stderr) == (0, "")


def test_json_lines(cli: Cli, models: Path) -> None:
    result = cli("runs", "--json", "--task", "sentiment", "--models-dir", str(models))
    rows = [json.loads(line) for line in result.stdout.splitlines()]
    assert rows[0] == {
        "task": "sentiment",
        "run": "20260101-000001-gru",
        "path": str(models / "sentiment" / "20260101-000001-gru"),
        "backbone": "gru",
        "preset": "tiny",
        "init_from": None,
        "state": "finished",
        "epochs": 2.0,
        "score": 0.9375,
        "monitor": "accuracy",
        "test": {"accuracy": 0.87654321, "macro_f1": 0.85, "log_loss": 0.31, "parameters": 7},
    }
    assert [row["state"] for row in rows] == ["finished", "stopped", "incomplete"]
    assert rows[2]["epochs"] is rows[2]["score"] is rows[2]["test"] is None


def test_where_a_run_came_from(cli: Cli, models: Path) -> None:
    first = str(models / "sentiment" / "20260101-000001-gru")
    make_run(models, "20260101-000004-gru", TrainingState(6, 6, 1.0, 0.5, 0.2, 6), first)
    result = cli("runs", "--models-dir", str(models))
    head, *rows = (" ".join(line.split()) for line in result.stdout.splitlines())
    assert head == "task run backbone preset state monitor from epochs score accuracy macro_f1"
    assert rows[-1].endswith("gru tiny stopped accuracy 20260101-000001-gru 1 0.5")


def test_models_dir_from_the_environment(
    cli: Cli, models: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TEXTAPPS_MODELS_DIR", str(models))
    assert cli("runs").stdout.count("sentiment") == 3


def test_no_runs(cli: Cli, tmp_path: Path) -> None:
    result = cli("runs", "--models-dir", str(tmp_path / "none"))
    assert (result.exit_code, result.stdout) == (0, "")
    assert result.stderr.startswith(f"no runs in {tmp_path / 'none'}: train one")


@pytest.mark.parametrize("content", ["{", "[]", '{"metrics"', "{}"])
def test_damaged_metrics_hide_no_run(cli: Cli, models: Path, content: str) -> None:
    (models / "sentiment" / "20260101-000001-gru" / "metrics.json").write_text(content)
    result = cli("runs", "--json", "--models-dir", str(models))
    first = json.loads(result.stdout.splitlines()[0])
    assert (first["state"], first["test"]) == ("finished", None)


def test_a_checkpoint_of_a_newer_format_hides_no_run(cli: Cli, models: Path) -> None:
    (state,) = (models / "sentiment" / "20260101-000001-gru").glob("checkpoints/*/state.json")
    state.write_text('{"format": 2}')
    result = cli("runs", "--json", "--models-dir", str(models))
    assert result.exit_code == 0
    assert json.loads(result.stdout.splitlines()[0])["state"] == "incomplete"
