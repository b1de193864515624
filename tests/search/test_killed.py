"""Searches that are killed and interrupted, as processes."""

import json
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from tests import processes
from tests.quick import quick
from tests.search.searching import searched, settings
from tests.search.simulated import Silent
from tests.tasks.stopping import assert_same_bits
from textapps.core.config import read_toml
from textapps.search import run as searches
from textapps.training.run_directory import RunDirectory

pytestmark = pytest.mark.slow

PROGRAM = """
import json, os, signal, sys
from pathlib import Path
from tests.search.simulated import Silent
from textapps.search import run as searches, trainer
from textapps.search.run import Settings
from textapps.tasks import comparison

comparison.ROUNDS, comparison.ASKED = 1, 3
at, models, fields = int(sys.argv[1]), Path(sys.argv[2]), json.loads(sys.argv[3])
{first}
done = [0]

class Killing(trainer.Watch):
    def update(self, step, logs, examples):
        super().update(step, logs, examples)
        done[0] += 1
        if done[0] == at:
            os.kill(os.getpid(), {number})

from textapps.search import search, finals
search.Watch = finals.Watch = Killing
if fields:
    searches.begin("sentiment", Settings(**fields), models, Silent())
else:
    searches.resume("sentiment", models, Silent())
"""


EAGER = """import tensorflow as tf
tf.config.run_functions_eagerly(True)  # a few steps of tiny models
"""
BATCH = "training.batch_size"
IN_THE_FINALS = 12  # the step, of all trainings together: before it are 4, 2 and 4 of three trials
LAST_OF_A_TRAINING = 10
IN_THE_PRESET = 3


def child(number: int, at: int, models: Path, fields: Any, *, eager: bool = True) -> int:
    program = PROGRAM.replace("{number}", str(int(number))).replace("{first}", EAGER * eager)
    words = [sys.executable, "-c", program, str(at), str(models), json.dumps(fields)]
    with processes.Popen(words, cwd=processes.ROOT, stderr=subprocess.PIPE) as process:
        _, errors = process.communicate()
    if process.returncode > 0:
        print(errors.decode())
    return process.returncode


@pytest.mark.exhaustive  # test_schedule.py kills searches whose trainings take no time
def test_a_search_killed_again_and_again_ends_as_if_not_killed(
    toy_data: Callable[[str], Path], tmp_path: Path
) -> None:
    of = settings("sentiment", toy_data("sentiment"), keep_runs=True, flags={BATCH: 40})
    whole, _ = searched("sentiment", tmp_path / "whole", of)
    models = tmp_path / "killed"
    code = child(signal.SIGKILL, 5, models, asdict(of), eager=False)
    kills = 0
    while code == -signal.SIGKILL:
        kills += 1
        code = child(signal.SIGKILL, 6 + kills, models, None, eager=False)
    assert code == 0
    assert kills >= 3
    run = RunDirectory.latest(models, "sentiment")
    assert_same_bits(whole, run)
    assert read_toml(run.path / "config.toml") == read_toml(whole.path / "config.toml")


def test_ctrl_c_ends_with_the_best_so_far(toy_data: Callable[[str], Path], tmp_path: Path) -> None:
    of = settings("sentiment", toy_data("sentiment"), flags={BATCH: 47})
    assert child(signal.SIGINT, IN_THE_FINALS, tmp_path, asdict(of)) == 0
    run = RunDirectory.latest(tmp_path, "sentiment")
    assert run.finished


@pytest.mark.usefixtures("eager")
@pytest.mark.filterwarnings("ignore:Even though the `tf.config:UserWarning")
@pytest.mark.parametrize(
    "step", quick([IN_THE_PRESET, LAST_OF_A_TRAINING, IN_THE_FINALS], IN_THE_PRESET)
)
def test_sigterm_leaves_it_to_be_resumed(
    toy_data: Callable[[str], Path], tmp_path: Path, step: int
) -> None:
    """Schedulers send it before they kill a process."""
    of = settings("sentiment", toy_data("sentiment"), flags={BATCH: 47})
    assert child(signal.SIGTERM, step, tmp_path, asdict(of)) != 0
    assert not RunDirectory.all(tmp_path, "sentiment")
    _, found = searches.resume("sentiment", tmp_path, Silent())
    assert RunDirectory.latest(tmp_path, "sentiment").finished
    assert found.baseline is not None


@pytest.mark.exhaustive
@pytest.mark.usefixtures("eager")
@pytest.mark.filterwarnings("ignore:Even though the `tf.config:UserWarning")
def test_ctrl_c_before_the_first_validation_ends_with_nothing(
    toy_data: Callable[[str], Path], tmp_path: Path
) -> None:
    of = settings("sentiment", toy_data("sentiment"), flags={BATCH: 47})
    assert child(signal.SIGINT, 1, tmp_path, asdict(of)) != 0
    assert not RunDirectory.all(tmp_path, "sentiment")
    searches.resume("sentiment", tmp_path, Silent(), keep_runs=True)
    assert RunDirectory.latest(tmp_path, "sentiment").finished
    (study,) = (tmp_path / "searches" / "sentiment").iterdir()
    assert list((study / "sentiment").iterdir())  # the runs of the trials
