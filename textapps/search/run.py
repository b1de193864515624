"""A search from its options to its result: begun, joined, or gone on with."""

import os
import shutil
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

from textapps.core.config import Flags, lookup
from textapps.core.errors import ConfigurationError, RunError, unknown
from textapps.core.names import TaskName, lenders
from textapps.evaluation.searched import Searched
from textapps.pretrained import store
from textapps.search.allowance import Allowance
from textapps.search.conducting import conduct
from textapps.search.folders import DATABASE, FOLDER, check_name, last_unfinished, new_folder
from textapps.search.limits import Limits
from textapps.search.narrowing import START, is_list_of_starts
from textapps.search.progress import Progress
from textapps.search.search import Search
from textapps.search.space import Space
from textapps.search.starts import worth_trying
from textapps.search.study import Study
from textapps.search.trainer import Trainer
from textapps.tasks.registry import get_presets
from textapps.training.run_directory import CONFIG, RunDirectory
from textapps.training.start_config import FROM_NOTHING

# A model that does not know a character has only the probability of an unknown one to give.
VOCABULARY_METRICS = frozenset({"nats_per_character"})


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What a search is to do, as its options say; a study remembers all of it.

    minutes: that it takes.
    trials: at most, None for as many as there is time for.
    megabytes, milliseconds: limits of the models.
    metric: of validation; None for the task's.
    flags: values and ranges by dotted key; file: of other values.
    kinds: the backbones to try.
    keep_runs: whether the runs of all trials stay.
    """

    minutes: float
    trials: int | None = None
    megabytes: float | None = None
    milliseconds: float | None = None
    metric: str | None = None
    flags: Mapping[str, Any] = field(default_factory=dict)
    file: str | None = None
    kinds: Sequence[str] = ()
    keep_runs: bool = False


def begin(
    task: TaskName,
    settings: Settings,
    models_dir: Path,
    progress: Progress,
    *,
    storage: str | None = None,
    study: str | None = None,
    began_at: float | None = None,
    between: Callable[[], None] = lambda: None,
) -> tuple[RunDirectory, Searched]:
    """Searches for the time named, alone or with others that have begun the same search.

    Args:
        models_dir: where the result goes; the runs of the trials are in searches/ there.
        storage: the address of a database that processes share; by default a file of its own.
        study: the name of the search there.
        began_at: of time.perf_counter(), from which the time is counted.
        between: called between trainings, such as `Growth().check`; what it raises ends the
            process.

    Raises:
        ConfigurationError: an option, the space or the time is wrong.
        DataError: data are missing or wrong.
        RunError: the study cannot be used, or no trial is within the limits.
        TrainingInterrupted: Ctrl-C was pressed before there was a result.
    """
    check_name(study)
    settings = _with_start(task, settings, models_dir)
    space = _space(task, settings)
    folders = models_dir / FOLDER / task
    limits = Limits(settings.megabytes, settings.milliseconds)
    trainer = Trainer(task, space, folders, limits)
    data = space.base.data.resolved()
    # All of it, wherever it is from: `resume` may run in another folder and environment.
    places = {f"data.{k}": v for k, v in data.model_dump(exclude_none=True).items()}
    settings = replace(settings, flags=_flags(settings, places))
    train, validation = trainer.task.load_training(space.base.model_copy(update={"data": data}), ())
    starts = space.starts
    if starts and START not in settings.flags:
        starts = worth_trying(trainer.task, starts, train)
        space = _space(task, settings, starts)
    name = study or (f"textapps-{task}" if storage else None)
    new = name is None or not (folders / name).exists()
    trainer.folder = folder = new_folder(folders, name)
    record = {
        "task": task,
        "metric": settings.metric,
        "data": [train.fingerprint, validation.fingerprint],
        "settings": asdict(settings),
        "starts": starts,
    }
    place = storage or str(folder / DATABASE)
    try:
        memory = Study.begin(place, folder.name, space, record, space.base.random_seed)
    except BaseException:
        if new:  # a database that could not be written may have left a part of it
            shutil.rmtree(folder, ignore_errors=True)
        raise
    if memory.finished:
        raise RunError(f"search '{folder.name}' is finished: name another one by --study")
    allowance = Allowance(60 * settings.minutes, began_at)
    alone = storage is None
    search = Search(
        memory, space, trainer, allowance, progress, settings.trials, between=between, alone=alone
    )
    return conduct(search, models_dir, keep_runs=settings.keep_runs)


def resume(
    task: TaskName,
    models_dir: Path,
    progress: Progress,
    *,
    storage: str | None = None,
    study: str | None = None,
    keep_runs: bool = False,
    began_at: float | None = None,
    between: Callable[[], None] = lambda: None,
) -> tuple[RunDirectory, Searched]:
    """Goes on with a search that was killed, for the rest of its time.

    Args:
        study: its name; by default the last one of the task that is not finished.
        keep_runs: keeps the runs of all trials, even if the search did not begin so.

    Raises:
        RunError: there is no such search, or it is finished; and as `begin`.
    """
    check_name(study)
    folders = models_dir / FOLDER / task
    if storage is None:
        name = study or last_unfinished(folders, task)
        place = str(folders / name / DATABASE)
        if not Path(place).is_file():
            raise RunError(f"there is no search '{name}' in {folders}: begin one by --minutes")
    else:
        name, place = study or f"textapps-{task}", storage
    memory = Study.open(place, name)
    if memory.record["task"] != task:
        raise RunError(f"search '{name}' is of {memory.record['task']}, not of {task}")
    if memory.finished:
        raise RunError(f"search '{name}' is finished: begin a new one")
    settings = Settings(**memory.record["settings"])
    space = _space(task, settings, memory.record.get("starts"))
    if memory.record["space"] != space.document:
        raise RunError(
            f"search '{name}' was begun with other values in the environment, or in "
            f"{settings.file or 'its configuration'}: restore them, or begin a new search"
        )
    memory = Study.open(place, name, space.base.random_seed)
    if storage is None:
        memory.take_over()
    limits = Limits(settings.megabytes, settings.milliseconds)
    trainer = Trainer(task, space, folders / name, limits)
    splits = trainer.task.load_training(space.base, ())
    if memory.record["data"] != [split.fingerprint for split in splits]:
        raise RunError(
            f"search '{name}' was begun on other data than {space.base.data.source} has now: "
            "restore them, or begin a new search"
        )
    allowance = Allowance(60 * settings.minutes, began_at)
    spent = memory.spent
    allowance.began_at -= spent
    search = Search(
        memory,
        space,
        trainer,
        allowance,
        progress,
        settings.trials,
        between=between,
        resumed_after=spent,
        alone=storage is None,
    )
    keep_runs = keep_runs or settings.keep_runs
    return conduct(search, models_dir, keep_runs=keep_runs)


def metrics_of(task: TaskName) -> tuple[str, ...]:
    """The validation metrics by which a task's models can be chosen."""
    from textapps.core.keys import keys_of
    from textapps.tasks.registry import get_about

    for key in keys_of(get_presets(task).config):
        if key.name == "training.monitor":
            return tuple(choice for choice in key.choices if choice != "auto")
    return (get_about(task).monitor,)


