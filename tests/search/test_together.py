"""Two whole searches of one study at once, as processes."""

import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

from tests import processes
from tests.search.searching import settings
from textapps.search.study import Study
from textapps.training.run_directory import RunDirectory

TRIALS = 3
PROGRAM = """
import json, os, sys, time
from pathlib import Path
import tensorflow as tf
from tests.search.simulated import Silent
from textapps.search import run as searches, search
from textapps.search.run import Settings
from textapps.tasks import comparison

tf.config.run_functions_eagerly(True)  # a few steps of tiny models
comparison.ROUNDS, comparison.ASKED = 1, 3
storage, models, fields = sys.argv[1], Path(sys.argv[2]), json.loads(sys.argv[3])
explore = search.Search.explore

def explore_together(self):
    (models / f"here-{os.getpid()}").touch()
    for _ in range(6_000):  # until both are here; if one has failed, the test does too
        if len(list(models.glob("here-*"))) == 2:
            break
        time.sleep(0.02)
    explore(self)

search.Search.explore = explore_together
settings = Settings(**fields)
run, found = searches.begin("sentiment", settings, models, Silent(), storage=storage, study="s")
print(json.dumps([str(run.path), [row.number for row in found.tried]]))
"""


def test_two_searches_share_a_file_and_each_ends_with_a_run(
    toy_data: Callable[[str], Path], tmp_path: Path
) -> None:
    fields = json.dumps(asdict(settings("sentiment", toy_data("sentiment"), trials=TRIALS)))
    program = [sys.executable, "-c", PROGRAM, str(tmp_path / "s.db"), str(tmp_path), fields]
    with (
        processes.Popen(program, cwd=processes.ROOT, stdout=subprocess.PIPE) as one,
        processes.Popen(program, cwd=processes.ROOT, stdout=subprocess.PIPE) as other,
    ):
        told = [json.loads(each.communicate()[0].splitlines()[-1]) for each in (one, other)]
    assert (one.returncode, other.returncode) == (0, 0)
    runs = RunDirectory.all(tmp_path, "sentiment")
    assert sorted(str(run.path) for run in runs) == sorted(path for path, _ in told)
    assert len(runs) == 2
    assert all(run.finished for run in runs)

    trials = Study.open(str(tmp_path / "s.db"), "s").trials()
    # Both may begin their last trial before either knows of the other's.
    assert TRIALS <= len(trials) <= TRIALS + 1
    assert all(trial.facts is not None for trial in trials)  # no trial was lost
    trained = [trial.facts.run for trial in trials if trial.facts]
    assert len(set(trained)) == len(trials)  # and none was trained by both
    assert trials[0].ended
    assert not [trial.failed for trial in trials if trial.failed]
    assert all(numbers[:TRIALS] == list(range(TRIALS)) for _, numbers in told)
    # The last one has deleted the runs of all trials.
    assert not list((tmp_path / "searches" / "sentiment" / "s" / "sentiment").iterdir())
