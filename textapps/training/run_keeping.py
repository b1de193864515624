"""What is done to whole runs after training: a note, and deletion."""

import shutil
import unicodedata
from collections.abc import Iterable
from pathlib import Path

from textapps.core.config import Section
from textapps.core.errors import RunError
from textapps.core.files import directory_aside, remove_directory
from textapps.core.names import PRETRAINING, TASKS
from textapps.pretrained import store
from textapps.pretrained.description import DESCRIPTION
from textapps.pretrained.model import PREFIX
from textapps.training.checkpoint import CheckpointStore
from textapps.training.run_directory import CONFIG, RunDirectory

NOTE = "note.txt"
_TURNING = dict.fromkeys([*range(0x202A, 0x202F), *range(0x2066, 0x206A)])  # right-to-left and back
_STAYS = "{} comes with the package and stays as it is"


def find_own(models_dir: Path, named: str, task: str | None = None) -> RunDirectory:
    """The run of this name or path, with or without a checkpoint; by default of whatever task.

    Raises:
        RunError: there is none, it is a model of the package, or a folder with another config.toml.
    """
    if named.startswith(PREFIX):
        raise RunError(_STAYS.format(store.find(named).origin))
    if task is not None:
        return RunDirectory.find(models_dir, task, named, trained=False)
    run = RunDirectory.find_any(models_dir, named, trained=False)
    if run.task not in (*TASKS, *PRETRAINING.values()):
        raise RunError(f"{run.path} is not a run: its config.toml is of something else")
    return run


def read_note(run: RunDirectory) -> str:
    """The note on a run, in one line; "" for none."""
    try:
        return _one_line((run.path / NOTE).read_text(encoding="utf-8"))
    except (OSError, ValueError):  # none, or one that is no text
        return ""


def write_note(run: RunDirectory, text: str) -> None:
    """Notes something on a run in place of an earlier note; "" takes it away.

    White space becomes single spaces, and control characters are left out.

    Raises:
        RunError: it is a model of the package, or cannot be written.
    """
    check_own(run)
    if line := _one_line(text):
        run.write_text(NOTE, line + "\n")
        return
    try:
        (run.path / NOTE).unlink(missing_ok=True)
    except OSError as error:
        raise RunError(f"cannot delete {run.path / NOTE}: {error.strerror}") from error


def check_deletable(run: RunDirectory, leaving: Iterable[RunDirectory] = ()) -> None:
    """RunError if a run must stay.

    It is a model of the package, in training, the working directory or around it, or needed by
    another run: one that was started from it and has no checkpoint yet.

    leaving: runs that are to be deleted too, and so need no other.
    """
    check_own(run)
    with run.lock():
        pass
    path = run.path.resolve()
    if _is_working_in(path):
        raise RunError(f"{path} is the working directory: change to a directory outside of it")
    left = {path, *(each.path.resolve() for each in leaving)}
    for other in RunDirectory.all(path.parent.parent):
        if (
            other.path.resolve() not in left
            and _starts_from(other, path)
            and not CheckpointStore(other.checkpoints).steps()
        ):
            raise RunError(
                f"{other.path} starts from {run.path} and has no checkpoint yet: delete it first, "
                "or train it"
            )


def delete_run(run: RunDirectory) -> None:
    """Deletes a run, whole or not at all.

    Raises:
        RunError: it is a model of the package, in training, or cannot be deleted.
    """
    check_own(run)
    with run.lock():
        try:
            remove_directory(run.path)
        except OSError as error:
            raise RunError(f"cannot delete {run.path}: {error.strerror}") from error


def keep_copy(run: RunDirectory, models_dir: Path, config: Section) -> RunDirectory:
    """A copy of a run as the latest of its task, finished even if the run is not.

    config: of the run, every value of it.

    Raises:
        RunError: it cannot be written.
    """
    name = run.path.name.split("-", 2)[2]  # what follows its date and time
    copy = RunDirectory.create(models_dir, run.task, name, config)
    left_out = shutil.ignore_patterns(run.checkpoints.name, CONFIG, ".*")
    try:
        shutil.copytree(run.path, copy.path, ignore=left_out, dirs_exist_ok=True)
        with directory_aside(copy.checkpoints) as aside:
            shutil.copytree(run.checkpoints, aside, dirs_exist_ok=True)
            if not run.finished:
                CheckpointStore(aside).end("time")
    except BaseException as error:
        shutil.rmtree(copy.path, ignore_errors=True)
        if isinstance(error, OSError):
            raise RunError(f"cannot write {copy.path}: {error}") from error
        raise
    return copy


def size_bytes(run: RunDirectory) -> int:
    """The size of all files of a run."""
    return sum(path.stat().st_size for path in run.path.rglob("*") if path.is_file())


def _one_line(text: str) -> str:
    """Without control characters, and those that turn the text around them."""
    kept = (c for c in text if c.isspace() or unicodedata.category(c) != "Cc")
    return " ".join("".join(kept).translate(_TURNING).split())


def check_own(run: RunDirectory) -> None:
    """RunError if a run is a model of the package, which stays as it is."""
    if run.pretrained or (run.path / DESCRIPTION).exists():
        raise RunError(_STAYS.format(run.name))


def _starts_from(run: RunDirectory, path: Path) -> bool:
    origin = Path(str(run.config.get("start", {}).get("init_from")))
    return origin.is_absolute() and origin.resolve() == path  # else a model of the package


def _is_working_in(path: Path) -> bool:
    try:
        return Path.cwd().is_relative_to(path)
    except FileNotFoundError:  # the working directory has been deleted
        return False