def _space(task: TaskName, settings: Settings, worth: Collection[str] | None = None) -> Space[Any]:
    """The space around the preset, with all pretrained starts or with those worth trying."""
    flags = _flags(settings)
    if settings.metric is not None:
        if settings.metric not in metrics_of(task):
            raise ConfigurationError(unknown("metric", settings.metric, metrics_of(task)))
        if flags.get("training.monitor", settings.metric) != settings.metric:
            raise ConfigurationError(
                f"--metric {settings.metric} and training.monitor differ: leave one out"
            )
        if len(metrics_of(task)) > 1:
            flags["training.monitor"] = settings.metric
    models = [model for each in (task, *lenders(task)) for model in store.models(each)]
    starts = {
        model.origin: model.path / CONFIG
        for model in models
        if worth is None or model.origin in worth
    }
    given = str(flags.get(START, FROM_NOTHING))
    if given != FROM_NOTHING and not is_list_of_starts(given):
        starts = {given: RunDirectory.find(Path(), task, given, *lenders(task)).path / CONFIG}
    return Space(
        get_presets(task),
        flags,
        file=None if settings.file is None else Path(settings.file),
        environ=os.environ,
        kinds=tuple(settings.kinds),
        starts=starts,
        same_vocabulary=not VOCABULARY_METRICS.isdisjoint(metrics_of(task)),
    )


def _with_start(task: TaskName, settings: Settings, models_dir: Path) -> Settings:
    """The same with what finds the run to start from in any folder, if one is named.

    Raises:
        RunError: there is no such run.
    """
    file = None if settings.file is None else Path(settings.file)
    given = lookup(START, file=file, environ=os.environ, flags=settings.flags)
    if given in (None, FROM_NOTHING) or is_list_of_starts(str(given)):
        return settings
    run = RunDirectory.find(models_dir, task, str(given), *lenders(task))
    return replace(settings, flags=_flags(settings, {START: run.origin}))


def _flags(settings: Settings, more: Mapping[str, Any] = MappingProxyType({})) -> Flags:
    """The values of the settings and more, with the options that have set them."""
    return Flags({**settings.flags, **more}, getattr(settings.flags, "options", {}))
