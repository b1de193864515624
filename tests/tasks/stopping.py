"""Stopping a training, and comparing what two of them have left."""

import shutil
import signal
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from textapps.tasks import lifecycle
from textapps.training.checkpoint import ARRAYS, CheckpointStore
from textapps.training.interruption import TrainingInterrupted
from textapps.training.pace import Extent
from textapps.training.progress import NoProgress
from textapps.training.run_directory import RunDirectory


class InterruptAt(NoProgress):
    """Presses Ctrl-C once."""

    def __init__(self, step: int) -> None:
        self.step = step

    def update(self, step: int, logs: object, examples: int) -> None:
        if step == self.step:
            signal.raise_signal(signal.SIGINT)


class CopyHalfway(NoProgress):
    """Keeps a copy of the run of a folder as it is at the first checkpoint inside a pass."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def start(self, extent: Extent) -> None:
        self.steps_per_pass = extent.steps_per_pass

    def epoch_end(self, row: Mapping[str, float]) -> None:
        (run,) = self.folder.iterdir()
        copy = _halfway(run)
        if row["step"] % self.steps_per_pass and not copy.exists():
            shutil.copytree(run, copy)


def halfway(run: RunDirectory, folder: Path) -> RunDirectory:
    """The run of `trained_once`, in `folder`, as if it had been killed in the middle of a pass."""
    path = folder / run.path.name
    shutil.copytree(_halfway(run.path), path)
    assert not RunDirectory.open(path).finished
    return RunDirectory.open(path)


def _halfway(run: Path) -> Path:
    return run.parents[1] / "halfway" / run.name


def last_arrays(run: RunDirectory) -> dict[str, NDArray]:
    """All variables at the end of training, those of the optimizer and of dropout included."""
    store = CheckpointStore(run.checkpoints)
    with np.load(store.path(store.steps()[-1]) / ARRAYS) as archive:
        return {name: archive[name] for name in archive.files}


def assert_same_bits(one: RunDirectory, two: RunDirectory) -> None:
    left, right = last_arrays(one), last_arrays(two)
    assert left.keys() == right.keys()
    for name, array in left.items():
        assert array.tobytes() == right[name].tobytes(), name


def resumes_to_the_same_bits(task: Any, config: Any, folder: Path) -> Any:
    """Trains once as a whole and once interrupted and resumed; the predictor of the whole run."""
    whole, result = lifecycle.train(task, config, folder / "whole")
    with pytest.raises(TrainingInterrupted):
        lifecycle.train(task, config, folder / "parts", InterruptAt(result.steps * 2 // 3))
    (run,) = RunDirectory.all(folder / "parts", task.name)
    lifecycle.resume(task, run)
    assert_same_bits(whole.run, run)
    return whole
