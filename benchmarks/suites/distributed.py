"""What distribution costs on one machine, and how far training would scale over many."""

import json
import math
import os
import subprocess
import time
from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from itertools import product
from pathlib import Path
from statistics import median

from pydantic import Field

from benchmarks import processes
from benchmarks.benchmark import Benchmark, Context, Measurement, Trained
from benchmarks.results import Figures, Results
from benchmarks.sides import interleave
from benchmarks.trainings import Training, history
from textapps.cli.commands.launch import free_ports

WORKERS = (8, 64, 512)
# bits a second, and seconds that a piece takes on its way even if it is empty
NETWORKS = {"10 Gbit/s": (10e9, 50e-6), "100 Gbit/s": (100e9, 10e-6)}
DEVICES = {"as measured": 1, "50 times as fast": 50}
ENOUGH = 0.8
HEADING = (
    "| network | device | workers | all-reduce, ms | efficiency, 16 rows a worker | "
    "128 rows | rows a worker for 80 % | global batch |"
)

Cores = Sequence[int]


class Distributed(Trained):
    """Two processes of one core each beside one process of two cores.

    Both sides train the same model on the same batches, in turn for each repeat. Counted are the
    training steps after the first interval, in which the graph is traced; reading, validation and
    checkpoints are not.
    """

    backbone: str = Field(description="of the model")
    repeats: int = Field(description="of each side")
    epochs: int = Field(description="of training")
    interval: int = Field(description="steps between measurements")

    def measure(self, context: Context) -> Figures:
        steps = {"training.epochs": self.epochs, "training.checkpoint_steps": self.interval}
        training = self.training(context, "sentiment", self.backbone, steps)
        folder = context.work / self.name
        cores = sorted(os.sched_getaffinity(0))[:2]
        shares = {"one process": [cores], "two processes": [[core] for core in cores]}
        sides = {name: partial(self.rate, training, each, folder) for name, each in shares.items()}
        (measured,) = interleave(sides, [None], self.repeats)
        size = {"batch_size": training.config().training.batch_size}
        known = self.model_dump(include={"data", "preset", "backbone"})
        return {**known, **size, **summary(measured)}

    def rate(self, training: Training, shares: Sequence[Cores], folder: Path, _: None) -> float:
        """Examples a second of a training by a process for each share of the cores."""
        models_dir = folder / str(time.time_ns())
        train_together(training.command(models_dir), shares)
        found = rate(history(models_dir, "sentiment"), training.config().training.batch_size)
        print(f"{len(shares)} processes: {found:.1f} examples/s", flush=True)
        return found


def train_together(command: Sequence[str], shares: Sequence[Cores]) -> None:
    """Runs the command in a process for each share of the cores, as one cluster."""
    hosts = [f"127.0.0.1:{port}" for port in free_ports(len(shares))]
    workers = []
    for index, cores in enumerate(shares):
        task = {"cluster": {"worker": hosts}, "task": {"type": "worker", "index": index}}
        environ = {
            "TF_NUM_INTRAOP_THREADS": str(len(cores)),
            "TF_CONFIG": json.dumps(task) if len(shares) > 1 else "",
        }
        workers.append(processes.start(command, environ=environ, cores=cores))
    for worker in workers:
        if worker.wait():
            for other in workers:
                other.terminate()
            raise subprocess.CalledProcessError(worker.returncode, command)


def rate(rows: Sequence[Mapping[str, float]], batch_size: int) -> float:
    """Examples a second from the end of the first interval to that of the last whole one."""
    last = rows[-2] if len(rows) > 2 else rows[-1]  # the last may have a smaller batch
    steps, seconds = last["step"] - rows[0]["step"], last["seconds"] - rows[0]["seconds"]
    return steps * batch_size / seconds


def summary(measured: Mapping[str, Sequence[float]]) -> Figures:
    medians = {side: median(rates) for side, rates in measured.items()}
    return {
        "examples_per_second": {
            side: {"median": round(medians[side], 1), "repeats": [round(r, 1) for r in rates]}
            for side, rates in measured.items()
        },
        "ratio": round(medians["two processes"] / medians["one process"], 3),
    }


class Scaling(Benchmark):
    """On paper: how well training scales over workers, from a result of `sentiment`.

    A step takes every worker the seconds of an example times its rows; then a ring all-reduce
    (Patarasu and Yuan 2009) passes 2 (N - 1) pieces of 1/N of the gradient along.
    """

    measured: str
    batch_size: int

    def measurements(self, context: Context) -> Iterable[Measurement]:
        print(self.tables(context.results))
        return ()

    def tables(self, results: Results) -> str:
        """Markdown: the all-reduce, then efficiency and batch sizes."""
        result = results.read(self.measured)
        if result is None:
            raise SystemExit(f"error: {results.path(self.measured)} is not there")
        cores = result["machine"]["cores"]
        gradient_bytes = 4 * result["parameters"]
        seconds = result["training_seconds"] / (result["steps"] * self.batch_size)
        lines = [
            f"A gradient of {result['parameters']:,} float32 is {gradient_bytes / 1e6:.1f} MB; "
            f"an example took {1000 * seconds:.2f} ms on {cores} core{'s' * (cores > 1)}.\n",
            HEADING,
            "| --- | --- | --- | --- | --- | --- | --- | --- |",
        ]
        for network, device, workers in product(NETWORKS, DEVICES, WORKERS):
            each = seconds / DEVICES[device]
            wait = all_reduce_seconds(workers, gradient_bytes, *NETWORKS[network])
            few, many = (f"{efficiency(n * each, wait):.0%}" for n in (16, 128))
            rows = rows_needed(each, wait)
            cells = (network, device, str(workers), f"{1000 * wait:.1f}", few, many, f"{rows:,}")
            lines.append(f"| {' | '.join(cells)} | {rows * workers:,} |")
        return "\n".join(lines)


def all_reduce_seconds(workers: int, gradient_bytes: float, bits: float, latency: float) -> float:
    """2 (N - 1) · (latency + bytes · 8 / (N · bits a second)).

    >>> all_reduce_seconds(2, 1e9, 8e9, 0.5)
    2.0
    """
    return 2 * (workers - 1) * (latency + gradient_bytes * 8 / (workers * bits))


def efficiency(compute: float, communication: float) -> float:
    return compute / (compute + communication)


def rows_needed(seconds_per_example: float, communication: float, share: float = ENOUGH) -> int:
    """The fewest rows of a worker whose efficiency is at least `share`.

    >>> rows_needed(0.001, 0.01, 0.8)
    40
    """
    return math.ceil(round(share / (1 - share) * communication / seconds_per_example, 9))
