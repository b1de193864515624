"""The memory of a search, in SQLite: what processes share, and what a kill leaves."""

import json
import signal
import sqlite3
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import optuna
import pytest

from tests import processes
from textapps.core.config import Flags
from textapps.core.errors import ConfigurationError, RunError
from textapps.core.notices import NOTICE
from textapps.search import storage
from textapps.search.folders import DATABASE, last_unfinished
from textapps.search.process import Process
from textapps.search.space import Space
from textapps.search.study import Study
from textapps.search.trial import Facts
from textapps.tasks.registry import get_presets

RECORD = {"task": "sentiment", "metric": None, "data": ["a", "b"], "settings": {}}


def space(**flags: object) -> Space[Any]:
    return Space(get_presets("sentiment"), Flags({"preset": "tiny", **flags}))


def facts(score: float, **fields: object) -> Facts:
    made = {
        "run": "/nowhere",
        "host": "h",
        "random_seed": 0,
        "best": score,
        "monitor": "accuracy",
        "score": score,
        "step": 3,
        "total_steps": 9,
        "seconds": 1.5,
        "wall_seconds": 2.5,
        "whole_seconds": 7.5,
        "validation_seconds": 0.5,
    }
    return Facts.read({**made, **fields})


def begin(place: object, name: str = "s", of: Space[Any] | None = None, **record: Any) -> Study:
    return Study.begin(str(place), name, of or space(), {**RECORD, **record}, seed=4)


def test_sessions_of_a_trial_are_one_trial(tmp_path: Path) -> None:
    study, of = begin(tmp_path / "s.db"), space()
    first, second = study.ask(of), study.ask(of)
    assert first.point == of.points[0]
    assert second.point != first.point
    study.stop(first.id, {0: 0.4, 1: 0.5}, facts(0.6), ended=True)
    study.stop(second.id, {0: 0.7}, facts(0.7), ended=False)
    study.stop(second.id, {0: 0.7, 1: 0.8}, facts(0.8), ended=False)
    third = study.ask(of)
    study.fail(third.id, "it is too large", 3.5)
    study.stop(second.id, {0: 0.7, 1: 0.8}, facts(0.9), ended=True)
    study.add_final(second.id, facts(0.85, random_seed=1, whole=True))

    again = Study.open(str(tmp_path / "s.db"), "s")
    one, two, three = again.trials()
    assert (one.number, one.ended, one.scores) == (0, True, {0: 0.4, 1: 0.5, 2: 0.6})
    assert (two.number, two.ended, two.scores) == (1, True, {0: 0.7, 1: 0.8, 2: 0.9})
    assert two.facts == facts(0.9)
    assert [final.random_seed for final in two.finals] == [1]
    assert two.mean_score == 0.85  # of whole trainings
    assert (three.failed, three.size, three.usable) == ("it is too large", 3.5, False)
    assert again.record == study.record


@pytest.mark.slow
def test_what_is_drawn_depends_on_seed_number_and_results_alone(tmp_path: Path) -> None:
    points: list[list[Any]] = [[], []]
    for place in (0, 1):
        study, of = begin(tmp_path / f"{place}.db"), space()
        for number in range(12):
            if place:  # as if killed after every trial
                study = Study.open(str(tmp_path / f"{place}.db"), "s", seed=4)
            asked = study.ask(of)
            points[place].append(asked.point)
            study.stop(asked.id, {0: number % 5 / 5}, facts(number % 5 / 5), ended=False)
    assert points[0] == points[1]
    assert len({json.dumps(point) for point in points[0]}) == 12


PROGRAM = """
import sys
from tests.search.test_study import facts, space
from textapps.search.study import Study
study, of = Study.open(sys.argv[1], "s"), space()
for number in range(int(sys.argv[2])):
    asked = study.ask(of)
    study.stop(asked.id, {0: 0.5}, facts(0.5), ended=False)
asked = study.ask(of)
print(asked.id, flush=True)
sys.stdin.read()
"""


