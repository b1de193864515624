"""Several replicas train as one device does: on two devices of a process, and as two processes."""

import csv
import json
import signal
import socket
import subprocess
import time
from pathlib import Path

import numpy as np
import pytest

from tests.training import team, trainee
from textapps.training.checkpoint import ARRAYS, CheckpointStore
from textapps.training.replicas import Replicas
from textapps.training.run_directory import RunDirectory

pytestmark = pytest.mark.timeout(1200)  # some twenty on a machine that has nothing else to do
CHANGES = {"epochs": 3, "average": 0.8, "checkpoint_steps": 5}
FIGURES = ("step", "loss", "val_loss", "learning_rate")
SHARES = ("accuracy", "val_accuracy", "macro_f1", "val_macro_f1")


def history(run: RunDirectory, *columns: str) -> np.ndarray:
    with (run.path / "history.csv").open(newline="") as file:
        return np.array([[float(row[c]) for c in columns] for row in csv.DictReader(file)])


def arrays(run: RunDirectory) -> dict[str, np.ndarray]:
    store = CheckpointStore(run.checkpoints)
    with np.load(store.path(store.steps()[-1]) / ARRAYS) as archive:
        return dict(archive)


def assert_same_bits(one: RunDirectory, two: RunDirectory) -> None:
    left, right = arrays(one), arrays(two)
    assert left.keys() == right.keys()
    for name, array in left.items():
        assert array.tobytes() == right[name].tobytes(), name


def only(models_dir: Path) -> RunDirectory:
    (run,) = RunDirectory.all(models_dir)
    return run


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> RunDirectory:
    run = trainee.new_run(tmp_path_factory.mktemp("alone"), **CHANGES)
    team.train(run, Replicas())
    return run


@pytest.fixture(scope="module")
def two_devices(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The runs of `team.on_two_devices`, each in a folder of its name."""
    folder = tmp_path_factory.mktemp("two")
    with team.start("on_two_devices", str(folder)) as process:
        assert process.wait() == 0
    return folder


def test_two_devices_train_as_one(two_devices: Path, alone: RunDirectory) -> None:
    run = only(two_devices / "two")
    columns = (*FIGURES, *SHARES)
    np.testing.assert_allclose(history(run, *columns), history(alone, *columns), rtol=1e-5)
    expected = arrays(alone)
    for key, array in arrays(run).items():
        np.testing.assert_allclose(array, expected[key], rtol=1e-3, atol=1e-6, err_msg=key)


def test_class_weights_on_two_devices(two_devices: Path, tmp_path: Path) -> None:
    run = trainee.new_run(tmp_path, **CHANGES)
    team.train(run, Replicas(), class_weights=team.CLASS_WEIGHTS)
    columns = (*FIGURES, *SHARES)
    expected = history(run, *columns)
    np.testing.assert_allclose(history(only(two_devices / "weighted"), *columns), expected, 1e-5)


@pytest.fixture(scope="module")
def read_alone(tmp_path_factory: pytest.TempPathFactory) -> RunDirectory:
    run = trainee.new_run(tmp_path_factory.mktemp("read"), **CHANGES)
    team.read(run, Replicas())
    return run


# The states of five streams on two devices: of each in two parts, and dealt out anew twice.
@pytest.mark.parametrize("name", ["read-parts", "read-moved"])
def test_streams_go_on_wherever_they_are(
    two_devices: Path, read_alone: RunDirectory, name: str
) -> None:
    run = only(two_devices / name)
    columns = ["step", "val_loss", "val_nats", "nats"]
    if name == "read-parts":  # other devices weigh the losses of steps by another unit
        columns += ["loss"]
    np.testing.assert_allclose(history(run, *columns), history(read_alone, *columns), rtol=1e-5)
    carried = [
        next(a for a in arrays(each).values() if a.shape[1:] == (6,) and len(a) in (5, 6))
        for each in (run, read_alone)
    ]
    np.testing.assert_allclose(carried[0][: team.STREAMS], carried[1], rtol=1e-4, atol=1e-5)
    # Otherwise a state in the wrong place would not be seen.
    assert np.ptp(carried[1], axis=0).max() > 0.01


def test_parts_of_a_batch_add_up(tmp_path: Path, alone: RunDirectory) -> None:
    run = trainee.new_run(tmp_path, **CHANGES, accumulate=2)
    team.train(run, Replicas())
    np.testing.assert_allclose(history(run, *FIGURES), history(alone, *FIGURES), rtol=1e-5)


class Team:
    """Two processes that train together, and what they say."""

    def __init__(self, runs: list[tuple[RunDirectory, float]], slow: bool = False) -> None:
        with socket.socket() as one, socket.socket() as two:
            for each in (one, two):
                each.bind(("127.0.0.1", 0))
            addresses = [f"127.0.0.1:{each.getsockname()[1]}" for each in (one, two)]
        paths = [(str(run.path), rate) for run, rate in runs]
        self.processes = [
            team.start("work", index, addresses, paths, slow, stdout=subprocess.PIPE)
            for index in range(2)
        ]

    def ends_well(self) -> list[str]:
        """Digests of the weights after each validation, which both must have."""
        chief, other = (self.last_words(index) for index in range(2))
        assert chief == other
        assert isinstance(chief, list)
        assert [process.wait(60) for process in self.processes] == [0, 0]
        return chief

    def kill_after(self, step: int, index: int) -> None:
        """Kills one of them when the chief has done a step."""
        while json.loads(self.processes[0].stdout.readline()) < step:
            pass
        self.processes[index].kill()

    def last_words(self, index: int) -> object:
        """What it has printed last; it has ended then, or is about to."""
        with self.processes[index].stdout as lines:
            return json.loads(list(lines)[-1])


@pytest.fixture(scope="module")
def two_processes(tmp_path_factory: pytest.TempPathFactory) -> dict[float, RunDirectory]:
    """Runs of two processes, by the rate of dropout."""
    runs = {
        rate: trainee.new_run(tmp_path_factory.mktemp("team"), **CHANGES) for rate in (0.0, 0.5)
    }
    digests = Team([(run, rate) for rate, run in runs.items()]).ends_well()
    assert len(set(digests)) == len(digests) == 2 * 5  # they change from one to the next
    return runs


def test_two_processes_train_as_one(
    two_processes: dict[float, RunDirectory], alone: RunDirectory
) -> None:
    columns = (*FIGURES, *SHARES)
    found = history(two_processes[0.0], *columns)
    np.testing.assert_allclose(found, history(alone, *columns), rtol=1e-5)


def test_killed_workers_stop_the_others_and_resume_exactly(
    tmp_path: Path, two_processes: dict[float, RunDirectory]
) -> None:
    run = trainee.new_run(tmp_path, **CHANGES)
    for step, victim in ((7, 1), (12, 0)):
        workers = Team([(run, 0.5)], slow=True)
        workers.kill_after(step, victim)
        killed_at = time.monotonic()
        words = workers.last_words(1 - victim)
        assert time.monotonic() - killed_at < 60
        assert "another worker of the training has stopped" in str(words)
        workers.processes[victim].stdout.close()
        assert workers.processes[victim].wait(60) == -signal.SIGKILL
        assert workers.processes[1 - victim].wait(60) == 1
    assert CheckpointStore(run.checkpoints).steps()[-1] == 10
    Team([(run, 0.5)]).ends_well()
    assert_same_bits(two_processes[0.5], run)
