"""On paper: how well training scales over workers, from a measured step.

    python -m benchmarks.scaling

Prints the tables of docs/distributed.md from docs/results/sentiment-small-lstm.json; nothing is
measured here. A step takes every worker `seconds_per_example` times its rows; then a ring
all-reduce (Patarasu and Yuan 2009) passes 2 (N - 1) pieces of 1/N of the gradient along.
"""

import math
from collections.abc import Iterator

from benchmarks.results import read_result

RESULT = "sentiment-small-lstm"
BATCH_SIZE = 128  # of that preset
WORKERS = (8, 64, 512)
# bits a second, and seconds that a piece takes on its way even if it is empty
NETWORKS = {"10 Gbit/s": (10e9, 50e-6), "100 Gbit/s": (100e9, 10e-6)}
DEVICES = {"as measured": 1, "50 times as fast": 50}
ENOUGH = 0.8


def all_reduce_seconds(workers: int, gradient_bytes: float, bits: float, latency: float) -> float:
    """2 (N - 1) · (latency + bytes · 8 / (N · bits a second)).

    >>> all_reduce_seconds(2, 1e9, 8e9, 0.5)
    2.0
    """
    return 2 * (workers - 1) * (latency + gradient_bytes * 8 / (workers * bits))


def efficiency(compute: float, communication: float) -> float:
    """The share of the time that is spent computing."""
    return compute / (compute + communication)


def rows_needed(seconds_per_example: float, communication: float, share: float = ENOUGH) -> int:
    """The fewest rows of a worker whose efficiency is at least `share`.

    >>> rows_needed(0.001, 0.01, 0.8)
    40
    """
    return math.ceil(round(share / (1 - share) * communication / seconds_per_example, 9))


def tables() -> str:
    """Markdown: the all-reduce, then efficiency and batch sizes."""
    result = read_result(RESULT)
    assert result is not None
    gradient_bytes = 4 * result["parameters"]
    measured = result["training_seconds"] / (result["steps"] * BATCH_SIZE)
    lines = [
        f"A gradient of {result['parameters']:,} float32 is {gradient_bytes / 1e6:.1f} MB; "
        f"an example took {1000 * measured:.2f} ms on {result['machine']['cores']} cores.",
        "",
        "| network | device | workers | all-reduce, ms | efficiency, 16 rows a worker | "
        "128 rows | rows a worker for 80 % | global batch |",
        "| --- | --- | --- | --- | --- | --- | --- | --- |",
        *_rows(gradient_bytes, measured),
    ]
    return "\n".join(lines)


def _rows(gradient_bytes: float, measured: float) -> Iterator[str]:
    for network, (bits, latency) in NETWORKS.items():
        for device, faster in DEVICES.items():
            for workers in WORKERS:
                each = measured / faster
                wait = all_reduce_seconds(workers, gradient_bytes, bits, latency)
                few, many = (f"{efficiency(n * each, wait):.0%}" for n in (16, 128))
                rows = rows_needed(each, wait)
                yield (
                    f"| {network} | {device} | {workers} | {1000 * wait:.1f} | {few} | {many} | "
                    f"{rows:,} | {rows * workers:,} |"
                )


if __name__ == "__main__":
    print(tables())
