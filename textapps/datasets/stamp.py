"""A quick sign that files have changed, for which none of them is read."""

import hashlib
import os
from collections.abc import Iterable, Iterator
from itertools import chain
from pathlib import Path

from textapps.datasets.config import SEVERAL, SourceConfig


def training_files(config: SourceConfig) -> tuple[Path, ...]:
    """The files and folders that training and validation read; none if the source is a set."""
    several = chain.from_iterable(getattr(config, key, ()) for key in SEVERAL)
    names = (config.validation_source, *several)
    others = (Path(name).expanduser() for name in names if name and name != "sample")
    return (*config.files, *filter(Path.exists, others)) if config.files else ()


def stamp_of(paths: Iterable[Path]) -> str:
    """sha256 (64 hexadecimal digits) over names, sizes and times of all files; "" for none.

    As with `make` and `rsync`, files that have the same size and modification time as before count
    as unchanged. The reverse does not hold: a copy has another time and the same content.

    Args:
        paths: files, and folders with all files below them.
    """
    lines = []
    for file in sorted(_files(paths)):
        try:
            found = file.stat()
        except OSError:  # a file that is missing is told from one that is there
            lines.append(f"{file}\0")
            continue
        lines.append(f"{file}\0{found.st_size}\0{found.st_mtime_ns}")
    content = "\n".join(lines).encode("utf-8", "surrogateescape")
    return hashlib.sha256(content).hexdigest() if lines else ""


def _files(paths: Iterable[Path]) -> Iterator[Path]:
    for path in paths:
        if not path.is_dir():
            yield path
        for folder, _, names in os.walk(path):
            yield from (Path(folder, name) for name in names)
