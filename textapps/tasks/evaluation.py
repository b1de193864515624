"""What the evaluations of all tasks have in common."""

import logging
from collections.abc import Mapping

from textapps.core.errors import DataError
from textapps.core.notices import muted
from textapps.tasks.config import C
from textapps.tasks.task import B, E, M, P, R, S, Task
from textapps.training.checkpoint import CheckpointStore
from textapps.training.data_record import changed, describe, read_data_record
from textapps.training.evaluations import Summary
from textapps.training.run_directory import RunDirectory

LOGGER = logging.getLogger("textapps")


def summarize(run: RunDirectory, examples: S, split: str, metrics: Mapping[str, float]) -> Summary:
    """The figures of a split, with the names of the task, the run and the data."""
    return Summary(
        task=run.task,
        run=run.name,
        data=examples.name,
        split=split,
        examples=len(examples),
        metrics=dict(metrics),
    )


def costs(predictor: R) -> dict[str, float]:
    """The `seconds` of training, and the number of `parameters`."""
    state = CheckpointStore(predictor.run.checkpoints).newest_state()
    return {"seconds": state.seconds if state else 0.0, "parameters": predictor.parameters}


def warn_of_changed_data(
    task: Task[C, S, P, B, M, R, E], run: RunDirectory, config: C, labels: tuple[str, ...]
) -> None:
    """Warns if files that a run was trained on have changed; prepared sets do not change."""
    if not config.data.files:
        return
    known = read_data_record(run, labelled=task.labelled)
    try:
        with muted():  # what is to be said of these files was said in training
            train, validation = task.load_training(config, labels)
        change = changed(run, known, describe(train, validation, labels))
    except DataError as error:
        change = f"{run.path} was trained on other data: {error}"
    if change:
        LOGGER.warning("%s; these figures may be of examples that the model was trained on", change)
