"""What a search needs to go on: the same data, a known start, and the runs that are there."""

import datetime
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tests.search.searching import settings
from tests.search.simulated import Silent
from tests.search.test_study import begin, facts
from textapps.core.config import Flags
from textapps.core.errors import ConfigurationError, RunError
from textapps.search import finals, folders, keeping, result
from textapps.search import run as searches
from textapps.search.halving import LOWER_RUNGS
from textapps.search.limits import Limits
from textapps.search.process import Process
from textapps.search.search import Search
from textapps.search.space import Space
from textapps.search.trainer import Trainer
from textapps.search.trial import Trial
from textapps.tasks.registry import get_presets
from textapps.training.interruption import TrainingInterrupted

FAR = Process("far away", 1, "2")


@pytest.fixture
def stopped(monkeypatch: pytest.MonkeyPatch) -> list[Search]:
    """Searches end as by Ctrl-C, before the first training; they are remembered."""
    seen: list[Search] = []

    def explore(search: Search) -> None:
        seen.append(search)
        raise KeyboardInterrupt

    monkeypatch.setattr(Search, "explore", explore)
    return seen


def test_goes_on_with_the_same_data_only(
    toy_data: Callable[[str], Path],
    tmp_path: Path,
    stopped: list[Search],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    source = tmp_path / "opinions.csv"
    text = toy_data("sentiment").read_text(encoding="utf-8")
    source.write_text(text, encoding="utf-8")
    of = settings("sentiment", source)
    monkeypatch.setenv("TEXTAPPS_DATA__SOURCE", str(source))
    flags = {key: value for key, value in of.flags.items() if key != "data.source"}
    with pytest.raises(TrainingInterrupted):
        searches.begin("sentiment", replace(of, flags=flags), tmp_path, Silent())
    monkeypatch.delenv("TEXTAPPS_DATA__SOURCE")
    with pytest.raises(TrainingInterrupted):
        searches.resume("sentiment", tmp_path, Silent())
    assert stopped[-1].space.base.data.source == str(source)  # that of the environment then
    source.write_text(text.replace(",train", " again,train", 1), encoding="utf-8")
    with pytest.raises(RunError, match=r"was begun on other data than .*opinions\.csv has now"):
        searches.resume("sentiment", tmp_path, Silent())
    assert len(stopped) == 2


def test_a_run_to_start_from_is_that_of_all_trials(
    untrained: Callable[[str, str], Any],
    toy_data: Callable[[str], Path],
    tmp_path: Path,
    stopped: list[Search],
) -> None:
    run = untrained("sentiment", "gru").run
    of = settings("sentiment", toy_data("sentiment"), kinds=())
    flags = {"preset": "tiny", "data.source": of.flags["data.source"], "start.init_from": run.name}
    models = run.path.parent.parent
    with pytest.raises(TrainingInterrupted):
        searches.begin("sentiment", replace(of, flags=flags), models, Silent())
    space = stopped[0].space
    assert {key.partition(".")[0] for key in space.dimensions} == {"training"}
    config = space.config({**space.points[0], "training.learning_rate": 2.0})
    own = get_presets("sentiment").of_run(run.path / "config.toml")
    assert config.start.init_from == str(run.path.absolute())
    assert (config.backbone, config.model) == (own.backbone, own.model)
    # It is lowered, as `train` does it.
    preset = get_presets("sentiment").resolve(flags={"preset": "tiny", "backbone.kind": "gru"})
    assert space.base.training.learning_rate < preset.training.learning_rate
    of = replace(of, flags=flags)
    for other in (
        replace(of, kinds=("lstm",)),
        replace(of, flags={**flags, "backbone.units": "8,16"}),
    ):
        with pytest.raises(ConfigurationError, match=r"is that of the run to start from: search"):
            searches.begin("sentiment", other, models, Silent())
    missing = replace(of, flags={**flags, "start.init_from": "lost"})
    with pytest.raises(RunError, match="no run at lost"):
        searches.begin("sentiment", missing, models, Silent())


def test_what_another_machine_has_left_is_taken_over(tmp_path: Path) -> None:
    """As after a container was begun anew, with another name."""
    study = begin(tmp_path / "s.db")
    waiting, done = (study.ask(of_preset()).id for _ in range(2))
    study.stop(done, {0: 0.5}, facts(0.5, host=FAR.host), ended=False)
    held = {"process": FAR, "run": str(tmp_path)}
    for key, value in {
        f"open:{waiting}": held,
        f"begun:{done}:7:x": held,
        "here:1:far away": FAR,
        "spent:1:far away": [FAR, 12.5],
    }.items():
        study._study.set_user_attr(key, value)
    assert (study.abandoned(), study.spent) == ([], 0.0)
    assert study.finals_begun(done) == {7: None}
    assert not study.claim(waiting, tmp_path)
    study.take_over()
    assert study.spent == 12.5
    assert [(one.id, one.run) for one in study.abandoned()] == [(waiting, tmp_path)]
    assert study.finals_begun(done) == {7: tmp_path}
    of_done = study.trials()[1].facts
    assert of_done is not None
    assert of_done.host == Process.of().host
    study.enter()
    assert study.leave() == []


def of_preset() -> Space[Any]:
    return Space(get_presets("sentiment"), Flags({"preset": "tiny"}))


def test_each_process_has_its_own_time(tmp_path: Path) -> None:
    study = begin(tmp_path / "s.db")
    study.enter()
    study.spend(29.0)
    assert study.spent == 29.0  # it may go on as another program
    gone = Process.of()._replace(began="before")
    study._study.set_user_attr("spent:0:here", [gone, 7.0])
    study._study.set_user_attr("spent:1:here", [[FAR.host, 1, "2"], 99.0])
    assert study.spent == 29.0
    study.leave()
    assert study.spent == 7.0  # that of another machine may be at work
    noted = [key for key, value in study._study.user_attrs.items() if "spent" in key and value]
    assert noted == ["spent:0:here", "spent:1:here"]


def test_searches_of_the_same_second_have_folders_of_their_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = datetime.datetime(2026, 3, 4, 5, 6, 7)
    monkeypatch.setattr(
        folders, "datetime", SimpleNamespace(datetime=SimpleNamespace(now=lambda: now))
    )
    made = [folders.new_folder(tmp_path, None).name for _ in range(3)]
    assert made == ["20260304-050607", "20260304-050607-2", "20260304-050607-3"]
    assert folders.new_folder(tmp_path, made[0]).name == made[0]


def test_runs_are_kept_by_what_decides_which_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not by the metric of the result, which is near nothing for young translators."""
    monkeypatch.setattr(keeping, "is_local", lambda run, host: True)

    def trial(number: int, score: float, early: float, fits: bool = True) -> Trial:
        of = facts(score, run=str(tmp_path / str(number)), fits=fits)
        return Trial(number=number, id=number, point={}, scores={0: early}, facts=of)

    most = keeping.KEPT
    others = [trial(number, 0.1 + number / 100, -number) for number in range(1, most + 2)]
    unfit = trial(99, 0.9, 0.0, fits=False)
    found = keeping.superfluous([trial(0, 0.0, -100.0), *others, unfit])
    assert sorted(path.name for path in found) == [str(most + 1), "99"]


def test_other_machines_keep_their_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """They may be in the same folder."""
    ours, theirs, stopped = (tmp_path / name for name in ("ours", "theirs", "stopped"))
    trials = [
        Trial(number=n, id=n, point={}, facts=facts(0.5, run=str(path), host=host))
        for n, (path, host) in enumerate([(ours, Process.of().host), (theirs, FAR.host)])
    ]
    for path in (ours, theirs, stopped):
        path.mkdir()
    search: Any = SimpleNamespace(
        study=SimpleNamespace(trials=lambda: trials),
        trainer=SimpleNamespace(folder=tmp_path, task=SimpleNamespace(name="sentiment")),
    )
    gone: set[Path] = set()
    monkeypatch.setattr(result, "delete", gone.add)
    runs = [SimpleNamespace(path=path) for path in (ours, theirs, stopped)]
    monkeypatch.setattr(result.RunDirectory, "all", lambda *of: runs)
    result.clear_away(search, alone=False)
    assert gone == {ours}
    result.clear_away(search, alone=True)
    assert gone == {ours, theirs, stopped}


@pytest.mark.parametrize(("whole", "told"), [(True, "to its end"), (False, "cut short")])
def test_a_training_that_was_cut_is_not_called_whole(whole: bool, told: str) -> None:
    of = facts(0.5, whole=whole)
    trial = Trial(number=0, id=0, point={}, scores={LOWER_RUNGS: 0.5}, ended=True, facts=of)
    assert result._reached(trial) == told


@pytest.mark.parametrize(
    ("second", "whole", "again", "chosen"),
    [
        (0.85, True, None, 1),  # trained twice, and better in the mean
        (0.65, True, None, 0),  # one of its two trainings was luck
        (0.1, False, None, 1),  # a training that was cut short does not count
        (0.1, False, 0.79, 1),  # also beside a preset that was trained twice
        (0.85, True, 0.9, 1),
        (0.75, True, 0.9, 0),
    ],
)
def test_the_better_mean_is_the_result(
    monkeypatch: pytest.MonkeyPatch,
    second: float,
    whole: bool,
    again: float | None,
    chosen: int,
) -> None:
    """The first training of the preset is no luck: it was not chosen among others."""
    monkeypatch.setattr(finals, "is_local", lambda run, host: True)
    trial = Trial(
        number=1,
        id=1,
        point={},
        facts=facts(0.9, whole=True),
        finals=(facts(second, whole=whole, random_seed=1),),
    )
    preset = Trial(
        number=0,
        id=0,
        point={},
        facts=facts(0.8 if again is None else 0.76, whole=True),
        finals=() if again is None else (facts(again, whole=True, random_seed=1),),
    )
    lucky = Trial(number=2, id=2, point={}, facts=facts(0.89, whole=True))
    trials = [preset, trial, lucky] if whole else [preset, trial]
    assert finals.best_trainings(trials)[0][0].number == chosen


def test_the_fastest_is_told_of_those_that_are_small_enough() -> None:
    limits = Limits(megabytes=2.0, milliseconds=5.0)
    large, small = (
        Trial(number=n, id=n, point={}, facts=facts(0.5, parameters=size, milliseconds=ms))
        for n, (size, ms) in enumerate([(1_250_000, 3.0), (250_000, 9.0)])
    )
    assert "the fastest takes 9.0 ms" in result._nothing([large, small], limits)
    assert "the smallest, trial 0, has 5.00 MB" in result._nothing([large], limits)


def test_data_are_read_again_for_a_key_that_changes_them(tmp_path: Path) -> None:
    presets = get_presets("generate")
    flags = {"preset": "tiny", "preprocessor.unicode": "nfc,raw", "preprocessor.min_count": "1,2"}
    space = Space(presets, Flags(flags))
    trainer = Trainer("generate", space, tmp_path, Limits())
    read: list[Any] = []

    def load(config: Any, labels: Any) -> Any:
        read.append(config)
        return len(read), None

    trainer._load = load
    points = [
        {**space.points[0], "preprocessor.unicode": form, "preprocessor.min_count": count}
        for form, count in (("nfc", 1), ("raw", 1), ("nfc", 2))
    ]
    assert [trainer.task.load_training(space.config(one), ())[0] for one in points] == [1, 2, 1]
