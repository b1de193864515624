"""Answers the files with Apache Beam, on as many machines as its runner has.

RunInference is given windows of rows, divided and answered as `run_local` does it, so the answers
are the same. Every worker must see the files, the model and the folder of answers under the same
paths.
"""

from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import apache_beam as beam
from apache_beam.ml.inference.base import ModelHandler, RunInference
from apache_beam.options.pipeline_options import PipelineOptions

from textapps.batch.job import Job
from textapps.batch.model import Answered, BatchModel
from textapps.batch.windows import Window, read_windows

Asked = tuple[str, Window]
Answers = tuple[str, Answered]


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
        """The file and the answers of each window."""
        for file, window in batch:
            yield file, model.answer(window, Path(file).name)

    def batch_elements_kwargs(self) -> dict[str, Any]:
        """Pass windows one by one: the model divides each into batches."""
        return {"min_batch_size": 1, "max_batch_size": 1}


def run_beam(job: Job, files: Sequence[Path], options: Sequence[str]) -> None:
    """Answers the files in a pipeline with these options of Beam, and waits for its end.

    One worker holds all compressed answers to a file in memory.
    """
    with beam.Pipeline(options=PipelineOptions(list(options))) as pipeline:
        (
            pipeline
            | "Files" >> beam.Create([str(file) for file in files])
            | "SpreadFiles" >> beam.Reshuffle()
            | "Read" >> beam.FlatMap(partial(_read, job)).with_output_types(tuple[str, Any])
            | "SpreadWindows" >> beam.Reshuffle()
            | "Answer" >> RunInference(SavedModelHandler(job))
            | "Name" >> beam.Map(lambda pair: pair).with_output_types(tuple[str, Any])
            | "Gather" >> beam.GroupByKey()
            | "Write" >> beam.Map(partial(_write, job))
        )


def _read(job: Job, file: str) -> Iterator[Asked]:
    for window in read_windows(Path(file), job.kind, job.column, job.reading):
        yield file, window


def _write(job: Job, gathered: tuple[str, Iterable[Answered]]) -> None:
    file, windows = gathered
    job.write(Path(file), sorted(windows, key=lambda window: window.number))
