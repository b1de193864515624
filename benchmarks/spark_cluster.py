"""A standalone cluster of Spark on this machine: a master and workers of one core each."""

import contextlib
import os
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from threading import Event, Thread

from benchmarks import processes
from textapps.cli.commands.launch import free_ports

_DEPLOY = "org.apache.spark.deploy"
_EXECUTOR = b"CoarseGrainedExecutorBackend"
_SECONDS_TO_START = 60.0


class SparkCluster:
    """A master and workers that run already; `watched` measures their memory."""

    def __init__(self, url: str, workers: list[int]) -> None:
        """`workers`: the processes of the workers."""
        self.url = url
        self._workers = workers

    def executors(self) -> list[int]:
        """The processes of the executors."""
        return [one for worker in self._workers for one in _family(worker) if _is_executor(one)]

    def kill_executor(self) -> None:
        """Ends one with SIGKILL."""
        os.kill(self.executors()[0], signal.SIGKILL)

    @contextlib.contextmanager
    def watched(self, every_seconds: float = 2.0) -> Iterator[list[int]]:
        """Within it, the most memory that each worker has had, in units of 2^20 bytes.

        It counts the worker's own process, its executors and their Python: resident memory, and
        what processes share as a part for each (PSS).
        """
        most = [0] * len(self._workers)
        ended = Event()

        def watch() -> None:
            while not ended.wait(every_seconds):
                for index, worker in enumerate(self._workers):
                    family = sum(map(_memory_kb, _family(worker)))
                    most[index] = max(most[index], family // 1024)

        thread = Thread(target=watch)
        thread.start()
        try:
            yield most
        finally:
            ended.set()
            thread.join()


@contextlib.contextmanager
def spark_cluster(folder: Path, workers: int, memory: str) -> Iterator[SparkCluster]:
    """Starts a cluster that listens on the loopback address, and ends it.

    Args:
        folder: for its logs and the files of executors.
        workers: how many; each is on a core of its own, as long as there are cores.
        memory: of Java in each, such as "1g".
    """
    import pyspark

    folder = folder.absolute()
    folder.mkdir(parents=True, exist_ok=True)
    home = Path(pyspark.__file__).parent
    spark_class = str(home / "bin" / "spark-class")
    port, shown = free_ports(2)
    url = f"spark://127.0.0.1:{port}"
    environ = {
        "SPARK_LOCAL_IP": "127.0.0.1",
        "SPARK_HOME": str(home),
        "SPARK_DAEMON_MEMORY": "256m",
        "PYTHONPATH": os.pathsep.join(path for path in sys.path if path),
    }
    at = ("--host", "127.0.0.1", "--port")
    started = []
    try:
        command = [spark_class, f"{_DEPLOY}.master.Master", *at, str(port)]
        command += ["--webui-port", str(shown)]
        log = folder / "master.log"
        started.append(processes.start(command, log=log, environ=environ))
        _wait_for(log, "I have been elected leader")
        cores = sorted(os.sched_getaffinity(0))
        for index in range(workers):
            command = [spark_class, f"{_DEPLOY}.worker.Worker", *at, "0", "--webui-port", "0"]
            command += ["--cores", "1", "--memory", memory]
            command += ["--work-dir", str(folder / f"worker-{index}"), url]
            log = folder / f"worker-{index}.log"
            own = [cores[index % len(cores)]]
            started.append(processes.start(command, log=log, environ=environ, cores=own))
            _wait_for(log, "Successfully registered with master")
        yield SparkCluster(url, [worker.pid for worker in started[1:]])
    finally:
        for process in reversed(started):
            process.terminate()
            process.wait()


def _wait_for(log: Path, text: str) -> None:
    for _ in range(int(_SECONDS_TO_START / 0.1)):
        if text in log.read_text(encoding="utf-8"):
            return
        time.sleep(0.1)
    raise RuntimeError(f"Spark did not start in {_SECONDS_TO_START:.0f} s: see {log}")


def _family(process: int) -> list[int]:
    """A process and all that it has started."""
    try:
        threads = list(Path(f"/proc/{process}/task").iterdir())
        children = [int(c) for t in threads for c in (t / "children").read_text().split()]
    except OSError:  # it has ended
        return []
    return [process, *(one for child in children for one in _family(child))]


def _is_executor(process: int) -> bool:
    with contextlib.suppress(OSError):
        return _EXECUTOR in Path(f"/proc/{process}/cmdline").read_bytes()
    return False


def _memory_kb(process: int) -> int:
    with contextlib.suppress(OSError):
        for line in Path(f"/proc/{process}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1])
    return 0
