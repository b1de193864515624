"""The directory of one training run, enough by itself to predict, resume and export."""

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
from textapps.core.errors import ConfigurationError, RunError
from textapps.training.checkpoint import CheckpointStore

CONFIG = "config.toml"


class RunDirectory:
    """models/<task>/<YYYYMMDD-HHMMSS-backbone>/: config.toml, preprocessor/, checkpoints/, …

    Made by `create`, `open`, `latest` and `all`. `config` is what config.toml holds.
    """

    def __init__(self, path: Path, config: dict[str, Any]) -> None:
        self.path = path
        self.config = config

    @classmethod
    def create(cls, models_dir: Path, task: str, backbone: str, config: Section) -> Self:
        """A new run named by the clock; RunError if the directory cannot be written."""
        stamp = datetime.datetime.now().strftime("%Y%m%d-%H%M%S")
        path = models_dir / task / f"{stamp}-{backbone}"
        for attempt in range(2, 1000):
            try:
                path.mkdir(parents=True)
                break
            except FileExistsError:
                path = models_dir / task / f"{stamp}-{backbone}-{attempt}"
            except OSError as error:
                raise RunError(f"cannot create run {path}: {error.strerror}") from error
        run = cls(path, {})
        run.write_text(CONFIG, dump_toml(config))
        run.config = read_toml(path / CONFIG)
        return run

    @classmethod
    def open(cls, path: Path, task: str | None = None, *, trained: bool = True) -> Self:
        """An existing run; of `task` and with a checkpoint, unless not asked for.

        Resuming passes `trained=False`: a run killed before its first checkpoint begins anew.
        Raises RunError if there is no run, it is half-written, of another task or of a newer
        format.
        """
        if not path.is_dir():
            raise RunError(f"no run at {path}: `textapps runs` lists those there are")
        if not (path / CONFIG).is_file():
            raise RunError(f"{path} is no run or a half-written one: it has no {CONFIG}")
        try:
            run = cls(path, read_toml(path / CONFIG))
        except ConfigurationError as error:
            raise RunError(str(error)) from error
        if task is not None and run.task != task:
            raise RunError(f"{path} is a run of {run.task}, not of {task}: give another --run")
        if trained and not CheckpointStore(run.checkpoints).steps():
            raise RunError(f"{path} is half-written: it has no checkpoint yet; resume it to train")
        return run

    @classmethod
    def all(cls, models_dir: Path, task: str | None = None) -> list[Self]:
        """Every run, also unfinished ones, of one or all tasks, by task and name.

        What has no readable config.toml is skipped.
        """
        runs = []
        for path in sorted(models_dir.glob(f"{task or '*'}/*/{CONFIG}")):
            with contextlib.suppress(RunError):
                runs.append(cls.open(path.parent, trained=False))
        return runs

    @classmethod
    def latest(cls, models_dir: Path, task: str) -> Self:
        """The last finished run of a task by name; RunError without any."""
        runs = cls.all(models_dir, task)
        for run in reversed(runs):
            if run.finished:
                return run
        remedy = (
            f"resume {runs[-1].path} or name it by --run"
            if runs
            else f"train one by `textapps {task} train`"
        )
        raise RunError(f"no finished run of {task} in {models_dir}: {remedy}")

    @property
    def name(self) -> str:
        """The last part of the path, `20260102-030405-gru`."""
        return self.path.name

    @property
    def task(self) -> str:
        """The task that made the run."""
        return str(self.config.get("task", ""))

    @property
    def preprocessor_dir(self) -> Path:
        """Where vocabulary and the like are."""
        return self.path / "preprocessor"

    @property
    def checkpoints(self) -> Path:
        """Where the checkpoints are."""
        return self.path / "checkpoints"

    @property
    def finished(self) -> bool:
        """Whether training has come to its end."""
        try:
            state = CheckpointStore(self.checkpoints).newest_state()
        except RunError:  # checkpoints of a newer format: not to be used by this version
            return False
        return state is not None and state.stopped_by is not None

    def write_text(self, name: str, text: str) -> None:
        """Replaces a file of the run whole; RunError if it cannot be written."""
        try:
            files.write_file(self.path / name, text)
        except OSError as error:
            raise RunError(f"cannot write {self.path / name}: {error.strerror}") from error

    def write_json(self, name: str, value: Any) -> None:
        """Replaces a JSON file of the run whole; RunError if it cannot be written."""
        text = json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False)
        self.write_text(name, text + "\n")

    @contextlib.contextmanager
    def lock(self) -> Iterator[None]:
        """Held by the one process that trains this run; RunError if another one holds it.

        The kernel frees it with its process, however that ends.
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
                raise RunError(
                    f"process {holder or 'unknown'} is training {self.path}: "
                    "wait for it or start another run"
                ) from error
            os.ftruncate(handle, 0)
            os.pwrite(handle, f"{os.getpid()}\n".encode(), 0)
            yield
        finally:
            os.close(handle)
