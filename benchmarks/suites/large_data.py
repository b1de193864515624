"""What training takes on a file that is larger than memory: the first start, and a second one.

The file is a table of made-up texts, or one such text for `generate`. Phrases are drawn from a pool
by Zipf's law, so that words and n-grams are about as often new as in natural texts. Each start is a
process of its own, which begins a training by `lifecycle.train` as the command line does, and is
stopped after some steps.
"""

import contextlib
import json
import os
import resource
import shutil
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import Field

from benchmarks import processes
from benchmarks.benchmark import Benchmark, Context
from benchmarks.results import Figures
from textapps.cache.place import CACHE_VARIABLE, FROM_VARIABLE, LIMIT_VARIABLE
from textapps.cli.tensorflow_start import prepare_tensorflow
from textapps.core.memory import keep_freed_memory
from textapps.training.progress import NoProgress

STARTS = ("first", "second")
POOL = 300_000  # phrases
VOCABULARY = 400_000  # words
PHRASES = 40  # of a text, on average
LABELS = ("neg", "pos")


class LargeData(Benchmark):
    task: str
    megabytes: float = Field(description="size of the file, in millions of bytes")
    preset: str = Field(description="of the task")
    steps: int = Field(description="after which a training is stopped")

    def measure(self, context: Context) -> Figures:
        folder = (context.work / self.name).absolute()
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        try:
            source = folder / ("table.csv" if self.task == "sentiment" else "text.txt")
            rows = write_rows(source, int(self.megabytes * 1e6))
            starts = {name: self._start(source, name) for name in STARTS}
            cached = sum(path.stat().st_size for path in folder.glob("cache/**/*"))
            return {
                "task": self.task,
                "preset": self.preset,
                "megabytes": self.megabytes,
                "rows": rows,
                "steps": self.steps,
                "cache_mb": round(cached / 1e6),
                "starts": starts,
            }
        finally:
            shutil.rmtree(folder)

    def _start(self, source: Path, name: str) -> Figures:
        found = source.with_name(f"{name}.json")
        words = (self.task, str(source), self.preset, str(self.steps), str(found), str(time.time()))
        done = processes.run([sys.executable, "-m", __name__, *words])
        return {**json.loads(found.read_text()), "cpu_seconds": round(done.cpu_seconds, 1)}


def write_rows(path: Path, size_bytes: int, seed: int = 0) -> int:
    """Writes about so many bytes, the same each time; returns the number of texts."""
    rows = 0
    with path.open("w", encoding="utf-8") as file:
        table = path.suffix == ".csv"
        file.write("label,text\n" if table else "")
        for label, text in _texts(np.random.default_rng(seed)):
            file.write(f"{label},{text}\n" if table else f"{text}\n")
            rows += 1
            if file.tell() >= size_bytes and rows > 100:  # every split has both classes
                return rows
    raise AssertionError


def _texts(draw: np.random.Generator) -> Iterator[tuple[str, str]]:
    letters = np.array(list("etaoinshrdlucmfwypvbgk"))
    lengths = draw.integers(2, 10, VOCABULARY)
    drawn = "".join(letters[draw.integers(0, len(letters), lengths.sum())])
    ends = np.cumsum(lengths).tolist()
    words = [drawn[end - length : end] for end, length in zip(ends, lengths.tolist(), strict=True)]
    chosen = _zipf(draw, VOCABULARY, POOL * 6).tolist()
    pool = [
        " ".join(words[word] for word in chosen[6 * n : 6 * n + 2 + n % 5]) for n in range(POOL)
    ]
    while True:
        counts = draw.integers(PHRASES // 2, 3 * PHRASES // 2, 1_000)
        phrases = iter(_zipf(draw, POOL, int(counts.sum())).tolist())
        for number, count in enumerate(counts.tolist()):
            label = LABELS[number % 2]
            own = [pool[next(phrases)] for _ in range(count)]
            yield label, " . ".join([*own, f"a {'dull' if number % 2 == 0 else 'fine'} film"])


def _zipf(draw: np.random.Generator, size: int, count: int) -> np.ndarray[Any, Any]:
    """int64[count] below `size`: n is drawn in proportion to 1 / (n + 3)."""
    bounds = np.cumsum(1 / np.arange(3, size + 3))
    found: np.ndarray[Any, Any] = np.searchsorted(bounds, draw.random(count) * bounds[-1])
    return found


class Stopped(Exception):
    """Training has done its steps."""


class FirstSteps(NoProgress):
    """Says when the first step was done, and ends training after some steps."""

    def __init__(self, steps: int) -> None:
        self.first: float | None = None
        self._steps = steps

    def update(self, step: int, logs: Mapping[str, float], examples: int) -> None:
        self.first = self.first or time.time()
        if step >= self._steps:
            raise Stopped


def main(name: str, source: str, preset: str, steps: str, found: str, begun: str) -> None:
    """One start: writes when the first step was done, and the peak of memory."""
    place = Path(source).parent
    settings = {CACHE_VARIABLE: f"{place}/cache", FROM_VARIABLE: "0", LIMIT_VARIABLE: "1000"}
    before = {name: os.environ.get(name) for name in settings}
    os.environ.update(settings)
    try:
        if "tensorflow" not in sys.modules:  # in the tests it is
            prepare_tensorflow()
            keep_freed_memory()
        from textapps.tasks import lifecycle
        from textapps.tasks.registry import get_task

        task: Any = get_task(name)
        config = task.presets.resolve(flags={"preset": preset, "data.source": source})
        progress = FirstSteps(int(steps))
        with contextlib.suppress(Stopped):
            lifecycle.train(task, config, place / "models", progress)
    finally:
        for variable, value in before.items():
            os.environ.pop(variable)
            if value is not None:
                os.environ[variable] = value
    assert progress.first is not None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // processes.MEGABYTE
    figures = {"seconds": round(progress.first - float(begun), 1), "peak_memory_mb": peak}
    Path(found).write_text(json.dumps(figures))


if __name__ == "__main__":
    main(*sys.argv[1:])
