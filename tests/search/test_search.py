"""Real searches of every task, on tiny data."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.search.searching import KINDS, searched, settings
from tests.search.simulated import Silent
from tests.tasks.runs import PACKED
from tests.tasks.stopping import assert_same_bits
from tests.tasks.tiny import TINY
from textapps.core.errors import ConfigurationError, DataError, RunError
from textapps.search import run as searches
from textapps.search import trainer as trainers
from textapps.search.finals import best_trainings
from textapps.search.limits import Limits
from textapps.search.space import Space
from textapps.search.trainer import Trainer
from textapps.search.watch import Watch
from textapps.tasks import lifecycle
from textapps.tasks.registry import get_presets, get_task
from textapps.training.checkpoint import CheckpointStore
from textapps.training.history import read_history
from textapps.training.run_directory import RunDirectory

pytestmark = [
    pytest.mark.usefixtures("eager"),
    pytest.mark.filterwarnings("ignore:Even though the `tf.config:UserWarning"),
]


# Of two steps a pass, because eager ones are slow.
LARGE_BATCH = {"training.batch_size": 47}


@pytest.fixture(scope="module")
def _done() -> dict[str, tuple[Path, Any, Any]]:
    return {}


@pytest.fixture
def whole_search(
    toy_data: Callable[[str], Path],
    tmp_path_factory: pytest.TempPathFactory,
    _done: dict[str, tuple[Path, Any, Any]],
) -> Callable[[str], tuple[Path, Any, Any]]:
    """`whole_search("sentiment")` is a search's folder, run and result, made once."""

    def search(task: str) -> tuple[Path, Any, Any]:
        if task not in _done:
            models = tmp_path_factory.mktemp("searched")
            _done[task] = (models, *searched(task, models, settings(task, toy_data(task))))
        return _done[task]

    return search


@pytest.mark.parametrize(
    "task",
    [
        "sentiment",
        *(
            pytest.param(t, marks=pytest.mark.exhaustive)
            for t in ("generate", "translate", "speech")
        ),
    ],
)
def test_ends_with_a_finished_run(
    task: Any, toy_data: Callable[[str], Path], whole_search: Callable[..., Any]
) -> None:
    models, run, found = whole_search(task)
    assert RunDirectory.latest(models, task).path == run.path
    assert run.finished
    config = get_presets(task).of_run(run.path / "config.toml")
    assert config.backbone.kind == KINDS[task]
    assert lifecycle.load(get_task(task), run).parameters
    assert [row.number for row in found.tried] == [0, 1, 2]
    preset, *_ = found.tried
    assert (preset.ended, preset.changes) == (True, "")
    chosen = next(row for row in found.tried if row.number == found.chosen)
    assert len(chosen.seeds) == 2  # the second one is of the finals
    assert chosen.best == CheckpointStore(run.checkpoints).newest_state().best_score
    assert chosen.milliseconds
    assert any(row.front for row in found.tried)
    assert (found.baseline is not None) == (task in ("sentiment", "generate"))
    assert json.loads(json.dumps(found.document))["chosen"] == found.chosen
    assert (found.test is None) == (found.chosen == 0)
    if found.test is not None:
        assert found.test.split == "test"
        assert found.changes.keys() & found.space.keys()
    # The runs of the trials are gone; the study is finished.
    (study,) = (models / "searches" / task).iterdir()
    assert not list((study / task).iterdir())
    with pytest.raises(RunError, match=r"is finished: name another one by --study"):
        searched(task, models, settings(task, toy_data(task)), study=study.name)
    with pytest.raises(RunError, match=r"no search of .* to go on with"):
        searches.resume(task, models, Silent())


@pytest.mark.slow
def test_test_is_not_read_before_the_end(
    toy_data: Callable[[str], Path], tmp_path: Path, whole_search: Callable[..., Any]
) -> None:
    """Another text in the test split changes nothing that is chosen."""
    _, one, first = whole_search("sentiment")
    lines = toy_data("sentiment").read_text(encoding="utf-8").splitlines()
    turned = [
        "unlike," + line.partition(",")[2] if line.endswith(",test") else line for line in lines
    ]
    assert turned != lines
    source = tmp_path / "opinions.csv"
    source.write_text("\n".join(turned) + "\n", encoding="utf-8")
    other, second = searched("sentiment", tmp_path, settings("sentiment", source))
    assert_same_bits(one, other)
    assert (first.chosen, [row.best for row in first.tried]) == (
        second.chosen,
        [row.best for row in second.tried],
    )


