"""What distribution costs: two processes of one core each beside one process of two cores.

    python -m benchmarks.distributed --data-dir DIR [--repeats 3]

Both sides train the same model on the same batches, in turn for each repeat. Counted are the
training steps after the first interval, in which the graph is traced; reading, validation and
checkpoints are not. Writes docs/results/distributed.json.
"""

import argparse
import json
import os
import subprocess
import time
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks import child, results_page
from benchmarks.results import read_result, write_result
from textapps.backbones.config import BACKBONES
from textapps.cli.commands.launch import free_ports
from textapps.tasks.sentiment.config import PRESETS
from textapps.training.history import read_history
from textapps.training.run_directory import RunDirectory

NAME = "distributed"
INTERVAL_STEPS = 40


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", default="imdb_reviews", help="the data set (imdb_reviews)")
    parser.add_argument("--data-dir", help="where tensorflow_datasets has prepared it")
    parser.add_argument("--preset", choices=list(PRESETS), default="small")
    parser.add_argument("--backbone", choices=BACKBONES, default="lstm")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--epochs", type=int, default=1)
    parser.add_argument("--interval", type=int, default=INTERVAL_STEPS, help="steps (40)")
    parser.add_argument("--name", default=NAME, help=f"of the result ({NAME})")
    parser.add_argument("--work", type=Path, default=Path("models/benchmarks"))
    parser.add_argument("--again", action="store_true", help="measure again")
    options = parser.parse_args(arguments)
    if not options.again and read_result(options.name):
        print(f"docs/results/{options.name}.json is there; --again measures again")
        return
    command = [child.TEXTAPPS, "sentiment", "train", "--data", options.data]
    command += ["--data-dir", options.data_dir] if options.data_dir else []
    command += ["--preset", options.preset, "--backbone", options.backbone, "--quiet"]
    command += ["--epochs", str(options.epochs)]
    command += ["--set", f"training.checkpoint_steps={options.interval}"]
    cores = sorted(os.sched_getaffinity(0))[:2]
    sides = {"one process": [set(cores)], "two processes": [{core} for core in cores]}
    measured: dict[str, list[float]] = {side: [] for side in sides}
    for _ in range(options.repeats):
        for side, shares in sides.items():
            models_dir = options.work / options.name / str(time.time_ns())
            run(command, shares, models_dir)
            (trained,) = RunDirectory.all(models_dir, "sentiment")
            rows = [{k: float(v) for k, v in row.items()} for row in read_history(trained)]
            measured[side].append(rate(rows, trained.config["training"]["batch_size"]))
            print(side, f"{measured[side][-1]:.1f} examples/s", flush=True)
    config = PRESETS.resolve(flags={"preset": options.preset, "backbone.kind": options.backbone})
    write_result(
        options.name,
        {
            "data": options.data,
            "preset": options.preset,
            "backbone": options.backbone,
            "batch_size": config.training.batch_size,
            **summary(measured),
        },
    )
    results_page.write()


def run(command: list[str], shares: list[set[int]], models_dir: Path) -> None:
    """One training by a process for each share of the cores."""
    hosts = [f"127.0.0.1:{port}" for port in free_ports(len(shares))]
    processes = []
    for index, cores in enumerate(shares):
        task = {"cluster": {"worker": hosts}, "task": {"type": "worker", "index": index}}
        environ = {
            **os.environ,
            "TF_NUM_INTRAOP_THREADS": str(len(cores)),
            "TF_CONFIG": json.dumps(task) if len(shares) > 1 else "",
        }
        pinned = ["taskset", "--cpu-list", ",".join(map(str, sorted(cores)))]
        processes.append(
            subprocess.Popen(
                [*pinned, *command, "--models-dir", str(models_dir)],
                env=environ,
                stdout=subprocess.DEVNULL,
            )
        )
    for process in processes:
        if process.wait():
            for other in processes:
                other.terminate()
            raise subprocess.CalledProcessError(process.returncode, command)


def rate(rows: list[dict[str, float]], batch_size: int) -> float:
    """Examples a second from the end of the first interval to that of the last whole one."""
    last = rows[-2] if len(rows) > 2 else rows[-1]  # the last may have a smaller batch
    steps, seconds = last["step"] - rows[0]["step"], last["seconds"] - rows[0]["seconds"]
    return steps * batch_size / seconds


def summary(measured: dict[str, list[float]]) -> dict[str, Any]:
    """The figures of both sides and their ratio."""
    medians = {side: median(rates) for side, rates in measured.items()}
    return {
        "examples_per_second": {
            side: {"median": round(medians[side], 1), "repeats": [round(r, 1) for r in rates]}
            for side, rates in measured.items()
        },
        "ratio": round(medians["two processes"] / medians["one process"], 3),
    }


if __name__ == "__main__":
    main()
