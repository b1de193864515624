"""The run that a new one starts from: whether it fits, and what is taken from it."""

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Generic

from textapps.core.errors import ConfigurationError
from textapps.core.notices import notice
from textapps.core.records import dump_record
from textapps.tasks.config import C, TaskConfig
from textapps.tasks.lender import lender_of
from textapps.tasks.read_before import warn_of_read
from textapps.tasks.task import B, E, M, P, R, S, Task
from textapps.training.data_record import read_data_record
from textapps.training.run_directory import RunDirectory
from textapps.training.seeding import seeded
from textapps.training.starting_weights import Inherited, inherit

START = "start.json"  # of a run: what was taken from the run that it started from


@dataclass(frozen=True)
class Start(Generic[P]):
    """What `config.start.init_from` names.

    Attributes:
        run: where it was trained.
        preprocessor: its vocabulary or normalisation.
        labels: its classes in the order of the scores; () where the task has none.
    """

    run: RunDirectory
    preprocessor: P
    labels: tuple[str, ...]


def with_absolute_start(task: Task[C, S, P, B, M, R, E], config: C, models_dir: Path) -> C:
    """The same with what finds the run to start from in any folder; it may be given by its name.

    Raises:
        RunError: there is no such run, or it is untrained or of another task.
    """
    if config.start.init_from is None:
        return config
    found = RunDirectory.find(models_dir, task.name, config.start.init_from, *task.lenders)
    start = config.start.model_copy(update={"init_from": found.origin})
    return config.model_copy(update={"start": start})


def open_start(task: Task[C, S, P, B, M, R, E], config: C) -> Start[P] | None:
    """The run that a configuration starts from, None if it starts from nothing.

    Raises:
        ConfigurationError: its sizes are not those of the configuration, or its vocabulary cannot
            be extended as asked for.
        RunError: it is missing, damaged, untrained or of another task.
    """
    if config.start.init_from is None:
        return None
    if config.start.extend_vocabulary and task.vocabulary_size is None:
        raise ConfigurationError(
            f"start.extend_vocabulary: the preprocessor of {task.name} cannot learn new tokens; "
            "leave --extend-vocabulary out"
        )
    run, lender, own = lender_of(task, config.start.init_from)
    lent = task.presets.lent.get(run.task)
    _check_fits(config, own, run, lent.keys if lent else ())
    labels = tuple(read_data_record(run, labelled=lender.labelled).get("labels", ()))
    return Start(run, lender.load_preprocessor(own, run.preprocessor_dir), labels)


def load_training(
    task: Task[C, S, P, B, M, R, E], config: C, start: Start[P] | None
) -> tuple[S, S, tuple[str, ...]]:
    """The training and the validation split, and the labels in the order of the scores.

    The labels of the run to start from keep their order there, so that its last layer can be used.
    A warning says if it was trained on examples of the test split.

    Raises:
        DataError: data are missing or wrong.
    """
    train, validation = task.load_training(config, ())
    labels = task.labels(train)
    if start and labels != start.labels and set(labels) == set(start.labels):
        train, validation = task.load_training(config, start.labels)
        labels = start.labels
    if start:
        warn_of_read(task, config, start.run, start.labels, labels)
    return train, validation, labels


def take_weights(
    task: Task[C, S, P, B, M, R, E],
    start: Start[P],
    model: M,
    preprocessor: P,
    labels: tuple[str, ...],
) -> Inherited:
    """Sets the weights of the built model of a new run to those that fit.

    Raises:
        RunError: they cannot be read.
    """
    renewed = task.renewed(start.preprocessor, preprocessor, labels == start.labels)
    size = task.vocabulary_size
    return inherit(
        model,
        start.run,
        grown={} if size is None else {size(start.preprocessor): size(preprocessor)},
        fresh=lambda layer: layer in renewed,
    )


def record_start(run: RunDirectory, start: Start[P], taken: Inherited) -> None:
    """Says what a new run has taken, and writes it into the run; RunError if it cannot."""
    record = {"run": start.run.origin, "step": taken.step, **taken.names}
    run.write_text(START, dump_record(record, indent=2))
    notice("starts from %s: %s", start.run.origin, taken)


def first_model(
    task: Task[C, S, P, B, M, R, E], config: C, preprocessor: P, labels: tuple[str, ...]
) -> tuple[M, str]:
    """The model with the weights that training began with, and where these came from.

    Weights that a task adapts to the training data before training are not among them.

    Raises:
        RunError: the run that it started from is gone.
    """
    start = open_start(task, config)
    with seeded(config.random_seed):
        model = task.model(config, preprocessor, labels)
        model.build()
    if start is None:
        return model, "the initial weights, drawn again from the random seed of the run"
    take_weights(task, start, model, preprocessor, labels)
    return model, f"the weights of {start.run.origin}, from which the run started"


def _check_fits(config: C, own: TaskConfig, run: RunDirectory, lent: Collection[str]) -> None:
    """ConfigurationError if preprocessor and backbone are not those of the run.

    `lent` are keys of the model that must be the same too. Other layers around the backbone may
    differ: where the shape of a weight does, it is new.
    """
    for section in ("preprocessor", "backbone", "model"):
        new, old = getattr(config, section), getattr(own, section)
        free = {*new.FREE, *(new.GROWING if config.start.extend_vocabulary else ())}
        for key in lent if section == "model" else type(new).model_fields:
            ours, theirs = getattr(new, key), getattr(old, key)
            if key not in free and ours != theirs:
                raise ConfigurationError(
                    f"{section}.{key} {ours} does not fit {run.origin}, which has {theirs}: leave "
                    f"{section}.{key} out to start from this run, or leave --init-from out"
                )
