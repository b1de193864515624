"""Publishing by rename: a version directory exists either whole or not at all."""

import errno
import shutil
import time
import uuid
from collections.abc import Callable
from pathlib import Path

from textapps.core.errors import ExportError
from textapps.core.files import ASIDE, synchronise, synchronise_tree

_ABANDONED_AFTER_SECONDS = 24 * 3600


def publish(write: Callable[[Path], None], directory: Path) -> Path:
    """Have `write` fill an empty directory, then rename it to the next version in `directory`.

    The next version is the highest so far plus one; published versions are never touched. What
    was written is synchronised to disk before the rename. If anything fails, interruptions
    included, nothing is left behind; two processes publishing at once get two versions.

    Returns the path `<directory>/<version>`. Raises ExportError where the disk refuses, and
    lets the errors of `write` pass.
    """
    # TensorFlow Serving's version poller ignores every name that is not an integer.
    aside = directory / f"{ASIDE}{uuid.uuid4().hex}"
    try:
        directory.mkdir(parents=True, exist_ok=True)
        _remove_abandoned(directory)
        aside.mkdir()  # not mkdtemp, which would hide the export from a server's user
        write(aside)
        synchronise_tree(aside)
        final = _rename_to_next_version(aside)
        synchronise(directory)
    except OSError as error:
        raise ExportError(
            f"could not write an export to {directory}: {error.strerror or error}"
        ) from error
    finally:
        shutil.rmtree(aside, ignore_errors=True)
    return final


def _rename_to_next_version(aside: Path) -> Path:
    while True:
        taken = [int(path.name) for path in aside.parent.iterdir() if _is_version(path.name)]
        final = aside.parent / str(max(taken, default=0) + 1)
        try:
            return aside.rename(final)
        except OSError as error:
            # Another process published this version between the look and the rename.
            if error.errno not in (errno.EEXIST, errno.ENOTEMPTY):
                raise


def _is_version(name: str) -> bool:
    return name.isascii() and name.isdigit()


def _remove_abandoned(directory: Path) -> None:
    """Remove what killed exports left: a living one takes minutes, not a day."""
    for path in directory.glob(f"{ASIDE}*"):
        try:
            abandoned = time.time() - path.stat().st_mtime > _ABANDONED_AFTER_SECONDS
        except FileNotFoundError:
            continue  # published or removed by its owner meanwhile
        if abandoned:
            shutil.rmtree(path, ignore_errors=True)
