"""What commands load, and on which data they evaluate it."""

from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from textapps.cli.field_options import collect_flags
from textapps.core.memory import keep_freed_memory
from textapps.core.names import TaskName

if TYPE_CHECKING:
    from textapps.datasets.config import SourceConfig
    from textapps.tasks.task import Evaluation
    from textapps.training.run_directory import RunDirectory

D = TypeVar("D", bound="SourceConfig")


def find_run(
    models_dir: Path, task: str, run: str | None, *others: str, trained: bool = True
) -> "RunDirectory":
    """The run of a task that --run means, or without it the latest; RunError if there is none.

    A run that is named may be one of `others` instead of the task.
    """
    from textapps.training.run_directory import RunDirectory

    return RunDirectory.find(models_dir, task, run, *others, trained=trained)


def load_run(task: TaskName, models_dir: Path, run: str | None) -> Any:
    """The predictor of a run of the task, by default of the latest."""
    found = find_run(models_dir, task, run)
    keep_freed_memory()
    from textapps.tasks import lifecycle
    from textapps.tasks.registry import get_task

    return lifecycle.load(get_task(task), found)


def evaluate_run(
    task: TaskName, predictor: Any, split: str | None
) -> "tuple[Evaluation[Any], Path]":
    """Evaluates as the options of the running command say; writes the report too.

    Returns the evaluation and the path of the report.
    """
    from textapps.tasks import lifecycle
    from textapps.tasks.registry import get_task

    data = other_data(predictor.config.data)
    flags = collect_flags()
    options = {key: value for key, value in flags.items() if not key.startswith("data.")}
    evaluation = lifecycle.evaluate(get_task(task), predictor, data, split, options)
    return evaluation, lifecycle.write_report(get_task(task), predictor, evaluation)


def check_evaluated(task: TaskName, predictor: Any, split: str | None) -> None:
    """DataError if `evaluate_run` could not read its examples."""
    from textapps.core.notices import muted
    from textapps.tasks.evaluation import load_evaluated
    from textapps.tasks.registry import get_task

    with muted():  # they are read again
        load_evaluated(get_task(task), predictor, other_data(predictor.config.data), split)


def other_data(own: D) -> D | None:
    """The [data] section that options name, None for `own`, that of the run."""
    flags = collect_flags("data")
    return own.changed(flags).resolved() if flags else None
