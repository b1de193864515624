"""Checkpoints on disk: written atomically, verified when read."""

import dataclasses
import errno
import logging
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from textapps.core import files
from textapps.core.errors import RunError
from textapps.core.records import FormatError, RecordError, dump_record, read_record, sha256_of

ARRAYS = "arrays.npz"
STATE = "state.json"
LOGGER = logging.getLogger("textapps")

Arrays = Mapping[str, NDArray[Any]]


@dataclasses.dataclass(frozen=True)
class TrainingState:
    """The progress of a run; the arrays are stored separately.

    Attributes:
        step: number of completed steps.
        steps_per_pass: steps of one pass over the data; another number means other data.
        seconds: time spent in training steps.
        best_score, best_loss: score and loss of the best validation so far, None before the first.
        best_step: the step of that validation, whose checkpoint is kept.
        waited: number of intervals since then.
        stopped_by: "epochs", "patience" or "time" once training has ended, else None.
        partial: the variables of each metric by its name, if the step is inside an interval; a
            resumed run averages over the whole interval.
    """

    step: int = 0
    steps_per_pass: int = 0
    seconds: float = 0.0
    best_score: float | None = None
    best_loss: float | None = None
    best_step: int | None = None
    waited: int = 0
    stopped_by: str | None = None
    partial: Mapping[str, list[Any]] = dataclasses.field(default_factory=dict)


class CheckpointStore:
    """The directory `checkpoints/` of a run; only the holder of the run's lock may write.

    Each checkpoint is a directory `step-00001234` with `arrays.npz` (one array per key, no pickle)
    and `state.json` (format, the fields of TrainingState, `variables` with one record per array,
    and the sha256 of arrays.npz).

    Args:
        keep: how many of the newest checkpoints are kept, in addition to the best one.
        keep_ends, interval: how many checkpoints at multiples of `interval` are kept as well.
    """

    def __init__(
        self, directory: Path, keep: int = 2, keep_ends: int = 0, interval: int = 1
    ) -> None:
        self.directory = directory
        self.keep = keep
        self.keep_ends = keep_ends
        self.interval = interval

    def path(self, step: int) -> Path:
        """The directory of the checkpoint of `step`, existing or not."""
        return self.directory / f"step-{step:08d}"

    def steps(self) -> list[int]:
        """The steps of all checkpoints, intact or not, in ascending order."""
        names = (path.name.removeprefix("step-") for path in self.directory.glob("step-*"))
        return sorted(int(name) for name in names if name.isdigit())

    def ends(self, step: int) -> list[int]:
        """The last `keep_ends` steps up to `step` that are multiples of `interval`."""
        ends = [s for s in self.steps() if s <= step and s % self.interval == 0]
        return ends[max(0, len(ends) - self.keep_ends) :]

    def save(
        self,
        state: TrainingState,
        arrays: Arrays,
        variables: list[dict[str, Any]],
        *,
        compress: bool = False,
    ) -> None:
        """Writes a checkpoint, then removes those that need not be kept.

        Raises RunError if it cannot be written; existing checkpoints stay unchanged.
        """
        target = self.path(state.step)
        try:
            self.directory.mkdir(exist_ok=True)
            with files.directory_aside(target) as aside:
                write = np.savez_compressed if compress else np.savez
                write(aside / ARRAYS, **arrays)  # type: ignore[arg-type]
                record = {**dataclasses.asdict(state), "variables": variables}
                record["sha256"] = sha256_of(aside / ARRAYS)
                (aside / STATE).write_text(dump_record(record), encoding="utf-8")
        except OSError as error:
            full = error.errno in (errno.ENOSPC, errno.EDQUOT)
            remedy = "free some space" if full else "make it writable"
            raise RunError(
                f"cannot write checkpoint {target}: {error.strerror or error}; "
                f"earlier checkpoints are intact: {remedy}, then resume the run"
            ) from error
        kept = {*self.steps()[-self.keep :], *self.ends(state.step), state.best_step}
        for step in self.steps():
            if step not in kept:
                files.remove_directory(self.path(step))

    def end(self, stopped_by: str) -> None:
        """Marks the newest checkpoint as the last of its training; RunError if it cannot be."""
        path = self.path(self.steps()[-1])
        try:
            record = {**_record(path), "stopped_by": stopped_by}
            files.write_file(path / STATE, dump_record(record))
        except (OSError, _DamageError) as error:
            raise RunError(f"cannot write {path / STATE}: {error}") from error

    def newest_state(self) -> TrainingState | None:
        """The newest readable state, without reading the arrays; None if there is none."""
        for step in reversed(self.steps()):
            try:
                return _state(_record(self.path(step)))
            except _DamageError:
                continue
        return None

    def newest_good(self) -> tuple[TrainingState, Path] | None:
        """State and directory of the newest intact checkpoint; damaged ones cause a warning.

        None if there is no checkpoint. RunError if all checkpoints are damaged.
        """
        steps = self.steps()
        for step in reversed(steps):
            try:
                return self.verified(step), self.path(step)
            except _DamageError as damage:
                LOGGER.warning("checkpoint %s is damaged (%s)", self.path(step), damage)
        if steps:
            raise RunError(f"every checkpoint in {self.directory} is damaged: train a new run")
        return None

    def verified(self, step: int) -> TrainingState:
        """The state of one checkpoint whose arrays have the recorded sha256."""
        record = _record(self.path(step))
        try:
            if sha256_of(self.path(step) / ARRAYS) != record["sha256"]:
                raise _DamageError(f"{ARRAYS} has changed since it was written")
        except OSError as error:
            raise _DamageError(f"{ARRAYS}: {error.strerror}") from error
        return _state(record)

    def state_at(self, step: int) -> TrainingState:
        """As `verified`; RunError if the checkpoint is damaged or missing."""
        try:
            return self.verified(step)
        except _DamageError as damage:
            raise RunError(f"checkpoint {self.path(step)} is damaged ({damage})") from damage

    def is_whole(self, step: int) -> bool:
        """Whether the checkpoint of `step` exists and is undamaged."""
        try:
            self.verified(step)
        except _DamageError:
            return False
        return True

    def tidy(self, newest: int | None) -> None:
        """Removes leftovers of a killed process, and checkpoints after step `newest`."""
        if self.directory.is_dir():
            files.remove_leftovers(self.directory)
        for step in self.steps():
            if newest is not None and step > newest:
                files.remove_directory(self.path(step))