@pytest.mark.slow
def test_a_session_that_stops_at_a_rung_goes_on_with_the_same_bits(
    tiny: Callable[..., Any], tmp_path: Path
) -> None:
    config = tiny("sentiment", "simple_rnn", **{**LARGE_BATCH, "training.epochs": 3})
    space = Space(get_presets("sentiment"), flags=_flags({"preset": "tiny"}))
    trainer = Trainer("sentiment", space, tmp_path, Limits())
    whole = trainer.session(config, None, Watch())
    rungs: list[int] = []

    def stops(rung: int, score: float) -> bool:
        rungs.append(rung)
        return False

    stopped = trainer.session(config, None, Watch(), goes_on=stops)
    assert stopped.facts
    assert whole.facts
    assert (stopped.ended, stopped.facts.step, rungs) == (False, 2, [1])
    assert stopped.scores == {1: pytest.approx(stopped.facts.score, abs=1e-6)}
    run = RunDirectory.open(stopped.facts.path)
    assert not run.finished
    ended = trainer.session(config, run, Watch())
    assert ended.facts
    assert (ended.ended, ended.facts.whole, ended.facts.step) == (True, True, 6)
    assert ended.scores == whole.scores
    assert_same_bits(RunDirectory.open(whole.facts.path), run)


def test_translators_are_compared_by_nats_for_each_character(
    tiny: Callable[..., Any], tmp_path: Path
) -> None:
    """Which do not depend on how many tokens a sentence has; BLEU is 0 for long."""
    few = {"training.batch_size": 600, "training.checkpoint_steps": 2, "training.epochs": 3}
    config = tiny("translate", "simple_rnn", **few, **{"backbone.layers": 1})
    space = Space(get_presets("translate"), flags=_flags({"preset": "tiny"}))
    trainer = Trainer("translate", space, tmp_path, Limits())
    seen: list[float] = []

    def stops(rung: int, score: float) -> bool:
        seen.append(score)
        return False

    found = trainer.session(config, None, Watch(), goes_on=stops)
    assert found.facts
    run = RunDirectory.open(found.facts.path)
    best = min(float(row["val_nats_per_token"]) for row in read_history(run))
    _, validation = get_task("translate").load_training(config, ())
    translator: Any = lifecycle.load(get_task("translate"), run)
    tokens = sum(
        1 + int(translator.preprocessor.target.lengths([text])[0]) for text in validation.targets
    )
    nats = best * tokens / sum(map(len, validation.targets))
    assert seen == [pytest.approx(-nats, rel=1e-5)]
    assert list(found.scores.values()) == seen
    assert found.facts.monitor == "bleu"


def _flags(values: dict[str, object]) -> Any:
    from textapps.core.config import Flags

    return Flags(values)


def test_a_deadline_ends_a_run_that_is_validated(tiny: Callable[..., Any], tmp_path: Path) -> None:
    config = tiny("sentiment", "simple_rnn")
    space = Space(get_presets("sentiment"), flags=_flags({"preset": "tiny"}))
    trainer = Trainer("sentiment", space, tmp_path, Limits())
    found = trainer.session(config, None, Watch(), deadline=0.0)
    assert found.facts
    assert (found.ended, found.facts.whole, found.facts.step) == (True, False, 1)
    run = RunDirectory.open(found.facts.path)
    assert run.finished
    assert (run.path / "history.csv").read_text().count("\n") == 2


@pytest.mark.slow
def test_a_run_that_was_killed_after_its_end_is_measured(
    tiny: Callable[..., Any], tmp_path: Path
) -> None:
    # As many passes as it needs to come to both rungs before its end.
    config = tiny("sentiment", "simple_rnn", **{**LARGE_BATCH, "training.epochs": 5})
    space = Space(get_presets("sentiment"), flags=_flags({"preset": "tiny"}))
    trainer = Trainer("sentiment", space, tmp_path, Limits())
    whole = trainer.session(config, None, Watch())
    assert whole.facts
    run = RunDirectory.open(whole.facts.path)
    another = Trainer("sentiment", space, tmp_path, Limits())
    again = another.session(config, run, Watch(), timed=True)
    assert again.facts
    assert another.load_seconds > 0
    assert (again.scores, again.ended, again.facts.whole) == (whole.scores, True, True)
    assert list(whole.scores) == [0, 1]
    assert again.facts.total_steps == whole.facts.total_steps == whole.facts.step
    assert again.facts.whole_seconds > 0


def test_what_was_stopped_keeps_what_was_measured(tiny: Callable[..., Any], tmp_path: Path) -> None:
    config = tiny("sentiment", "simple_rnn", **{**LARGE_BATCH, "training.epochs": 1})
    space = Space(get_presets("sentiment"), flags=_flags({"preset": "tiny"}))
    small = Trainer("sentiment", space, tmp_path, Limits(megabytes=1e-4))
    found = small.session(config, None, Watch(), limited=False)
    assert found.facts
    assert not found.facts.fits
    run = RunDirectory.open(found.facts.path)
    stopped = small.stopped(run, Watch()).facts
    assert stopped
    assert (stopped.parameters, stopped.fits) == (found.facts.parameters, False)
    fast = Trainer("sentiment", space, tmp_path, Limits(milliseconds=1e6))
    unknown, known = (fast.stopped(run, Watch(), one).facts for one in (None, found.facts))
    assert unknown
    assert known
    assert (unknown.fits, known.fits) == (False, True)
    assert (known.milliseconds, known.parameters) == (
        found.facts.milliseconds,
        found.facts.parameters,
    )


