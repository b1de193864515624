"""The directory of a training run, which has all that predict, resume and export need."""

import contextlib
import datetime
import fcntl
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Self

from textapps.core import files
from textapps.core.config import Section, dump_toml, read_toml
from textapps.core.errors import ConfigurationError, LockedError, RunError
from textapps.core.names import training_command
from textapps.core.notices import notice
from textapps.pretrained import store
from textapps.pretrained.description import DESCRIPTION
from textapps.pretrained.model import PREFIX, PretrainedModel
from textapps.training.checkpoint import CheckpointStore

CONFIG = "config.toml"
_TIME = "%Y%m%d-%H%M%S"


class RunDirectory:
    """models/<task>/<YYYYMMDD-HHMMSS-backbone>/: config.toml, preprocessor/, checkpoints/, …

    Use `create`, `open`, `find`, `latest` or `all`.

    config: the content of config.toml.
    results: where what is written after training goes, such as figures: the run itself, for a model
        of the package a folder outside of it.
    pretrained: the model of the package that this is, if it is one.
    """

    def __init__(
        self,
        path: Path,
        config: dict[str, Any],
        results: Path | None = None,
        pretrained: PretrainedModel | None = None,
    ) -> None:
        self.path = path
        self.config = config
        self.results = results or path
        self.pretrained = pretrained

    @classmethod
    def create(cls, models_dir: Path, task: str, backbone: str, config: Section) -> Self:
        """Creates a run, whose name sorts after those of all runs of the task.

        It is named by the current time, or by the second after the last run if the clock has been
        set back. RunError if the directory cannot be written.
        """
        directory, created = models_dir / task, False
        while not created:
            path = directory / f"{_next_time(directory):{_TIME}}-{backbone}"
            try:
                path.mkdir(parents=True)
                created = True
            except FileExistsError:  # another process was faster
                pass
            except OSError as error:
                raise RunError(f"cannot create run {path}: {error.strerror}") from error
        run = cls(path, {})
        try:
            run.write_text(CONFIG, dump_toml(config))
        except RunError:
            with contextlib.suppress(OSError):
                path.rmdir()
            raise
        run.config = read_toml(path / CONFIG)
        return run

    @classmethod
    def open(cls, path: Path, task: str | None = None, *others: str, trained: bool = True) -> Self:
        """Opens an existing run; by default it must have a checkpoint.

        It may be of one of the `others` instead of the task. Resuming passes `trained=False`: a run
        killed before its first checkpoint starts over. Raises RunError if there is no run, or it is
        incomplete, of another task or of a newer format.
        """
        if not path.is_dir():
            raise RunError(f"no run at {path}: `textapps runs` lists all runs")
        if not (path / CONFIG).is_file():
            raise RunError(f"{path} is not a run, or an incomplete one: it has no {CONFIG}")
        try:
            run = cls(path, read_toml(path / CONFIG))
        except ConfigurationError as error:
            raise RunError(str(error)) from error
        if task is not None and run.task not in (task, *others):
            raise RunError(f"{path} is a run of {run.task}, not of {task}: choose another run")
        if trained and not CheckpointStore(run.checkpoints).steps():
            raise RunError(f"{path} is incomplete: it has no checkpoint yet; resume it to train")
        return run

    @classmethod
    def find(
        cls,
        models_dir: Path,
        task: str,
        run: str | Path | None,
        *others: str,
        trained: bool = True,
    ) -> Self:
        """The run with this name or path, by default the latest.

        `pretrained:NAME` is a model of the package, which has no optimizer and cannot be resumed.
        One of them also stands in, with a notice, where no run of the task is. A run that is named
        may be one of `others` instead of the task.

        Raises RunError as `open` and `latest`, and for a model of the package that is unknown, of
        another task or damaged.
        """
        if run is None:
            model = None if cls._configs(models_dir, task) else store.default_of(task)
            if model is None:
                return cls.latest(models_dir, task)
            found = cls._of_package(models_dir, model, task)
            _say_who_answers(models_dir, model)
            return found
        if str(run).startswith(PREFIX):
            if not trained:
                raise RunError(
                    f"{run} has no optimizer and cannot be resumed; start a new run from its "
                    f"weights by --init-from {run}"
                )
            return cls._of_package(models_dir, store.find(str(run)), task, *others)
        named = (models_dir / each / run for each in (task, *others))
        path = next((path for path in named if path.is_dir()), Path(run))
        return cls.open(path, task, *others, trained=trained)

    @classmethod
    def find_any(cls, models_dir: Path, run: str, *, trained: bool = True) -> Self:
        """The run with this name or path, of whatever task; `pretrained:NAME` is one too.

        Raises RunError as `find`, and if several tasks have a run of this name.
        """
        if run.startswith(PREFIX):
            return cls.find(models_dir, store.find(run).description.task, run, trained=trained)
        of_tasks = {path / run for path in models_dir.glob("*")}  # just one if `run` is absolute
        named = sorted(path for path in of_tasks if (path / CONFIG).is_file())
        if len(named) > 1:
            paths = ", ".join(map(str, named))
            raise RunError(f"several runs are called {run}: name one of {paths}")
        return cls.open(named[0] if named else Path(run), trained=trained)

    @classmethod
    def _of_package(cls, models_dir: Path, model: PretrainedModel, task: str, *others: str) -> Self:
        own = model.description.task
        if own not in (task, *others):
            fitting = (each for name in (task, *others) for each in store.models(name))
            fit = ", ".join(each.origin for each in fitting)
            choice = f": choose from {fit}" if fit else ""
            raise RunError(f"{model.origin} is a model of {own}, not of {task}{choice}")
        model.verify()
        run = cls.open(model.path, own)
        run.results = models_dir / own / model.origin.replace(":", "-")
        run.pretrained = model
        return run

    @classmethod
    def all(cls, models_dir: Path, task: str | None = None) -> list[Self]:
        """All runs of one or all tasks, finished or not, sorted by task and name.

        One whose config.toml cannot be read is left out with a notice.
        """
        runs = []
        for path in cls._configs(models_dir, task):
            try:
                runs.append(cls.open(path.parent, trained=False))
            except RunError as error:
                notice("left out: %s", error)
        return runs

    @staticmethod
    def _configs(models_dir: Path, task: str | None) -> list[Path]:
        """The config.toml of all runs; models of the package and what is being deleted are none."""
        return [
            path
            for path in sorted(models_dir.glob(f"{task or '*'}/*/{CONFIG}"))
            if not path.parent.name.startswith(".") and not path.with_name(DESCRIPTION).exists()
        ]

    @classmethod
    def latest(cls, models_dir: Path, task: str) -> Self:
        """The last finished run of a task by name; RunError if there is none."""
        runs = cls.all(models_dir, task)
        for run in reversed(runs):
            if run.finished:
                return run
        remedy = (
            f"resume {runs[-1].path} or name it with --run"
            if runs
            else f"train one with `{training_command(task)}`"
        )
        raise RunError(f"no finished run of {task} in {models_dir}: {remedy}")

    @property
    def name(self) -> str:
        """The last part of the path, `20260102-030405-gru`; of a model of the package its name."""
        return self.pretrained.origin if self.pretrained else self.path.name

    @property
    def origin(self) -> str:
        """What finds it from any folder: its absolute path, or its name in the package."""
        return self.pretrained.origin if self.pretrained else str(self.path.absolute())

    @property
    def task(self) -> str:
        """The task of the run."""
        return str(self.config.get("task", ""))

    @property
    def preprocessor_dir(self) -> Path:
        """The directory of the vocabulary or other preprocessor files."""
        return self.path / "preprocessor"

    @property
    def checkpoints(self) -> Path:
        """The directory of the checkpoints."""
        return self.path / "checkpoints"

    @property
    def finished(self) -> bool:
        """Whether training has finished."""
        try:
            state = CheckpointStore(self.checkpoints).newest_state()
        except RunError:  # checkpoints of a newer format, which this version cannot use
            return False
        return state is not None and state.stopped_by is not None

    def write_text(self, name: str, text: str) -> None:
        """Writes a file of the results atomically; RunError if it cannot be written."""
        path = self.results / name
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            files.write_file(path, text)
        except OSError as error:
            raise RunError(f"cannot write {path}: {error.strerror}") from error

    def write_json(self, name: str, value: Any) -> None:
        """Writes a JSON file of the run atomically; RunError if it cannot be written."""
        text = json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False)
        self.write_text(name, text + "\n")

    @contextlib.contextmanager
    def lock(self) -> Iterator[None]:
        """The lock of the process that trains this run; LockedError if another process holds it.

        The kernel releases it when the process ends, however it ends.
        """
        path = self.path / ".lock"
        try:
            handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
        except OSError as error:
            raise RunError(f"cannot write {path}: {error.strerror}") from error
        try:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as error:
                holder = os.pread(handle, 20, 0).decode(errors="replace").strip()
                raise LockedError(
                    f"process {holder or 'unknown'} is training {self.path}: "
                    "wait for it or start another run"
                ) from error
            os.ftruncate(handle, 0)
            os.pwrite(handle, f"{os.getpid()}\n".encode(), 0)
            yield
        finally:
            os.close(handle)


def _say_who_answers(models_dir: Path, model: PretrainedModel) -> None:
    known = model.description
    notice(
        "no run of %s in %s, so %s answers: %s (`textapps pretrained show %s`); your own: "
        "`textapps %s train --data FILE`",
        known.task,
        models_dir,
        model.origin,
        known.title,
        known.name,
        known.task,
    )
    others = [other.origin for other in store.models(known.task) if other.path != model.path]
    if others:
        notice("choose another one by --run: %s", ", ".join(others))


def _next_time(directory: Path) -> datetime.datetime:
    """Now, or the second after the last run in a directory, whichever is later."""
    times = [datetime.datetime.now()]
    with contextlib.suppress(OSError):  # no directory yet
        for path in directory.iterdir():
            with contextlib.suppress(ValueError, OverflowError):  # not named by a time
                last = datetime.datetime.strptime(path.name[:15], _TIME)
                times.append(last + datetime.timedelta(seconds=1))
    return max(times)
