"""Runs that cannot be used, and what can go wrong in one: one line, the right code, no loss."""

import json
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import Result

from textapps.core.records import write_described
from textapps.tasks import lifecycle
from textapps.tasks.sentiment.task import TASK
from textapps.training.checkpoint import ARRAYS, CheckpointStore
from textapps.training.run_directory import RunDirectory

Cli = Callable[..., Result]
Fails = Callable[..., None]
Make = Callable[[str, str], Any]

TRAIN = ("sentiment", "train", "--preset", "tiny", "--backbone", "simple_rnn")


@contextmanager
def read_only(path: Path) -> Iterator[None]:
    """Permissions do not bind root, but an immutable directory does."""
    lock, unlock = ["chmod", "a-w", path], ["chmod", "u+w", path]
    if os.geteuid() == 0:
        lock, unlock = ["chattr", "+i", path], ["chattr", "-i", path]
    if not shutil.which(lock[0]) or subprocess.run(lock, stderr=subprocess.DEVNULL).returncode:
        pytest.skip("root cannot make a directory read-only here: no chattr +i")
    try:
        yield
    finally:
        subprocess.run(unlock, check=True)


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


def renumber(vocabulary: Path) -> None:
    """As another version of textapps would write it."""
    text = vocabulary.read_text(encoding="utf-8").replace("vocabulary 1", "vocabulary 2", 1)
    write_described(vocabulary, text)


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1])


def set_best_step(path: Path, step: int) -> None:
    path.write_text(json.dumps({**json.loads(path.read_text()), "best_step": step}))


def best(run: Path) -> Path:
    """The checkpoint that answers."""
    store = CheckpointStore(run / "checkpoints")
    return store.path(store.newest_state().best_step)


def of_each_checkpoint(run: Path, change: Callable[[Path], None]) -> None:
    for checkpoint in (run / "checkpoints").iterdir():
        change(checkpoint)


