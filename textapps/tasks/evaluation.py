"""What the evaluations of all tasks have in common."""

import logging
from collections.abc import Mapping

from textapps.core.errors import DataError
from textapps.core.notices import muted
from textapps.datasets.config import SourceConfig
from textapps.datasets.stamp import stamp_of
from textapps.tasks.config import C
from textapps.tasks.task import B, E, Labels, M, P, R, S, Task
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


def load_evaluated(
    task: Task[C, S, P, B, M, R, E],
    predictor: R,
    data: SourceConfig | None = None,
    split: str | None = None,
    labels: Labels | None = None,
) -> S:
    """The examples to evaluate a predictor on.

    Args:
        data: by default the data of its training.
        split: train, validation, test or all. By default the test split of data that are split or
            that the predictor was trained on, and all of other data.
        labels: the classes in their order; by default those of the predictor.

    Raises:
        DataError: data that are missing, wrong or of other classes.
    """
    own = task.presets.config.model_validate(predictor.config)
    if data is not None and data.is_source_of(own.data) and not other_sources(data):
        data = data.model_copy(update=other_sources(own.data))  # else training rows would be test
    config = own if data is None else own.model_copy(update={"data": data})
    if split is None and config.data.is_source_of(own.data):
        split = "test"
    try:
        return task.load_split(config, split, predictor.labels if labels is None else labels)
    except DataError as error:
        if predictor.run.pretrained and config.data.is_source_of(own.data):
            raise DataError(
                f"{error}; {predictor.run.name} comes without the data it was trained on: name "
                "some by --data"
            ) from None
        raise


def other_sources(data: SourceConfig) -> dict[str, str]:
    """The sources of single splits that a section names, by key."""
    keys = ("validation_source", "test_source")
    return {key: value for key in keys if (value := getattr(data, key)) is not None}


def data_stamp(task: Task[C, S, P, B, M, R, E], config: C) -> str:
    """The stamp of the files of train and validation, "" if the data are a prepared set.

    Raises:
        DataError: a table of recordings cannot be read.
    """
    with muted():  # reading the data says it
        return stamp_of(task.files(config))


def warn_of_changed_data(
    task: Task[C, S, P, B, M, R, E],
    run: RunDirectory,
    config: C,
    labels: tuple[str, ...],
    so: str = "these figures may be of examples that the model was trained on",
) -> None:
    """Warns if files that a run was trained on have changed, and `so` what follows from it.

    Prepared sets do not change. Files are read again only if their stamp differs from that of the
    run, which a copy has too.
    """
    if not config.data.files:
        return
    known = read_data_record(run, labelled=task.labelled)
    try:
        if known["stamp"] and known["stamp"] == data_stamp(task, config):
            return
        with muted():  # what is to be said of these files was said in training
            train, validation = task.load_training(config, labels)
        change = changed(run, known, describe(train, validation, labels))
    except DataError as error:
        change = f"{run.path} was trained on other data: {error}"
    if change:
        LOGGER.warning("%s; %s", change, so)


def is_same(one: SourceConfig, other: SourceConfig) -> bool:
    """Whether two sections name the same data; `skip_bad` only says how to read them."""
    return one.model_dump(exclude={"skip_bad"}) == other.model_dump(exclude={"skip_bad"})
