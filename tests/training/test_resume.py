"""Exact resume, with real processes and real kills."""

import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from tests import processes
from tests.training import trainee
from textapps.training.checkpoint import ARRAYS, CheckpointStore

KILLS = 3


def last_arrays(run) -> dict[str, np.ndarray]:
    store = CheckpointStore(run.checkpoints)
    with np.load(store.path(store.steps()[-1]) / ARRAYS) as archive:
        return {name: archive[name] for name in archive.files}


def history_without_seconds(run) -> list[list[str]]:
    lines = [line.split(",") for line in (run.path / "history.csv").read_text().splitlines()]
    seconds = lines[0].index("seconds")
    return [line[:seconds] + line[seconds + 1 :] for line in lines]


def start(run) -> subprocess.Popen[bytes]:
    program = [sys.executable, "-m", "tests.training.trainee", run.path]
    return processes.Popen(program, cwd=processes.ROOT, stdout=subprocess.PIPE)


@pytest.mark.parametrize(
    "averages",  # test_fit.py resumes a training with the first kind too
    [pytest.param({"average": 0.9}, marks=pytest.mark.exhaustive), {"average_last": 3}],
    ids=str,
)
def test_killed_again_and_again_ends_with_the_same_bits(tmp_path: Path, averages: dict[str, float]):
    """Of a model that is traced in no time; those of the tasks are only interrupted by a signal."""
    changes = {"epochs": 12, "checkpoint_steps": 5, **averages}
    untouched = trainee.new_run(tmp_path / "untouched", "dense", **changes)
    killed = trainee.new_run(tmp_path / "killed", "dense", **changes)
    with start(untouched) as process:
        process.communicate()
    began_at = []
    for _ in range(KILLS):
        with start(killed) as process:
            began_at.append(int(process.stdout.readline()))
            time.sleep(random.uniform(0, 0.12))
            process.kill()
        assert process.returncode == -signal.SIGKILL
    with start(killed) as process:
        process.communicate()
    assert process.returncode == 0

    assert began_at == sorted(began_at)
    expected, resumed = last_arrays(untouched), last_arrays(killed)
    assert expected.keys() == resumed.keys()
    for name, array in expected.items():
        assert array.tobytes() == resumed[name].tobytes(), name
    assert history_without_seconds(untouched) == history_without_seconds(killed)
    assert not list(killed.checkpoints.glob(".*"))
