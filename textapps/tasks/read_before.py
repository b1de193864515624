"""Whether a run is tested on examples that the run it starts from has read."""

import logging
from typing import Any

from textapps.core.errors import DataError
from textapps.core.notices import muted, notice
from textapps.tasks.config import C
from textapps.tasks.evaluation import is_same
from textapps.tasks.lender import lender_of
from textapps.tasks.task import B, E, Labels, M, P, R, S, Task
from textapps.training.data_record import read_data_record
from textapps.training.run_directory import RunDirectory

LOGGER = logging.getLogger("textapps")


def warn_of_read(
    task: Task[C, S, P, B, M, R, E],
    config: C,
    start: RunDirectory,
    start_labels: Labels,
    labels: Labels,
) -> None:
    """Warns of examples of the test split that the run to start from was trained on.

    Nothing is said where that cannot be known: the data of either are gone, or have no test split,
    or are those of a model of the package. The splits of the same data have been kept apart.
    """
    run, lender, own = lender_of(task, start.origin)
    if task.keys is None or run.pretrained or not own.data.files or is_same(own.data, config.data):
        return
    try:
        with muted():  # what is to be said of these files was said in training, or will be
            test = task.load_split(config, "test", labels)
            count = count_read(task, test, lender, own, run, start_labels)
    except DataError:
        return
    if count is None:
        notice(
            "the training data of %s have changed, so whether it has read examples of the test "
            "split of %s cannot be told",
            run.name,
            test.name,
        )
        return
    if count:
        LOGGER.warning(
            "%s was trained on %s of the %s examples of the test split of %s: figures of this run "
            "there will be too good; evaluate it on other data",
            run.name,
            f"{count:,}",
            f"{len(test):,}",
            test.name,
        )


def count_read(
    task: Task[C, S, P, B, M, R, E],
    examples: Any,
    trainer: Any,
    own: Any,
    run: RunDirectory,
    labels: Labels,
) -> int | None:
    """How many of some examples a run was trained on; None if its training data have changed.

    Args:
        trainer: the task of the run; own: its configuration.

    Raises:
        DataError: its training data are missing.
    """
    assert task.keys is not None
    train, _ = trainer.load_training(own, labels)
    if train.fingerprint != read_data_record(run)["train"]["sha256"]:
        return None
    read = set(task.keys(train))
    return sum(key in read for key in task.keys(examples))
