"""What `textapps serve` makes of models that it does not know and of requests that cost much.

Models whose rows depend on each other must not share calls, and a large body or answer must not
keep the server from answering others.
"""

import json
import multiprocessing
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from functools import partial
from http.client import HTTPConnection
from pathlib import Path

import numpy as np
import uvloop
from pydantic import Field

from benchmarks import processes
from benchmarks.benchmark import Benchmark, Context
from benchmarks.results import Figures
from benchmarks.suites import served
from benchmarks.suites.load import Question, Tally, ask_all

Numbers = np.ndarray

# What the models of benchmarks/counterparts/foreign_models.py answer.
DEPENDENT: dict[str, Callable[[Numbers], Numbers]] = {
    "deviation": lambda number: number - number.mean(),
    "rank": lambda number: number.argsort(kind="stable").argsort(kind="stable"),
    "running-sum": np.cumsum,
    "reverse": lambda number: number[::-1],
    "share": lambda number: np.exp(number - number.max()) / np.exp(number - number.max()).sum(),
}
MOST_NUMBERS = 120  # of a request: more than share a call
WATCHED_EVERY_SECONDS = 0.01


def foreign_models(work: Path) -> Path:
    """A directory of the models, which are written if they are not there."""
    directory = work / "serving" / "foreign"
    if not directory.is_dir():
        module = "benchmarks.counterparts.foreign_models"
        processes.run([sys.executable, "-m", module, str(directory)], quiet=True)
    return directory


class Dependent(Benchmark):
    """Many ask models whose rows depend on each other, each about a batch of its own."""

    requests: int = Field(description="to each model")
    connections: int = Field(description="that ask at the same time")

    def measure(self, context: Context) -> Figures:
        tallies = {}
        with served.textapps_server(foreign_models(context.work)) as server:
            for name in DEPENDENT:
                questions = list(about_numbers(name, self.requests))
                tallies[name] = uvloop.run(ask_all(server.port, questions, self.connections))
        return {
            **self.model_dump(include={"requests", "connections"}),
            "models": {name: tally.figures() for name, tally in tallies.items()},
            "wrong": sum(len(tally.wrong) for tally in tallies.values()),
            "first_wrong": [each for tally in tallies.values() for each in tally.wrong][:5],
        }


def about_numbers(name: str, number: int) -> Iterator[Question]:
    """Questions to a dependent model, with its answers."""
    draw = np.random.default_rng(0)
    for size in draw.integers(1, MOST_NUMBERS, number, endpoint=True):
        given = (draw.integers(-99, 99, size) / 8).astype(np.float32)
        body = json.dumps({"instances": given.tolist()}).encode()
        right = partial(_is_close, DEPENDENT[name](given))
        yield Question(f"/v1/models/{name}:predict", body, right)


def _is_close(expected: Numbers, status: int, body: bytes) -> bool:
    if status != 200:
        return False
    found = json.loads(body)["predictions"]
    return len(found) == len(expected) and np.allclose(found, expected, rtol=1e-4, atol=1e-3)


class Health(Benchmark):
    """The time to an answer of /health/live while others send and fetch as much as they may."""

    at_once: int = Field(description="large requests at the same time")
    rounds: int = Field(description="how often each of them is sent again")
    megabytes: float = Field(description="size of a body")
    floats: int = Field(description="size of an answer")

    def measure(self, context: Context) -> Figures:
        found = {}
        with served.textapps_server(foreign_models(context.work)) as server:
            for name, question in large(round(self.megabytes * 2**20), self.floats).items():
                found[name] = self._watched(server.port, question)
        return {
            **self.model_dump(include={"at_once", "rounds", "megabytes", "floats"}),
            "kinds": found,
            "wrong": sum(figures["wrong"] for figures in found.values()),
        }

    def _watched(self, port: int, question: Question) -> Figures:
        """The load has a process of its own, so that the watch does not wait for it."""
        context = multiprocessing.get_context("spawn")
        with ProcessPoolExecutor(1, mp_context=context) as pool:
            questions = [question] * (self.at_once * self.rounds)
            load = pool.submit(_load, port, questions, self.at_once)
            seconds = watch(port, load)
            tally = load.result()
        health = Tally(taken=seconds)
        return {
            "health_answers": len(seconds),
            "health_p50_ms": round(health.percentile_ms(0.5), 2),
            "health_p99_ms": round(health.percentile_ms(0.99), 2),
            "health_most_ms": round(health.percentile_ms(1), 2),
            "statuses": {str(status): count for status, count in sorted(tally.statuses.items())},
            "wrong": len(tally.wrong),
        }


def large(body_bytes: int, floats: int) -> dict[str, Question]:
    """Requests that take long to read, to answer or to write."""

    def repeated(start: bytes, piece: bytes, end: bytes) -> bytes:
        return start + piece * ((body_bytes - len(start) - len(end)) // len(piece)) + end

    bodies = {
        "numbers": (
            "totals:predict",
            repeated(b'{"instances": [', b"[0.5,1,2],", b"[1,2,3]]}"),
            200,
        ),
        "texts": ("lengths:predict", repeated(b'{"instances": [', b'"a",', b'"a"]}'), 200),
        "brackets": ("lengths:predict", repeated(b'{"instances": [', b"[],", b"[]]}"), 400),
        "nested": ("lengths:predict", repeated(b"", b"[", b""), 400),
        "stream": ("lengths:stream", repeated(b'{"instances": [', b"[],", b"[]]}"), 400),
        "answers": ("zeros:predict", b'{"instances": [%d]}' % floats, 200),
    }
    return {
        name: Question(f"/v1/models/{path}", body, partial(_is, status))
        for name, (path, body, status) in bodies.items()
    }


def _is(expected: int, status: int, body: bytes) -> bool:
    # The queue of a model holds so much and no more; others are asked to try again.
    return status == expected or (status == 503 and b"try again" in body)


def _load(port: int, questions: list[Question], connections: int) -> Tally:
    return uvloop.run(ask_all(port, questions, connections))


def watch(port: int, load: Future[Tally]) -> list[float]:
    """Seconds to each answer of /health/live, until the load has ended."""
    seconds = []
    connection = HTTPConnection("127.0.0.1", port, timeout=60)
    while not load.done():
        begin = time.perf_counter()
        connection.request("GET", "/health/live")
        assert connection.getresponse().read() == b'{"status":"live"}'
        seconds.append(time.perf_counter() - begin)
        time.sleep(WATCHED_EVERY_SECONDS)
    connection.close()
    return seconds


class Many(Benchmark):
    """The start of a server of many small models: copies of one export."""

    models: int = Field(description="how many")

    def measure(self, context: Context) -> Figures:
        export = served.prepare(context.work) / "gru" / "1"
        directory = context.work / "serving" / "many"
        for number in range(self.models):
            path = directory / f"model-{number}" / "1"
            if not path.is_dir():
                served.publish(export, path)
        with served.textapps_server(directory) as server:
            return {
                "models": len(list(directory.iterdir())),
                "seconds_to_ready": round(server.seconds_to_ready, 2),
                "cpu_seconds_to_ready": round(server.cpu_seconds(), 2),
                "idle_memory_mb": server.memory_mb(),
            }
