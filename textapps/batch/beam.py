"""Answers the files with Apache Beam, on as many machines as its runner has.

RunInference is given windows of rows, divided and answered as `run_local` does it, so the answers
are the same. Every worker must see the files, the model and the folder of answers under the same
paths.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import apache_beam as beam
from apache_beam.ml.inference.base import ModelHandler, RunInference
from apache_beam.options.pipeline_options import PipelineOptions

from textapps.batch.job import Job
from textapps.batch.model import Answered, BatchModel
from textapps.batch.windows import Window, read_windows
from textapps.core.errors import ConfigurationError

# Files are grouped by their number: Dask divides strings by a hash that differs between processes.
Asked = tuple[int, str, Window]
Answers = tuple[int, tuple[str, Answered]]


class SavedModelHandler(ModelHandler[Asked, Answers, BatchModel]):
    """What RunInference needs to know of a job's model."""

    def __init__(self, job: Job) -> None:
        self._job = job

    def load_model(self) -> BatchModel:
        """Load the model, once in each process."""
        return BatchModel(self._job.model, self._job.kind, self._job.batch_size)

    def run_inference(
        self,
        batch: Sequence[Asked],
        model: BatchModel,
        inference_args: dict[str, Any] | None = None,
    ) -> Iterator[Answers]:
        """The number, the file and the answers of each window."""
        for number, file, window in batch:
            yield number, (file, model.answer(window, Path(file).name))

    def should_skip_batching(self) -> bool:
        """Windows come one by one: the model divides each into batches.

        Beam's own batches lose their last element with the runner of Dask, in Beam 2.77.
        """
        return True


def run_beam(job: Job, files: Sequence[Path], options: Sequence[str]) -> None:
    """Answers the files in a pipeline with these options of Beam, and waits for its end.

    One worker holds all compressed answers to a file in memory.

    Raises:
        ConfigurationError: Beam refuses the options.
    """
    try:
        begun = beam.Pipeline(options=PipelineOptions(list(options)))
    except ValueError as error:
        raise ConfigurationError(f"options of Beam: {error}") from None
    keys = {str(file): job.key(file) for file in files}
    with begun as pipeline:
        (
            pipeline
            | "Files" >> beam.Create([(number, str(file)) for number, file in enumerate(files)])
            | "SpreadFiles" >> beam.Reshuffle()
            | "Read" >> beam.FlatMap(partial(_read, job))
            | "SpreadWindows" >> beam.Reshuffle()
            | "Answer" >> RunInference(SavedModelHandler(job))
            | "Name" >> beam.Map(lambda pair: pair).with_output_types(tuple[int, Any])
            | "Gather" >> beam.GroupByKey()
            | "Write" >> beam.Map(partial(_write, job, keys))
        )


def _read(job: Job, numbered: tuple[int, str]) -> Iterator[list[Asked]]:
    number, file = numbered
    windows = read_windows(Path(file), job.kind, job.column, job.reading, None, job.keep_columns)
    for window in windows:
        yield [(number, file, window)]


def _write(
    job: Job, keys: Mapping[str, str], gathered: tuple[int, Iterable[tuple[str, Answered]]]
) -> None:
    """Writes the answers to a file, unless it has changed since the job began."""
    _, named = gathered
    answered = sorted(named, key=lambda pair: pair[1].number)
    file, _ = answered[0]
    if job.key(Path(file)) == keys[file]:
        job.write(Path(file), [window for _, window in answered])
