"""The run that a new one may start from, as its own task reads it."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from textapps.tasks.config import C, TaskConfig
from textapps.tasks.task import B, E, M, P, R, S, Task
from textapps.training.run_directory import CONFIG, RunDirectory


def lender_of(
    task: Task[C, S, P, B, M, R, E], origin: str
) -> tuple[RunDirectory, Task[Any, Any, P, Any, Any, Any, Any], TaskConfig]:
    """A run to start from, its task, which may be another one, and its configuration.

    Raises:
        RunError: it is missing, damaged, untrained or of a task that does not fit.
    """
    run = RunDirectory.find(Path(), task.name, origin, *task.lenders)
    lender = task.lenders.get(run.task, task)
    return run, lender, lender.presets.of_run(run.path / CONFIG)


def tokens_by(task: Task[C, S, P, B, M, R, E], origin: str, split: S) -> NDArray[np.int32] | None:
    """The ids of some texts of a split in the vocabulary of a run to start from: int32[tokens].

    None where examples are no texts. RunError if the run is missing, damaged or of another task.
    """
    if task.tokens is None:
        return None
    run, lender, own = lender_of(task, origin)
    return task.tokens(lender.load_preprocessor(own, run.preprocessor_dir), split)
