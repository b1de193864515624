"""The life of a model, the same for every task: train, resume, load, evaluate, export."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Generic

import numpy as np

from textapps.core.config import resolve
from textapps.core.errors import ConfigurationError, unknown
from textapps.core.notices import notice
from textapps.datasets.config import SourceConfig
from textapps.tasks.config import C
from textapps.tasks.derived import refuse_derived
from textapps.tasks.evaluation import data_stamp, is_same, load_evaluated, warn_of_changed_data
from textapps.tasks.start import (
    Start,
    load_training,
    open_start,
    record_start,
    take_weights,
    with_absolute_start,
)
from textapps.tasks.task import B, E, M, P, R, S, Task
from textapps.training.checkpoint import CheckpointStore
from textapps.training.data_record import (
    check_same_data,
    describe,
    read_data_record,
    write_data_record,
)
from textapps.training.evaluations import (
    METRICS,
    evaluation_path,
    write_details,
    write_evaluation,
)
from textapps.training.fit import FitResult, fit
from textapps.training.progress import Progress
from textapps.training.replicas import Replicas
from textapps.training.run_directory import RunDirectory
from textapps.training.seeding import precision, seed_everything
from textapps.training.stages import freeze, learning_rates, thaw
from textapps.training.until import Until
from textapps.training.weights import load_weights


@dataclass(frozen=True)
class Prepared(Generic[C, S, P, B]):
    """A run directory that is ready for training, with the data it will be trained on."""

    run: RunDirectory
    config: C
    preprocessor: P
    batches: B
    validation: S
    labels: tuple[str, ...]
    start: Start[P] | None = None


def train(
    task: Task[C, S, P, B, M, R, E],
    config: C,
    models_dir: Path | str = "models",
    progress: Progress | None = None,
) -> tuple[R, FitResult]:
    """Trains a new run under `models_dir`, and returns its predictor with the best weights.

    Raises:
        ConfigurationError: sizes do not fit together.
        DataError: data are missing or wrong.
        DivergedError, RunError, TrainingInterrupted: as `textapps.training.fit.fit`.
    """
    replicas = Replicas.of(config.training.strategy)
    return carry_on(task, begin(task, config, models_dir, replicas), replicas, progress)


def begin(
    task: Task[C, S, P, B, M, R, E],
    config: C,
    models_dir: Path | str = "models",
    replicas: Replicas | None = None,
) -> Prepared[C, S, P, B]:
    """Does what comes before training: reads the data, fits the preprocessor, creates the run.

    The run is created last, so wrong input leaves nothing behind; errors as in `train`.
    """
    replicas = replicas or Replicas()
    config = config.model_copy(update={"data": config.data.resolved()})
    config = with_absolute_start(task, config, Path(models_dir))
    start = open_start(task, config)
    with precision(config.training.mixed_precision):
        small = task.check(config)
        small.build()
    freeze(small, config.start)
    stamp = data_stamp(task, config)  # before reading: a file that changes meanwhile is noticed
    train, validation, labels = load_training(task, config, start)
    config = task.settle(config, train)
    preprocessor, batches = task.learn(config, train, start.preprocessor if start else None)

    def create() -> RunDirectory:
        run = RunDirectory.create(Path(models_dir), task.name, config.reads_with, config)
        run.preprocessor_dir.mkdir()
        preprocessor.save(run.preprocessor_dir)
        write_data_record(run, describe(train, validation, labels, stamp))
        return run

    run = replicas.agreed_run(create, Path(models_dir) / task.name)
    if not replicas.is_chief:  # the same texts may give other subwords on another machine
        preprocessor = task.load_preprocessor(config, run.preprocessor_dir)
        batches = task.training_batches(config, preprocessor, train)
    return Prepared(run, config, preprocessor, batches, validation, labels, start)


def resume(
    task: Task[C, S, P, B, M, R, E],
    run: RunDirectory,
    progress: Progress | None = None,
    until: Until | None = None,
) -> tuple[R, FitResult]:
    """Continues a run that was stopped; the result is the same as without the stop.

    Raises:
        DataError: its data are missing.
        RunError: the run is half-written, its data have changed since, or it was not trained.
    """
    refuse_derived(run)
    config = load_config(task, run)
    replicas = Replicas.of(config.training.strategy)
    known = read_data_record(run, labelled=task.labelled)
    labels = tuple(known.get("labels", ()))
    train, validation = task.load_training(config, labels)
    check_same_data(run, known, describe(train, validation, labels))
    preprocessor = task.load_preprocessor(config, run.preprocessor_dir)
    batches = task.training_batches(config, preprocessor, train)
    start = None if CheckpointStore(run.checkpoints).steps() else open_start(task, config)
    prepared = Prepared(run, config, preprocessor, batches, validation, labels, start)
    return carry_on(task, prepared, replicas, progress, until)


def load(task: Task[C, S, P, B, M, R, E], run: RunDirectory) -> R:
    """The predictor of a run, with its best weights.

    Raises:
        RunError: the run is half-written, damaged, of another task or of a newer format.
    """
    config = load_config(task, run)
    labels = tuple(read_data_record(run, labelled=task.labelled).get("labels", ()))
    preprocessor = task.load_preprocessor(config, run.preprocessor_dir)
    model = task.model(config, preprocessor, labels)
    model.build()
    load_weights(model, run)
    return task.predictor(run, config, preprocessor, model, labels)


def load_config(task: Task[C, S, P, B, M, R, E], run: RunDirectory) -> C:
    """The configuration of a run, every value of it."""
    return task.presets.of_run(run.path / "config.toml")


def evaluate(
    task: Task[C, S, P, B, M, R, E],
    predictor: R,
    data: SourceConfig | None = None,
    split: str | None = None,
    options: Mapping[str, object] | None = None,
) -> E:
    """Evaluates a predictor on a split of `data`, by default of the data of its training.

    The figures are written into the run; those of its own test split become metrics.json too.
    A warning says if the data of the training have changed since.

    Args:
        split: as `load_evaluated` takes it.
        options: values of the configuration by dotted key, in place of the run's, such as
            `decoding.beam`.

    Raises:
        ConfigurationError: an option is unknown or out of its range.
        DataError: data are missing or wrong, or have other classes.
        RunError: the run cannot be written.
    """
    if options:
        predictor = predictor.configured(options)
    own = task.presets.config.model_validate(predictor.config)  # the same object, typed C
    examples = load_evaluated(task, predictor, data, split)
    found = task.evaluate(predictor, examples, examples.part.split)
    same = data is None or is_same(data, own.data)
    if same:
        warn_of_changed_data(task, predictor.run, own, predictor.labels)
    default = examples.part.split == "test" and not options and same
    evaluation = replace(found, default=default)
    run, summary = predictor.run, evaluation.summary
    if run.pretrained:
        notice("the figures of %s are kept in %s", run.name, run.results)
    fingerprint = np.array(examples.fingerprint)
    write_evaluation(run, summary, **evaluation.arrays, sha256=fingerprint)
    for suffix, content in evaluation.details.items():
        write_details(run, summary, content, suffix)
    if default:
        run.write_json(METRICS, summary)
    return evaluation


def write_report(task: Task[C, S, P, B, M, R, E], predictor: R, evaluation: E) -> Path:
    """Writes the report on an evaluation as one HTML file, and returns its path.

    The report on the run's own test split is report.html; others stand beside their figures.

    Raises:
        OSError: the run cannot be written.
    """
    # Imported here because the plotting library is slow to import.
    from textapps.evaluation.reports.report import write_report as write_html

    path = evaluation_path(predictor.run, evaluation.summary).with_suffix(".html")
    if evaluation.default:
        path = predictor.run.results / "report.html"
    write_html(path, task.report(predictor, evaluation))
    return path


def export(
    task: Task[C, S, P, B, M, R, E],
    predictor: R,
    models_dir: Path | str = "models",
    *,
    format: str = "saved_model",
    **options: object,
) -> Path:
    """Publishes an export after verification, and returns the directory of the new version.

    Args:
        format: one of the task's.
        options: of the [export] section, in place of the run's.

    Raises:
        ConfigurationError: the format or an option is unknown.
        ExportError: it cannot be written, or its answers differ from the predictor's.
    """
    if format not in task.formats:
        raise ConfigurationError(unknown("format", format, task.formats))
    own = predictor.config.export.model_dump()
    config = resolve(type(predictor.config.export), preset=own, flags=options)
    return task.formats[format](predictor, Path(models_dir), config)


def carry_on(
    task: Task[C, S, P, B, M, R, E],
    prepared: Prepared[C, S, P, B],
    replicas: Replicas,
    progress: Progress | None,
    until: Until | None = None,
) -> tuple[R, FitResult]:
    """Trains a run that `begin` has prepared; errors as in `train`."""
    run, config, preprocessor = prepared.run, prepared.config, prepared.preprocessor
    seed_everything(config.random_seed)
    with precision(config.training.mixed_precision), replicas.scope():
        labels, batches = prepared.labels, prepared.batches
        if task.trainee is None:
            model = task.model(config, preprocessor, labels)
        else:
            model = task.trainee(config, preprocessor, labels, batches, replicas.rows)
        model.build()
        task.adapt(model, batches)
        if prepared.start:
            taken = take_weights(task, prepared.start, model, preprocessor, labels)
            if replicas.is_chief:
                record_start(run, prepared.start, taken)
        freeze(model, config.start)
        predictor = task.predictor(run, config, preprocessor, model, labels)
        if task.taught is not None:
            start = prepared.start.run if prepared.start else None
            begun = bool(CheckpointStore(run.checkpoints).steps())
            batches = task.taught(predictor, batches, start, begun)
        objective = task.objective(predictor, prepared.validation, batches)
        result = fit(
            model,
            loss=objective.loss,
            metrics=objective.metrics,
            train=batches,
            validation=task.validation_batches(config, preprocessor, prepared.validation),
            config=config.training,
            shares=learning_rates(model, config.start.layer_decay),
            run=run,
            monitor=objective.monitor,
            mode=objective.mode,
            evaluate=objective.figures,
            class_weights=objective.class_weights,
            adversarial=objective.adversarial,
            replicas=replicas,
            progress=progress,
            until=until,
        )
        thaw(model, config.start)  # as a model that is loaded
    if config.training.mixed_precision or replicas.count > 1:
        # The trained model computes in bfloat16 or on several devices; predictors must not.
        return load(task, run), result
    return predictor, result
