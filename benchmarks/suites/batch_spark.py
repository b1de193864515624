"""Whole files answered by Spark, beside one process: equal answers, rows a second, memory.

The texts and the model are those of `batch-inference`. Spark has a standalone master and two
workers of one core each, on this machine; the start of its driver counts, that of the cluster not.
"""

import gzip
import shutil
import subprocess
import time
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from statistics import median

from pydantic import Field

from benchmarks import processes
from benchmarks.benchmark import Benchmark, Context
from benchmarks.results import Figures
from benchmarks.sides import interleave
from benchmarks.spark_cluster import SparkCluster, spark_cluster
from benchmarks.suites.batch_inference import write_texts
from benchmarks.trainings import exported, sample

WORKERS = 2
DASK = "--runner=apache_beam.runners.dask.dask_runner.DaskRunner"


class BatchSpark(Benchmark):
    rows: int = Field(description="texts to answer for the rate")
    compared: int = Field(description="texts of which all runners' answers are compared")
    bad: int = Field(description="bad rows among these")
    rounds: int = Field(description="how often each side answers")
    rows_in_a_file: int = Field(description="of each input")
    executor_memory: str = Field(description="of Java in each executor")

    def measure(self, context: Context) -> Figures:
        work = (context.work / self.name).absolute()
        shutil.rmtree(work / "answers", ignore_errors=True)
        made = sorted(work.glob("exported/sentiment/*"), key=lambda path: int(path.name))
        export = made[-1] if made else exported(sample("sentiment", "gru", context.work), work)
        with spark_cluster(work / "cluster", WORKERS, self.executor_memory) as cluster:
            asking = Asking(work, export, cluster, self.executor_memory)
            same = self.compare(asking)
            rate = self.rate(asking)
        return {"model": "sentiment, preset small, gru", **same, **rate}

    def compare(self, asking: "Asking") -> Figures:
        """Whether all runners give the same files, also if an executor dies meanwhile."""
        files = write_texts(asking.work / "compared", self.compared, self.rows_in_a_file)
        spoil(files, self.bad)
        expected = contents(asking.answers("local", files))
        runners: dict[str, tuple[str, tuple[str, ...]]] = {
            "spark": ("spark", ()),
            "spark, an executor killed": ("spark", ()),
        }
        if find_spec("apache_beam"):
            runners["beam"] = ("beam", ())
        if find_spec("apache_beam") and find_spec("distributed"):
            runners["beam on Dask"] = ("beam", ("--", DASK))
        equal = {}
        for name, (runner, options) in runners.items():
            kill = asking.cluster.kill_executor if "killed" in name else None
            found = contents(asking.answers(runner, files, *options, kill=kill))
            equal[name] = found == expected
            print(f"{name}: {'equal' if equal[name] else 'NOT equal'}", flush=True)
        bad = sum(content.count(b"\n") for name, content in expected.items() if "bad/" in name)
        return {"compared": {"rows": self.compared, "bad_rows": bad, "equal": equal}}

    def rate(self, asking: "Asking") -> Figures:
        files = write_texts(asking.work / "texts", self.rows, self.rows_in_a_file)
        most = [0] * WORKERS

        def ask(runner: str) -> Callable[[None], float]:
            def seconds(_: None) -> float:
                start = time.perf_counter()
                with asking.cluster.watched() as found:
                    asking.answers(runner, files)
                taken = time.perf_counter() - start
                if runner == "spark":
                    most[:] = map(max, most, found)
                print(f"{runner}: {self.rows / taken:,.0f} rows/s", flush=True)
                return taken

            return seconds

        sides = {runner: ask(runner) for runner in ("local", "spark")}
        (taken,) = interleave(sides, [None], self.rounds)
        rates = {side: self.rows / median(seconds) for side, seconds in taken.items()}
        return {
            "rows": self.rows,
            "files": len(files),
            "executor_memory": self.executor_memory,
            "seconds": {side: [round(each, 1) for each in found] for side, found in taken.items()},
            "rows_per_second": {side: round(rate, 1) for side, rate in rates.items()},
            "times_local": round(rates["spark"] / rates["local"], 3),
            "peak_memory_mb": max(most),
        }


class Asking:
    """Asks `textapps sentiment predict --output` about files."""

    def __init__(self, work: Path, export: Path, cluster: SparkCluster, memory: str) -> None:
        self.work = work
        self.cluster = cluster
        self._export = export
        self._spark = ("--master", cluster.url, "--", "--conf", f"spark.executor.memory={memory}")

    def answers(
        self,
        runner: str,
        files: list[Path],
        *options: str,
        kill: Callable[[], None] | None = None,
    ) -> Path:
        """The folder of answers; `kill` is called when some windows are answered."""
        output = self.work / "answers"
        shutil.rmtree(output, ignore_errors=True)
        command = [processes.TEXTAPPS, "sentiment", "predict", "--model", str(self._export)]
        command += ["--input", str(files[0].parent / "part-*"), "--output", str(output)]
        command += ["--quiet", "--runner", runner, *options]
        command += self._spark if runner == "spark" else ()
        running = processes.start(command)
        while kill and running.poll() is None:
            if len(list(output.glob("parts/*/*/0*"))) > 1:
                kill()
                kill = None
            time.sleep(0.05)
        if running.wait() or kill:
            raise subprocess.CalledProcessError(running.returncode, command)
        return output


def spoil(files: list[Path], bad: int) -> None:
    """Puts so many lines that are no JSON among those of the files."""
    for index, file in enumerate(files):
        lines = gzip.decompress(file.read_bytes()).splitlines(keepends=True)
        share = bad // len(files) + (index < bad % len(files))
        for number in range(share):
            lines[number * len(lines) // share] = b"{no JSON\n"
        file.write_bytes(gzip.compress(b"".join(lines), 1))


def contents(folder: Path) -> dict[str, bytes]:
    """Every file in a folder, unpacked."""
    return {
        str(path.relative_to(folder)): gzip.decompress(raw) if path.suffix == ".gz" else raw
        for path in sorted(folder.rglob("*"))
        if path.is_file()
        for raw in [path.read_bytes()]
    }
