"""What the trainings of a search are compared by before their ends."""

import math
from typing import Any

from textapps.evaluation.metrics.differences import is_less_better
from textapps.tasks.registry import monitor_of
from textapps.training.history import read_history
from textapps.training.run_directory import CONFIG, RunDirectory


def sign_of(run: RunDirectory) -> int:
    """-1 if less is better in the metric that selects the best weights of a run."""
    return -1 if is_less_better(monitor_of(run)) else 1


class RungScores:
    """The scores of runs of a task at the rungs; more is better.

    That is the metric which selects the best weights, unless the task names an earlier sign.
    """

    def __init__(self, task: Any) -> None:
        self._task = task
        self._known: dict[str, tuple[str, float]] = {}  # by run: the metric, and its factor

    def best(self, run: RunDirectory, step: float = math.inf) -> float:
        """The best score of the validations until a step."""
        name, factor = self._metric(run)
        rows = read_history(run)
        return max(factor * float(row[f"val_{name}"]) for row in rows if int(row["step"]) <= step)

    def _metric(self, run: RunDirectory) -> tuple[str, float]:
        if self._task.early is None:
            return monitor_of(run), sign_of(run)
        key = str(run.path)
        if key not in self._known:
            config = self._task.presets.of_run(run.path / CONFIG)
            preprocessor = self._task.load_preprocessor(config, run.preprocessor_dir)
            _, validation = self._task.load_training(config, ())
            name, factor = self._task.early(preprocessor, validation)
            self._known[key] = (name, -factor if is_less_better(name) else factor)
        return self._known[key]
