"""The folders of searches, in that of the models, and which of them is meant."""

import datetime
import itertools
from pathlib import Path

from textapps.core.errors import ConfigurationError, RunError
from textapps.core.names import TaskName
from textapps.core.notices import notice
from textapps.search.study import Study

FOLDER = "searches"  # in the folder of models
DATABASE = "study.db"


def check_name(study: str | None) -> None:
    """ConfigurationError if a name is not that of a folder just below the others."""
    name = study or ""
    parts = [part for part in ("/", "\\", "..") if part in name]
    if parts or name.startswith(".") or not name.isprintable():
        raise ConfigurationError(
            f"--study {name!r}: the name of a search is one of a folder, without '/', '\\', '..', "
            "a '.' at the beginning, or characters that cannot be seen: choose one such as reviews"
        )


def new_folder(folders: Path, name: str | None) -> Path:
    """The folder of a search, by default a new one that is named after the time."""
    stem = f"{datetime.datetime.now():%Y%m%d-%H%M%S}"
    for number in itertools.count(1):
        folder = folders / (name or (stem if number == 1 else f"{stem}-{number}"))
        try:
            folder.mkdir(parents=True, exist_ok=name is not None)
        except FileExistsError:  # of a search that began in the same second
            continue
        return folder
    raise AssertionError


def last_unfinished(folders: Path, task: TaskName) -> str:
    """The search of a task that was last at work and is not finished; a broken one is skipped."""
    ended = []
    files = sorted(folders.glob(f"*/{DATABASE}"), key=lambda path: path.stat().st_mtime)
    for name in (path.parent.name for path in reversed(files)):
        try:
            if not Study.open(str(folders / name / DATABASE), name).finished:
                return name
        except RunError as error:
            notice(
                "skipped search '%s': %s; if it is of no use, delete %s",
                name,
                error,
                folders / name,
            )
        else:
            ended.append(name)
    found = f"the last search, {ended[0]}, has ended" if ended else "there is none"
    raise RunError(
        f"no search of {task} in {folders} to go on with, {found}: begin one by "
        f"`textapps {task} search --minutes 30`"
    )