def start(place: object, count: int) -> subprocess.Popen[Any]:
    pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    program = [sys.executable, "-c", PROGRAM, str(place), str(count)]
    return processes.Popen(program, cwd=processes.ROOT, **pipes)


def test_two_processes_share_a_file_and_a_killed_one_loses_nothing(tmp_path: Path) -> None:
    place = tmp_path / "s.db"
    study = begin(place)
    with start(place, 4) as one, start(place, 3) as other:
        assert one.stdout
        assert other.stdout
        held = {int(one.stdout.readline()), int(other.stdout.readline())}
        assert not study.abandoned()  # both are alive
        one.send_signal(signal.SIGKILL)
        one.wait()
        (taken,) = study.abandoned()
        assert not study.abandoned()  # this process has it now
        other.kill()
        other.wait()
    trials = study.trials()
    assert len(trials) == 9
    assert sum(trial.facts is not None for trial in trials) == 7
    assert taken.id in held
    assert taken.point == next(trial.point for trial in trials if trial.id == taken.id)
    study.stop(taken.id, {0: 0.6}, facts(0.6), ended=True)
    (done,) = (trial for trial in study.trials() if trial.id == taken.id)
    assert (done.ended, done.failed, done.scores) == (True, "", {0: 0.6, 2: 0.6})


def test_a_trial_that_another_process_works_on_is_busy(tmp_path: Path) -> None:
    place, run = tmp_path / "s.db", tmp_path / "run"
    study = begin(place)
    with start(place, 1) as one:
        assert one.stdout
        taken = int(one.stdout.readline())
        (_, other) = study.trials()
        assert (other.id, other.busy) == (taken, True)
        assert not study.claim(taken, run)
        one.kill()
        one.wait()
    assert [trial.busy for trial in study.trials()] == [False, False]
    assert study.claim(taken, run)
    assert study.claim(taken, run)  # it is this one's
    study.release(taken)
    study.begin_final(0, 7, run)
    assert study.finals_begun(0) == {7: None}
    study.add_final(0, facts(0.5, random_seed=7, run=str(run)))
    assert not study.finals_begun(0)


def test_the_last_process_is_known(tmp_path: Path) -> None:
    study = begin(tmp_path / "s.db")
    study.enter()
    far = Process("far away", 1, "2")
    study._study.set_user_attr("here:1:far away", far)
    assert study.leave() == [far]
    study._study.set_user_attr("here:1:far away", None)
    assert study.leave() == []


def test_no_two_take_the_same_waiting_trial(tmp_path: Path) -> None:
    """SQLite lets both read that it waits before either writes that it does not."""
    place, most = tmp_path / "s.db", 6
    study, of = begin(place), space()
    for number in range(1, most):
        study._study.enqueue_trial({**of.points[0], "training.learning_rate": 1 + number / 10})
    studies = [Study.open(str(place), "s") for _ in range(most)]
    together = threading.Barrier(most)

    def ask(one: Study) -> int:
        together.wait()
        return one.ask(of).id

    with ThreadPoolExecutor(most) as pool:
        assert sorted(pool.map(ask, studies)) == list(range(most))


@pytest.mark.parametrize("name", ["s.db", "link.db", "sqlite+pysqlite:///{}/s.db"])
def test_the_turn_is_of_the_file_whatever_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setattr(storage, "LOCK_SECONDS", 0.1)
    place = str(tmp_path / "s.db")
    begin(place)
    (tmp_path / "link.db").symlink_to(place)
    other = name.format(tmp_path) if "://" in name else str(tmp_path / name)
    with (
        storage.in_turn(place),
        pytest.raises(RunError, match=r"another process holds .*s\.db\.lock: wait for it"),
        storage.in_turn(other),
    ):
        pass
    with storage.in_turn(other):
        pass
    with (
        pytest.raises(RunError, match=r"cannot open .*: No such file or directory"),
        storage.in_turn(str(tmp_path / "none" / "s.db")),
    ):
        pass


def test_no_lock_is_left_where_there_is_no_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("sqlite://", "sqlite:///:memory:", "postgresql://me@host/x"):
        with storage.in_turn(name):
            pass
    assert not list(tmp_path.iterdir())


