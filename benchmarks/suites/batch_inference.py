"""How many short texts a second whole files are answered at, beside one call for each text.

A small classifier of the bundled sample is trained and exported first. `textapps sentiment predict
--output` then answers made-up texts of 3 to 30 words, in a process of its own, whose memory is
measured; its start counts. In another process the same export answers a sample of the rows one by
one; there the start is left out.
"""

import gzip
import itertools
import json
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from random import Random
from statistics import median

from pydantic import Field

from benchmarks import processes
from benchmarks.benchmark import Benchmark, Context
from benchmarks.results import Figures
from benchmarks.sides import interleave, opened
from benchmarks.suites.served import WORDS
from benchmarks.trainings import exported, sample

ROWS_IN_A_FILE = 100_000
LENGTHS = (3, 30)  # words of a text
ONE_BY_ONE = {"one by one": "benchmarks.suites.batch_inference:one_by_one"}
NUMBERS = ("probability", "scores")


class BatchInference(Benchmark):
    rows: int = Field(description="texts to answer")
    alone: int = Field(description="of them one by one")
    rounds: int = Field(description="how often each side answers")

    def measure(self, context: Context) -> Figures:
        work = context.work / self.name
        made = sorted(work.glob("exported/sentiment/*"), key=lambda path: int(path.name))
        export = made[-1] if made else exported(sample("sentiment", "gru", context.work), work)
        files = write_texts(work / "texts", self.rows)
        alone = min(self.alone, self.rows)

        def whole_files(_: None) -> tuple[float, int]:
            answers = work / "answers"
            shutil.rmtree(answers, ignore_errors=True)
            places = ("--input", str(files[0].parent / "part-*"), "--output", str(answers))
            asked = ("predict", "--model", str(export), *places, "--quiet")
            done = processes.textapps("sentiment", *asked)
            files_of_answers = answers.glob("*.jsonl.gz")
            answered = sum(gzip.decompress(f.read_bytes()).count(b"\n") for f in files_of_answers)
            if answered != self.rows:
                raise RuntimeError(f"{answered:,} answers to {self.rows:,} rows")
            return done.seconds, done.peak_memory_mb

        def single_texts(_: None) -> tuple[float, int]:
            with opened(ONE_BY_ONE, export=str(export), file=str(files[0])) as (asks, _left_out):
                return asks["one by one"](alone), 0

        sides = {"one by one": single_texts, "whole": whole_files}
        (taken,) = interleave(sides, [None], self.rounds)
        seconds = {side: [each for each, _ in found] for side, found in taken.items()}
        batched = self.rows / median(seconds["whole"])
        single = alone / median(seconds["one by one"])
        return {
            "model": "sentiment, preset small, gru",
            "rows": self.rows,
            "words_in_a_text": LENGTHS,
            "files": len(files),
            "seconds": [round(each, 1) for each in seconds["whole"]],
            "rows_per_second": round(batched, 1),
            "peak_memory_mb": max(memory for _, memory in taken["whole"]),
            "one_by_one": {
                "rows": alone,
                "seconds": [round(each, 2) for each in seconds["one by one"]],
                "rows_per_second": round(single, 1),
            },
            "times_one_by_one": round(batched / single, 2),
        }


def write_texts(
    folder: Path, rows: int, rows_in_a_file: int = ROWS_IN_A_FILE, seed: int = 0
) -> list[Path]:
    """Files of made-up texts, the same each time."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    draw, words = Random(seed), WORDS.split()
    for number, start in enumerate(range(0, rows, rows_in_a_file)):
        with gzip.open(folder / f"part-{number:05}.jsonl.gz", "wt", compresslevel=1) as file:
            for _ in range(min(rows_in_a_file, rows - start)):
                text = " ".join(draw.choices(words, k=draw.randint(*LENGTHS)))
                file.write(json.dumps({"text": text}) + "\n")
    return sorted(folder.iterdir())


def one_by_one(export: str, file: str) -> Callable[[int], float]:
    """A side that reads, asks and writes so many rows, each by itself; gives the seconds."""
    import tensorflow as tf

    model = tf.saved_model.load(export)
    model.signatures["serving_default"](text=tf.constant(["warm up"]))

    def ask(rows: int) -> float:
        signature = model.signatures["serving_default"]
        with gzip.open(file, "rt", encoding="utf-8") as lines, gzip.open("/dev/null", "wt") as out:
            start = time.perf_counter()
            for index, line in enumerate(itertools.islice(lines, rows)):
                text = json.loads(line)["text"]
                found = signature(text=tf.constant([text]))
                answer = {name: found[name].numpy()[0].tolist() for name in NUMBERS}
                answer |= {"label": found["label"].numpy()[0].decode()}
                out.write(json.dumps({"index": index, "input": text, **answer}) + "\n")
            return time.perf_counter() - start

    return ask
