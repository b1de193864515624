"""Atomic writes of files and directories: written aside, fsynced, renamed."""

import contextlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

# Hidden, so that a listing by pattern never includes something half-written.
ASIDE = ".aside-"


def write_file(path: Path, data: str | bytes) -> None:
    """Replaces the file at `path` with `data` (text as UTF-8); a reader sees one or the other.

    Raises OSError (full disk, read-only directory); the old file then stays unchanged.
    """
    with file_aside(path) as file:
        file.write(data.encode() if isinstance(data, str) else data)


@contextlib.contextmanager
def file_aside(path: Path) -> Iterator[BinaryIO]:
    """`write_file` for data in pieces: the file appears at the end of the block.

    After an error in the block nothing of the new file remains.
    """
    handle, name = tempfile.mkstemp(prefix=ASIDE, dir=path.parent)
    aside = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        aside.chmod(0o666 & ~_umask())  # mkstemp creates files that only their owner can read
        aside.replace(path)
    except BaseException:
        aside.unlink(missing_ok=True)
        raise
    synchronise(path.parent)


@contextlib.contextmanager
def directory_aside(target: Path) -> Iterator[Path]:
    """A new directory to fill, which becomes `target` when the block ends without an error.

    An existing directory at `target`, or the one that a symbolic link there names, is replaced.
    After an error nothing of the new directory remains. Raises OSError if the file system does.
    """
    target = target.resolve()
    aside = Path(tempfile.mkdtemp(prefix=ASIDE, dir=target.parent))
    try:
        yield aside
        synchronise_tree(aside)
        aside.chmod(0o777 & ~_umask())
        old = _set_aside(target) if target.exists() else None
        try:
            aside.rename(target)
        except BaseException:
            if old is not None:
                old.rename(target)
            raise
    except BaseException:
        shutil.rmtree(aside, ignore_errors=True)
        raise
    if old is not None:
        shutil.rmtree(old)
    synchronise(target.parent)


def remove_directory(directory: Path) -> None:
    """Removes a directory; it is renamed aside first, so no reader sees it half removed.

    Of a symbolic link, the directory that it names is removed. Raises OSError if the file system
    does.
    """
    shutil.rmtree(_set_aside(directory.resolve()))  # a link cannot replace a directory


def _set_aside(directory: Path) -> Path:
    """Renames a directory to a hidden one beside it."""
    aside = Path(tempfile.mkdtemp(prefix=ASIDE, dir=directory.parent))
    try:
        directory.replace(aside)
    except OSError:
        aside.rmdir()
        raise
    return aside


def remove_leftovers(directory: Path) -> None:
    """Removes leftovers of a killed process; only the sole writer of `directory` may call it."""
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