DAMAGES = {
    "another task": (
        lambda run: edit(run / "config.toml", 'task = "sentiment"', 'task = "translate"'),
        "is a run of translate, not of sentiment",
    ),
    "newer configuration": (
        lambda run: edit(run / "config.toml", "format = 1", "format = 2"),
        "install a newer textapps",
    ),
    "newer checkpoints": (
        lambda run: of_each_checkpoint(
            run, lambda path: edit(path / "state.json", '"format": 1', '"format": 2')
        ),
        "has format 2",
    ),
    "newer data": (
        lambda run: edit(run / "data.json", '"format": 1', '"format": 2'),
        "install a newer textapps",
    ),
    "newer vocabulary": (
        lambda run: renumber(run / "preprocessor" / "vocabulary.txt"),
        "another version of textapps",
    ),
    "no configuration": (lambda run: (run / "config.toml").unlink(), "incomplete"),
    "no checkpoint": (lambda run: shutil.rmtree(run / "checkpoints"), "incomplete"),
    "no data": (lambda run: (run / "data.json").unlink(), "incomplete"),
    "no labels": (lambda run: (run / "data.json").write_text('{"format": 1}'), "damaged"),
    "list of data": (lambda run: (run / "data.json").write_text("[]"), "damaged"),
    "cut data": (lambda run: (run / "data.json").write_text('{"format": 1, "la'), "damaged"),
    "no vocabulary": (
        lambda run: (run / "preprocessor" / "vocabulary.txt").unlink(),
        "vocabulary.txt cannot be read",
    ),
    "cut vocabulary": (
        lambda run: cut(run / "preprocessor" / "vocabulary.txt"),
        "vocabulary.txt is not what was written",
    ),
    "no arrays": (lambda run: (best(run) / ARRAYS).unlink(), "is damaged"),
    "empty arrays": (lambda run: (best(run) / ARRAYS).write_bytes(b""), "is damaged"),
    "cut arrays": (
        lambda run: (best(run) / ARRAYS).write_bytes((best(run) / ARRAYS).read_bytes()[:999]),
        "is damaged",
    ),
    "changed arrays": (
        lambda run: (best(run) / ARRAYS).write_bytes(
            (best(run) / ARRAYS).read_bytes().replace(b"\0\0\0\0\0\0\0\0", b"\1\0\0\0\0\0\0\0")
        ),
        "is damaged",
    ),
    "no best checkpoint": (
        lambda run: of_each_checkpoint(run, lambda path: set_best_step(path / "state.json", 3)),
        "step-00000003 is damaged",
    ),
    "unreadable states": (
        lambda run: of_each_checkpoint(run, lambda path: (path / "state.json").write_text("{")),
        "no checkpoint",
    ),
    "another model": (
        lambda run: edit(run / "config.toml", "units = 8", "units = 10"),
        "is of another model",
    ),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_runs_that_cannot_answer(
    cli: Cli, assert_fails: Fails, models: Path, run: Path, damage: str
) -> None:
    change, part = DAMAGES[damage]
    change(run)
    arguments = ("a fine film", "--run", str(run), "--models-dir", str(models))
    assert_fails(cli("sentiment", "predict", *arguments), 1, part)


@pytest.mark.parametrize("content", [None, b"", b"PK\x03\x04", b"no archive", "cut", "changed"])
def test_damaged_ngrams(
    cli: Cli,
    assert_fails: Fails,
    untrained: Make,
    copied: Callable[[Any], Any],
    content: bytes | str | None,
) -> None:
    run = copied(untrained("sentiment", "lstm")).run.path
    path = run / "preprocessor" / "ngrams.npz"
    whole = path.read_bytes()
    spoilt = {"cut": whole[:-30], "changed": whole[:300] + b"\xff" * 20 + whole[320:]}
    path.unlink()
    if content is not None:
        path.write_bytes(spoilt.get(content, content))
    result = cli("sentiment", "predict", "a fine film", "--run", str(run))
    problem = "cannot be read" if content is None else "is not what was written"
    assert_fails(result, 1, f"ngrams.npz {problem}", "train again")


@pytest.mark.parametrize("command", ["evaluate", "baseline", "export", "predict"])
def test_without_a_finished_run(
    cli: Cli, assert_fails: Fails, models: Path, run: Path, command: str
) -> None:
    texts = ["a fine film"] if command == "predict" else []
    arguments = ["sentiment", command, *texts, "--models-dir"]
    assert_fails(
        cli(*arguments, str(models / "none")), 1, "train one with `textapps sentiment train"
    )
    result = cli(*arguments, str(models), "--run", "20260101-000000-gru")
    assert_fails(result, 1, "no run at 20260101-000000-gru", "textapps runs")
    shutil.rmtree(run / "checkpoints")
    assert_fails(cli(*arguments, str(models)), 1, f"resume {run} or name it with --run")


@pytest.mark.parametrize("damage", ["another task", "newer configuration", "no data"])
def test_runs_that_cannot_be_resumed(
    cli: Cli, assert_fails: Fails, models: Path, run: Path, damage: str
) -> None:
    change, part = DAMAGES[damage]
    change(run)
    result = cli("sentiment", "train", "--resume", run.name, "--models-dir", str(models))
    assert_fails(result, 1, part)


def test_two_trainings_on_one_run(cli: Cli, assert_fails: Fails, run: Path) -> None:
    with RunDirectory.open(run).lock():
        result = cli("sentiment", "train", "--resume", str(run))
    assert_fails(result, 1, f"process {os.getpid()} is training {run}", "wait for it")


@pytest.mark.slow
def test_read_only_directories(
    cli: Cli, assert_fails: Fails, models: Path, run: Path, traced: None
) -> None:
    arguments = ("--models-dir", str(models))
    with read_only(run):
        result = cli("sentiment", "predict", "a fine film", *arguments)
        told = f"{run.name} answers; --run names another one\n"
        assert (result.exit_code, result.stderr) == (0, told)
        assert_fails(cli("sentiment", "evaluate", *arguments), 1, "cannot write", str(run))
    (run / ".lock").unlink(missing_ok=True)
    with read_only(run):
        assert_fails(cli("sentiment", "train", "--resume", str(run)), 1, "cannot write", str(run))
    with read_only(models):
        result = cli("sentiment", "export", "--no-verify", *arguments)
        assert_fails(result, 1, "could not write an export to", str(models))
    with read_only(models / "sentiment"):
        data = ("--data", "sample")
        assert_fails(cli(*TRAIN, *data, *arguments), 1, "cannot create run", str(models))


SMALL = (
    *("--units", "8", "--batch-size", "7", "--set", "model.embedding_units=6"),
    *("--set", "preprocessor.max_tokens=9"),
)


@pytest.fixture
def full_disk(tmp_path: Path, run: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder on a disk that the second checkpoint fills, pretended where none can be mounted."""
    disk = tmp_path / "disk"
    disk.mkdir()
    checkpoint = sum(file.stat().st_size for file in best(run).iterdir())
    kib = 2 * checkpoint // 1024 + 20
    mount = ["mount", "-t", "tmpfs", "-o", f"size={kib}k", "textapps-test", disk]
    if shutil.which("mount") and subprocess.run(mount, stderr=subprocess.DEVNULL).returncode == 0:
        yield disk
        subprocess.run(["umount", "--lazy", disk], check=True)
        return
    real = np.savez

    def full(file: Path, **arrays: object) -> None:
        if list(disk.glob("sentiment/*/checkpoints/step-*")):
            raise OSError(28, os.strerror(28), str(file))
        real(file, **arrays)

    monkeypatch.setattr(np, "savez", full)
    yield disk


@pytest.mark.slow
def test_a_full_disk_while_a_checkpoint_is_written(
    cli: Cli, assert_fails: Fails, toy_data: Callable[[str], Path], full_disk: Path
) -> None:
    result = cli(
        *TRAIN, *SMALL, "--data", str(toy_data("sentiment")), "--models-dir", str(full_disk)
    )
    parts = ("cannot write checkpoint", "No space left on device", "free some space", "resume")
    assert_fails(result, 1, *parts)
    (run,) = RunDirectory.all(full_disk)
    state, _ = CheckpointStore(run.checkpoints).newest_good()
    assert state.step >= 7
    assert not list(run.checkpoints.glob(".*"))


def test_a_loss_that_is_no_number(
    cli: Cli, assert_fails: Fails, toy_data: Callable[[str], Path], tmp_path: Path
) -> None:
    """Decay of ten times the weights in each step: they grow ninefold until they overflow."""
    wild = ("learning_rate=10", "weight_decay=1", "clip_norm=0", "checkpoint_steps=5")
    settings = [part for key in wild for part in ("--set", f"training.{key}")]
    options = (
        "--data",
        str(toy_data("sentiment")),
        "--epochs",
        "20",
        "--models-dir",
        str(tmp_path),
    )
    result = cli(*TRAIN, *SMALL, *settings, *options)
    assert_fails(result, 4, "best checkpoint so far (step", "smaller --learning-rate")
    (run,) = RunDirectory.all(tmp_path)
    store = CheckpointStore(run.checkpoints)
    state, _ = store.newest_good()
    assert store.is_whole(state.best_step)
    assert all(
        np.isfinite(weight).all() for weight in lifecycle.load(TASK, run).model.get_weights()
    )
