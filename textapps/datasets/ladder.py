"""From the value of `--data` to a source, for every kind of example."""

import difflib
from collections.abc import Callable
from pathlib import Path
from typing import Generic, NamedTuple, TypeVar

from textapps.core.errors import DataError
from textapps.datasets.formats.registry import ending_of
from textapps.datasets.prepared import default_data_dir, find_prepared, is_set_name
from textapps.datasets.tfds import PreparedSet, download

S = TypeVar("S")


class Rungs(NamedTuple, Generic[S]):
    """How a kind of example opens each kind of source."""

    sample: Callable[[], S]
    file: Callable[[Path], S]
    folder: Callable[[Path], S]
    prepared: Callable[[PreparedSet], S]


def open_source(source: str, data_dir: str | None, rungs: Rungs[S]) -> S:
    """Open the source that a name or path stands for.

    1) `sample` is the bundled sample. 2) A folder is a prepared set or a folder of files. 3) A file
    is read. 4) Any other name is a set of TensorFlow Datasets, prepared in `data_dir` (default:
    `default_data_dir()`) or downloaded. DataError if it is none of these.
    """
    if source == "sample":
        return rungs.sample()
    path = Path(source).expanduser()
    if path.is_dir():
        folder = path.absolute()
        if found := find_prepared(folder.name, folder.parent):
            return rungs.prepared(PreparedSet(found.directory, str(found)))
        return rungs.folder(path)
    if path.exists():
        return rungs.file(path)
    if source.startswith((".", "/", "~")) or ending_of(path) or not is_set_name(source):
        raise no_file(path)
    place = Path(data_dir).expanduser() if data_dir else default_data_dir()
    found = find_prepared(source, place)
    directory = found.directory if found else download(source, place)
    return rungs.prepared(PreparedSet(directory, source))


def no_file(path: Path) -> DataError:
    """The error for a path that does not exist, with a suggestion."""
    if not path.parent.is_dir():
        return DataError(f"no such file or folder: {path} (there is no folder {path.parent})")
    near = difflib.get_close_matches(path.name, [one.name for one in path.parent.iterdir()], n=1)
    hint = f"; did you mean '{path.parent / near[0]}'?" if near else ""
    return DataError(f"no such file or folder: {path}{hint}")