@pytest.mark.slow
def test_ctrl_c_in_the_evaluation_on_test_leaves_the_run(
    toy_data: Callable[[str], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stopped(*_: Any, **__: Any) -> Any:
        raise KeyboardInterrupt

    monkeypatch.setattr("textapps.search.result.compare", stopped)
    asked = settings("sentiment", toy_data("sentiment"), trials=3)
    monkeypatch.setattr("textapps.search.result.best_trainings", _second_trial_first)
    run, found = searched("sentiment", tmp_path, asked)
    assert run.finished
    assert (found.test, found.chosen) == (None, 1)
    assert found.notes[0].startswith("Not evaluated on the test split")


def _second_trial_first(trials: Any) -> Any:
    found = best_trainings(trials)
    return sorted(found, key=lambda one: one[0].number != 1)


def test_a_size_limit_that_none_meets_tells_the_smallest(
    toy_data: Callable[[str], Path], tmp_path: Path
) -> None:
    of = settings(
        "sentiment", toy_data("sentiment"), megabytes=0.0001, trials=2, flags={"training.epochs": 1}
    )
    with pytest.raises(
        RunError,
        match=r"no trial is within --max-size 0.0001MB: the smallest, trial \d, has 0.0\d MB",
    ):
        searched("sentiment", tmp_path, of)
    assert not RunDirectory.all(tmp_path, "sentiment")


@pytest.mark.slow
def test_limits_choose_among_what_is_within_them(
    toy_data: Callable[[str], Path], tmp_path: Path
) -> None:
    """The preset, which has 32 units, is over the limit."""
    flags = {"backbone.units": "8,32", "backbone.layers": 1, "training.epochs": 1}
    of = settings("sentiment", toy_data("sentiment"), flags=flags, trials=5)
    small, large = (4 * parameters_with(toy_data("sentiment"), units) / 1e6 for units in (8, 32))
    limit = (small + large) / 2
    _, found = searched("sentiment", tmp_path, replace(of, megabytes=limit))
    preset = found.tried[0]
    assert not preset.fits
    assert found.chosen != 0
    chosen = next(row for row in found.tried if row.number == found.chosen)
    assert 0 < chosen.megabytes <= limit < preset.megabytes


def parameters_with(source: Path, units: int) -> int:
    flags = {**TINY["sentiment"], "data.source": str(source), "backbone.units": units}
    flags["backbone.kind"] = "simple_rnn"
    config = get_presets("sentiment").resolve(flags=flags)
    task = get_task("sentiment")
    train, _ = task.load_training(config, ())
    preprocessor, _ = task.learn(config, train, None)
    model = task.model(config, preprocessor, task.labels(train))
    model.build()
    count: int = trainers.parameter_count(model)
    return count


@pytest.mark.parametrize(
    ("changes", "error", "told"),
    [
        ({"metric": "bleu"}, ConfigurationError, "unknown metric 'bleu', choose from accuracy"),
        ({"flags": {"data.source": "none.csv"}}, DataError, "none.csv"),
        ({"flags": {"backbone.kind": "gru", "backbone.heads": 0}}, ConfigurationError, "heads"),
    ],
)
def test_bad_input_leaves_nothing_behind(
    changes: dict[str, Any],
    error: type[Exception],
    told: str,
    toy_data: Callable[[str], Path],
    tmp_path: Path,
) -> None:
    with pytest.raises(error, match=told):
        searched(
            "sentiment",
            tmp_path / "models",
            settings("sentiment", toy_data("sentiment"), **changes),
        )
    assert not (tmp_path / "models").exists()


def test_a_failed_beginning_leaves_no_folder_and_its_own_error(
    toy_data: Callable[[str], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def begin(place: str, *_: Any) -> Any:
        Path(place).write_bytes(b"a part")
        raise RunError("the disk is full")

    monkeypatch.setattr(searches.Study, "begin", begin)
    with pytest.raises(RunError, match="the disk is full"):
        searched("sentiment", tmp_path, settings("sentiment", toy_data("sentiment")))
    assert not list((tmp_path / "searches" / "sentiment").iterdir())


@pytest.mark.exhaustive
def test_a_pretrained_start_is_a_candidate(
    toy_data: Callable[[str], Path],
    packed: Callable[[str], Any],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    model = packed("sentiment")
    monkeypatch.setenv("TEXTAPPS_PRETRAINED_DIR", str(model.path.parent))
    of = settings("sentiment", toy_data("sentiment"), kinds=("lstm",))
    few = {"preset": "tiny", "training.epochs": 2, "training.batch_size": 40}
    of = replace(of, flags={**few, "data.source": of.flags["data.source"]}, trials=2)
    _, found = searched("sentiment", tmp_path, of)
    assert found.space["start.init_from"] == "none, pretrained:imdb"
    assert found.tried[1].changes.startswith("from pretrained:imdb")
    assert [one.backbone for one in found.tried] == ["lstm", PACKED["sentiment"][1]]
    assert found.tried[1].best is not None
