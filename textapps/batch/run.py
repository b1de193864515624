"""Batch inference from files to files, in this process, with Beam or with Spark."""

import contextlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from textapps.batch.inputs import check_names
from textapps.batch.job import Job, Source
from textapps.core.counted import counted
from textapps.core.errors import DataError
from textapps.core.files import remove_leftovers

S = TypeVar("S", bound=Source)


@dataclass(frozen=True)
class Summary:
    """The number of rows, bad rows and files, and of files that were finished before.

    `long_rows` are good ones that the model does not read whole.
    """

    rows: int
    bad_rows: int
    files: int
    finished_before: int
    long_rows: int = 0


def run_batch(job: Job, files: Sequence[S], runner: Callable[[Job, Sequence[S]], None]) -> Summary:
    """Answers the files that are not finished with `runner`; an output is complete or absent.

    Only one call at a time may write into the folder of answers.

    Raises:
        ConfigurationError: two files share an output, or one is an output.
        DataError: files could not be read to their end (all others are finished), or no row of
            any file is good.
    """
    check_names(files, job)
    for folder in job.folders:
        folder.mkdir(parents=True, exist_ok=True)
        remove_leftovers(folder)
    left = [file for file in files if job.finished(file) is None]
    if left:
        runner(job, left)
        for folder in job.folders:
            remove_leftovers(folder)  # of workers that were killed
        with contextlib.suppress(OSError):  # not empty, or not there
            job.parts_folder.rmdir()
    records = [(file, job.record(file)) for file in files]
    problems = [
        record.broken if record else f"{file}: was changed while it was read; start again"
        for file, record in records
        if record is None or record.broken
    ]
    if problems:
        more = f" (and {counted(len(problems) - 1, 'more file')})" if len(problems) > 1 else ""
        raise DataError(problems[0] + more)
    whole = [record for _, record in records if record]
    rows, bad_rows = sum(r.rows for r in whole), sum(r.bad_rows for r in whole)
    if rows and rows == bad_rows:
        raise DataError(f"no good row among {counted(rows, 'row')}: {job.folders[1]} says why")
    long_rows = sum(record.long_rows for record in whole)
    return Summary(rows, bad_rows, len(files), len(files) - len(left), long_rows)
