"""Files and directories that appear whole or not at all: written aside, fsynced, renamed."""

import contextlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

# Hidden, so that a listing by pattern never takes a half-written thing for a whole one.
ASIDE = ".aside-"


def write_file(path: Path, data: str | bytes) -> None:
    """Replaces the file at `path` by `data` (text as UTF-8); a reader sees the old or the new one.

    Raises OSError (a full disk, a read-only directory); the old file is then untouched.
    """
    with file_aside(path) as file:
        file.write(data.encode() if isinstance(data, str) else data)


@contextlib.contextmanager
def file_aside(path: Path) -> Iterator[BinaryIO]:
    """`write_file` for data that come piece by piece: what was written stands at the block's end.

    After an error in the block nothing of it remains.
    """
    handle, name = tempfile.mkstemp(prefix=ASIDE, dir=path.parent)
    aside = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        aside.chmod(0o666 & ~_umask())  # mkstemp makes files that only their owner can read
        aside.replace(path)
    except BaseException:
        aside.unlink(missing_ok=True)
        raise
    synchronise(path.parent)


@contextlib.contextmanager
def directory_aside(target: Path) -> Iterator[Path]:
    """A new directory to fill, which becomes `target` when the block ends without an error.

    A directory that already stands at `target` is replaced. After an error nothing of the new
    one remains. Raises OSError as the file system does.
    """
    aside = Path(tempfile.mkdtemp(prefix=ASIDE, dir=target.parent))
    try:
        yield aside
        synchronise_tree(aside)
        aside.chmod(0o777 & ~_umask())
        if target.exists():
            remove_directory(target)
        aside.rename(target)
    except BaseException:
        shutil.rmtree(aside, ignore_errors=True)
        raise
    synchronise(target.parent)


def remove_directory(directory: Path) -> None:
    """Removes a directory so that it is never seen half removed: renamed aside first."""
    aside = Path(tempfile.mkdtemp(prefix=ASIDE, dir=directory.parent))
    directory.replace(aside)
    shutil.rmtree(aside)


def remove_leftovers(directory: Path) -> None:
    """Removes what a killed process left aside in `directory`; only its sole writer may call it."""
    for aside in directory.glob(f"{ASIDE}*"):
        if aside.is_dir():
            shutil.rmtree(aside, ignore_errors=True)
        else:
            aside.unlink(missing_ok=True)


def synchronise_tree(directory: Path) -> None:
    """Waits until a directory and everything in it is on disk."""
    for path in [*directory.rglob("*"), directory]:
        synchronise(path)


def synchronise(path: Path) -> None:
    """Waits until a file's content, or a directory's list of names, is on disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
