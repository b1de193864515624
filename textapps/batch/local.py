"""Answers file after file in this process, and reads the next window while one is computed."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from pathlib import Path

from textapps.batch.job import Job
from textapps.batch.model import Answered, BatchModel
from textapps.batch.windows import Window, read_windows

Tell = Callable[[int], None]
"""Called with the number of rows of each window that has been answered."""


def run_local(job: Job, files: Sequence[Path], tell: Tell) -> None:
    """Answers the files. Memory holds two windows at most, however long a file is.

    Raises:
        ConfigurationError: the model has other inputs or outputs.
        ExportError: it cannot be loaded.
        TextappsError: it failed, through no fault of the rows.
    """
    model = BatchModel(job.model, job.kind, job.batch_size)
    told: set[str] = set()

    def answers(file: Path, reader: Executor) -> Iterator[Answered]:
        windows = read_windows(file, job.kind, job.column, job.reading, told, job.keep_columns)
        for window in _ahead(windows, reader):
            yield model.answer(window, file.name)
            tell(len(window.rows))

    with ThreadPoolExecutor(1, thread_name_prefix="reader") as reader:
        for file in files:
            job.write(file, answers(file, reader))


def _ahead(windows: Iterator[Window], reader: Executor) -> Iterator[Window]:
    coming = reader.submit(next, windows, None)
    while (window := coming.result()) is not None:
        coming = reader.submit(next, windows, None)
        yield window
