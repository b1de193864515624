"""What the Python workers of Spark do: read files, answer windows, put answers together.

Each function maps frames to frames, as `DataFrame.mapInPandas` wants it. Any of them may be called
again for the same rows, after an executor was lost or a job was started again: what is done by then
is not done twice.
"""

import contextlib
import os
import pickle
import tempfile
from collections.abc import Iterator, Mapping, Set
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from textapps.batch.job import Job, Source
from textapps.batch.model import BatchModel
from textapps.batch.parts import Parts
from textapps.batch.remote import Remote, is_remote
from textapps.batch.windows import Window, read_windows
from textapps.core.errors import TextappsError

if TYPE_CHECKING:
    import pandas

FILES = "file string, bytes long, modified_ns long, content binary"  # None but of a remote file
WINDOWS = "file string, number int, window binary"
DONE = "rows int"


class Work(NamedTuple):
    """What all workers are told.

    job: with absolute paths, which all workers see; its model is not used
    keys: what the parts of each file are made from
    answered: the windows of each file that were answered before; of those that are answered
        meanwhile none, so that a file that is read twice gives the same windows, as Spark requires
    archive: the name of the model among the files that Spark has shipped
    folder: the current folder of the command, which paths in lists of recordings begin at
    """

    job: Job
    keys: Mapping[str, str]
    answered: Mapping[str, Set[int]]
    archive: str
    folder: str


def read(work: Work, frames: Iterator["pandas.DataFrame"]) -> Iterator["pandas.DataFrame"]:
    """The windows of the files that are not answered yet, one by one: they may be large."""
    import pandas as pd

    job = work.job
    _check_folder(work)
    for file, size_bytes, modified_ns, content in _rows(frames):
        source = _source(file, size_bytes, modified_ns)
        key = job.key(source)
        parts = Parts(job.parts(source) / key)
        if key != work.keys[file]:
            continue
        answered, windows = work.answered.get(file, frozenset()), 0
        with _inside(work.folder):
            for window in _windows(job, source, content):
                windows += 1
                if window.number not in answered:
                    packed = pickle.dumps(window)
                    row = {"file": [file], "number": [window.number], "window": [packed]}
                    yield pd.DataFrame(row)
        parts.end(windows)


def _windows(job: Job, source: Source, content: bytes | None) -> Iterator[Window]:
    how = (job.kind, job.column, job.reading, None, job.keep_columns)
    if isinstance(source, Path):
        yield from read_windows(source, *how)
        return
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / source.name
        path.write_bytes(content or b"")
        for window in read_windows(path, *how):
            yield window._replace(broken=window.broken.replace(str(path), str(source)))


def answer(
    work: Work, told: Any, frames: Iterator["pandas.DataFrame"]
) -> Iterator["pandas.DataFrame"]:
    """Answers windows and keeps the answers as parts; `told` is an accumulator of rows."""
    import pandas as pd

    _check_folder(work)
    for file, _, packed in _rows(frames):
        window = pickle.loads(packed)
        parts = _parts(work, file)
        if window.number not in parts.numbers():
            model = _model(work.archive, work.job.kind, work.job.batch_size)
            parts.add(model.answer(window, _source(file, 0, 0).name))
        told.add(len(window.rows))
        yield pd.DataFrame({"rows": [len(window.rows)]})


def join(work: Work, frames: Iterator["pandas.DataFrame"]) -> Iterator["pandas.DataFrame"]:
    """Writes the answers to each file, all of whose windows are answered.

    A file that has changed since it was listed stays without answers, and `run_batch` says so.
    """
    import pandas as pd

    job = work.job
    _check_folder(work)
    for file, size_bytes, modified_ns, _ in _rows(frames):
        source = _source(file, size_bytes, modified_ns)
        parts = _parts(work, file)
        if job.key(source) == work.keys[file] and job.finished(source) is None and parts.complete():
            yield pd.DataFrame({"rows": [job.write(source, parts).rows]})


def _source(file: str, size_bytes: int, modified_ns: int) -> Path | Remote:
    return Remote(file, size_bytes, modified_ns) if is_remote(file) else Path(file)


def _rows(frames: Iterator["pandas.DataFrame"]) -> Iterator[tuple[Any, ...]]:
    for frame in frames:
        yield from frame.itertuples(index=False, name=None)


def _parts(work: Work, file: str) -> Parts:
    return Parts(work.job.parts(_source(file, 0, 0)) / work.keys[file])


def _check_folder(work: Work) -> None:
    if not work.job.folders[-1].is_dir():
        raise TextappsError(
            f"a worker of Spark does not see {work.job.output}: --output needs a folder on a disk "
            "that all machines share"
        )


def _inside(folder: str) -> contextlib.AbstractContextManager[None]:
    """Within it, relative paths in a list begin at the folder, if this machine has it."""
    return contextlib.chdir(folder) if Path(folder).is_dir() else contextlib.nullcontext()


@cache
def _model(archive: str, kind: str, batch_size: int) -> BatchModel:
    """The shipped model, loaded once in each worker, with as many threads as a task has cores."""
    from pyspark import SparkFiles, TaskContext

    task = TaskContext.get()
    cores = str(task.cpus() if task else 1)
    for name in ("TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS"):
        os.environ.setdefault(name, cores)  # TensorFlow reads them when it starts
    return BatchModel(Path(SparkFiles.get(archive)), kind, batch_size)
