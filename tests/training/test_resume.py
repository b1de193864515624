"""Exact resume, with real processes and real kills."""

import multiprocessing
import random
import signal
from pathlib import Path

import numpy as np
import pytest
import trainee

from textapps.training.checkpoint import ARRAYS, CheckpointStore

KILLS = 5
# A fork of a process that has imported TensorFlow, but not yet used it, starts in no time.
CONTEXT = multiprocessing.get_context("forkserver")
CONTEXT.set_forkserver_preload(["textapps.training.fit", "textapps.backbones.backbone"])


def last_arrays(run) -> dict[str, np.ndarray]:
    store = CheckpointStore(run.checkpoints)
    with np.load(store.path(store.steps()[-1]) / ARRAYS) as archive:
        return {name: archive[name] for name in archive.files}


def history_without_seconds(run) -> list[list[str]]:
    lines = [line.split(",") for line in (run.path / "history.csv").read_text().splitlines()]
    seconds = lines[0].index("seconds")
    return [line[:seconds] + line[seconds + 1 :] for line in lines]


def start(run):
    ours, theirs = CONTEXT.Pipe(duplex=False)
    process = CONTEXT.Process(target=trainee.train_in_process, args=(str(run.path), theirs))
    process.start()
    theirs.close()
    return process, ours


@pytest.mark.parametrize("averages", [{"average": 0.9}, {"average_last": 3}], ids=str)
def test_killed_again_and_again_ends_with_the_same_bits(tmp_path: Path, averages: dict[str, float]):
    """Of a model that is traced in no time; those of the tasks are only interrupted by a signal."""
    changes = {"epochs": 20, "checkpoint_steps": 5, **averages}
    untouched = trainee.new_run(tmp_path / "untouched", "dense", **changes)
    killed = trainee.new_run(tmp_path / "killed", "dense", **changes)
    undisturbed, unread = start(untouched)
    began_at = []
    for _ in range(KILLS):
        process, connection = start(killed)
        assert connection.poll(120)
        began_at.append(connection.recv())
        process.join(random.uniform(0, 0.12))
        process.kill()
        process.join(120)
        assert process.exitcode == -signal.SIGKILL
    process, connection = start(killed)
    for survivor in (process, undisturbed):
        survivor.join(120)
        assert survivor.exitcode == 0

    unread.close()
    assert began_at == sorted(began_at)
    expected, resumed = last_arrays(untouched), last_arrays(killed)
    assert expected.keys() == resumed.keys()
    for name, array in expected.items():
        assert array.tobytes() == resumed[name].tobytes(), name
    assert history_without_seconds(untouched) == history_without_seconds(killed)
    assert not list(killed.checkpoints.glob(".*"))