def read_variables(checkpoint: Path) -> list[dict[str, Any]]:
    """The records of a checkpoint's arrays; RunError if it is damaged."""
    try:
        variables: list[dict[str, Any]] = _record(checkpoint)["variables"]
    except _DamageError as damage:
        raise RunError(f"checkpoint {checkpoint} is damaged ({damage})") from damage
    return variables


def read_arrays(checkpoint: Path, keys: list[str]) -> list[NDArray[Any]]:
    """The arrays of these keys, in this order; others are not read. RunError if damaged."""
    try:
        # np.load does not close a file that it opened itself if it is not an archive.
        with (checkpoint / ARRAYS).open("rb") as file, np.load(file) as archive:
            return [archive[key] for key in keys]
    except (OSError, EOFError, ValueError, KeyError, zipfile.BadZipFile) as error:
        raise RunError(f"{checkpoint / ARRAYS} is damaged: {error}") from error


class _DamageError(Exception):
    """A damaged checkpoint; the message says what is wrong."""


def _record(checkpoint: Path) -> dict[str, Any]:
    try:
        return read_record(checkpoint / STATE)
    except OSError as error:
        raise _DamageError(f"{STATE}: {error.strerror}") from error
    except FormatError as error:
        # Not treated as damage: falling back to an older checkpoint would silently undo training.
        raise RunError(f"{error}: upgrade textapps") from error
    except RecordError as error:
        raise _DamageError(f"{STATE} is not readable") from error


def _state(record: Mapping[str, Any]) -> TrainingState:
    record = {"partial": {}, **record}  # earlier versions wrote none
    try:
        return TrainingState(**{f.name: record[f.name] for f in dataclasses.fields(TrainingState)})
    except KeyError as error:
        raise _DamageError(f"{STATE} has no {error}") from error