def test_a_second_process_joins_the_same_search_only(tmp_path: Path) -> None:
    place = tmp_path / "s.db"
    study = begin(place)
    assert begin(place).record == study.record
    assert len(study.trials()) == 0
    for changes, told in (
        ({"task": "speech"}, "is of another task"),
        ({"data": ["a", "c"]}, "is on other data"),
        ({"metric": "loss"}, "is by another metric"),
    ):
        with pytest.raises(RunError, match=f"search 's' in .*s.db {told}"):
            begin(place, **changes)
    with pytest.raises(RunError, match="of another preset or space: give the options"):
        begin(place, of=space(**{"training.epochs": 3}))
    assert begin(place, name="other").record == study.record


def test_a_locked_file_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(storage, "LOCK_SECONDS", 0.05)
    place = tmp_path / "s.db"
    study = begin(place)
    with sqlite3.connect(place, isolation_level=None) as other:
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(RunError, match="locked: another process holds it; wait for it"):
            study.ask(space())
        with pytest.raises(RunError, match="locked: another process holds it; wait for it"):
            begin(place, name="t")
        other.execute("ROLLBACK")
    other.close()


def test_a_foreign_file_is_one_line(tmp_path: Path) -> None:
    text = tmp_path / "text.db"
    text.write_text("this is no database" * 99)
    with pytest.raises(RunError, match="not a database: it is not a study of `search`"):
        begin(text)
    foreign = tmp_path / "foreign.db"
    optuna.create_study(study_name="s", storage=f"sqlite:///{foreign}")
    with pytest.raises(RunError, match=r"study 's' in .*foreign.db is none of `search`"):
        Study.open(str(foreign), "s")
    with pytest.raises(RunError, match=r"foreign.db has no search 'x'"):
        Study.open(str(foreign), "x")
    with pytest.raises(RunError, match=r"cannot use the study in .*no/such/s.db"):
        begin(tmp_path / "no" / "such" / "s.db")
    with pytest.raises(ConfigurationError, match="is not the address of a database"):
        begin("a b://:x")
    with pytest.raises(ConfigurationError, match="is not the address of a database") as caught:
        begin("postgresql://me:secret@word:more@host/x")
    assert "secret" not in str(caught.value)
    with pytest.raises(ConfigurationError, match=r"needs \w+: install it"):
        begin("oracle+cx_oracle://me@host/x")


def test_a_full_disk_is_one_line() -> None:
    with (
        pytest.raises(
            RunError, match=r"study in a/s.db: database or disk is full: free some space"
        ),
        storage.explained("a/s.db"),
    ):
        raise optuna.exceptions.StorageInternalError from sqlite3.OperationalError(
            "database or disk is full"
        )


def test_a_broken_study_does_not_keep_others_from_going_on(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    for name in ("1", "2", "3"):
        (tmp_path / name).mkdir()
    begin(tmp_path / "1" / DATABASE, name="1")
    begin(tmp_path / "2" / DATABASE, name="2").finish()
    (tmp_path / "3" / DATABASE).write_text("this is no database" * 99)
    with caplog.at_level(NOTICE, "textapps"):
        assert last_unfinished(tmp_path, "sentiment") == "1"
    (line,) = caplog.messages
    assert line.startswith(f"skipped search '3': cannot use the study in {tmp_path}/3/{DATABASE}")
    assert line.endswith(f"; if it is of no use, delete {tmp_path / '3'}")
    Study.open(str(tmp_path / "1" / DATABASE), "1").finish()
    with pytest.raises(RunError, match="the last search, 1, has ended"):
        last_unfinished(tmp_path, "sentiment")


def test_a_study_of_a_newer_format_is_refused(tmp_path: Path) -> None:
    place = tmp_path / "s.db"
    begin(place)
    study = optuna.load_study(study_name="s", storage=f"sqlite:///{place}")
    study.set_user_attr("textapps", json.dumps({"format": 2}))
    with pytest.raises(RunError, match="has a search of format 2, this version of textapps reads"):
        Study.open(str(place), "s")
