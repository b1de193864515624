"""Answers the files with Apache Spark, on as many machines as its cluster has.

1) Workers read the files and divide them into windows, as `run_local` does.
2) Spark spreads the windows over the cluster. Each worker loads the model once, and keeps each
   answered window as a part, on disk.
3) Workers put the parts of each file together.

A job that is started again reads the files again, but answers only windows without a part.
"""

import shutil
import tempfile
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import replace
from functools import partial
from pathlib import Path

from pyspark.sql import DataFrame, SparkSession

from textapps.batch import spark_worker
from textapps.batch.job import Job
from textapps.batch.local import Tell
from textapps.batch.parts import Parts
from textapps.batch.remote import Remote, contents
from textapps.batch.spark_errors import explained
from textapps.batch.spark_worker import DONE, FILES, WINDOWS, Work

_PARTITION_BYTES = 1 << 20  # of files: 40,000 short texts in a gzipped file, seconds of work
_MOST_PARTITIONS = 10_000
_SECONDS = 1.0  # between two looks at what has been answered


def run_spark(job: Job, files: Sequence[Path | Remote], tell: Tell, session: SparkSession) -> None:
    """Answers the files. All workers must see them and the folder of answers; the model is sent.

    Raises:
        ConfigurationError: the folder has answers of another job, or the model other inputs.
        ExportError: the model cannot be loaded by a worker.
        TextappsError: it failed, or a worker was lost too often.
    """
    job.check_folder()
    job = replace(job, output=job.output.absolute())
    files = [file.absolute() if isinstance(file, Path) else file for file in files]
    archive = f"textapps-model-{job.model_sha256[:16]}"
    keys = {str(file): job.key(file) for file in files}
    parts = {file: Parts(job.parts(file) / keys[str(file)]) for file in files}
    answered = {str(file): found for file in files if (found := parts[file].numbers())}
    work = Work(job, keys, answered, archive, str(Path.cwd()))
    # A window is up to 16 MB, a remote file 256 MB, and a worker has one at a time.
    session.conf.set("spark.sql.execution.arrow.maxRecordsPerBatch", "1")
    with tempfile.TemporaryDirectory() as folder:
        try:
            packed = shutil.make_archive(f"{folder}/{archive}", "zip", job.model)
            session.sparkContext.addArchive(f"{packed}#{archive}")
            _answer(work, [f for f in files if not parts[f].complete()], tell, session)
            joined = _listed(files, session).mapInPandas(partial(spark_worker.join, work), DONE)
            _run(joined, lambda: 0, tell)
        except Exception as error:
            raise explained(error) from error


def _answer(work: Work, files: Sequence[Path | Remote], tell: Tell, session: SparkSession) -> None:
    context = session.sparkContext
    remote = {file for file in files if isinstance(file, Remote) and file.st_size}
    given = _listed([file for file in files if file not in remote], session)
    if remote:
        given = given.union(contents(session, list(remote)))
    windows = given.mapInPandas(partial(spark_worker.read, work), WINDOWS)
    size_bytes = sum(file.stat().st_size for file in files)
    partitions = max(4 * context.defaultParallelism, size_bytes // _PARTITION_BYTES)
    spread = windows.repartition(min(partitions, _MOST_PARTITIONS), "file", "number")
    rows = context.accumulator(0)
    answered = spread.mapInPandas(partial(spark_worker.answer, work, rows), DONE)
    _run(answered, lambda: rows.value, tell)


def _listed(files: Sequence[Path | Remote], session: SparkSession) -> DataFrame:
    """A row for each file, without its content; a partition for each, so that tasks are small."""
    rows = [(str(file), file.stat().st_size, file.stat().st_mtime_ns, None) for file in files]
    partitions = max(1, min(len(rows), _MOST_PARTITIONS))
    return session.createDataFrame(session.sparkContext.parallelize(rows, partitions), FILES)


def _run(frame: DataFrame, so_far: Callable[[], int], tell: Tell) -> None:
    """Computes all rows of a frame, and tells meanwhile of those that are counted."""
    told = 0
    with ThreadPoolExecutor(1) as pool:  # so that Ctrl-C reaches this thread
        running = pool.submit(frame.write.format("noop").mode("overwrite").save)
        while True:
            done, _ = wait([running], _SECONDS)
            tell((now := so_far()) - told)
            told = now
            if done:
                running.result()
                return
