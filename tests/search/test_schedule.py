"""What a search trains and when it ends, with a clock that the trainings move."""

import shutil
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.search.simulated import Clock, Silent, SimulatedTrainer, opened
from textapps.core.config import Flags
from textapps.core.errors import ConfigurationError
from textapps.search import finals, search
from textapps.search.allowance import Allowance
from textapps.search.halving import LOWER_RUNGS, REDUCTION
from textapps.search.process import Process
from textapps.search.search import Search
from textapps.search.space import Space
from textapps.search.study import Study
from textapps.search.watch import TooLongError, Watch
from textapps.tasks.registry import get_presets
from textapps.training.pace import Extent

RECORD = {"task": "sentiment", "metric": None, "data": [], "settings": {}}
SPACE = Space(
    get_presets("sentiment"),
    Flags(
        {
            "preset": "tiny",
            "training.learning_rate": "1e-4..1e-1",
            "backbone.units": "16..64",
            "training.epochs": "6..24",
        }
    ),
    kinds=("gru",),
)


@pytest.fixture(autouse=True)
def _no_real_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (search, finals):
        monkeypatch.setattr(module.RunDirectory, "open", opened)
    monkeypatch.setattr(search, "delete", lambda path: shutil.rmtree(path, ignore_errors=True))


def made(
    folder: Path, seconds: float, trainer: SimulatedTrainer, trials: int | None = None
) -> Search:
    folder.mkdir(parents=True, exist_ok=True)
    study = Study.begin(str(folder / "s.db"), "s", SPACE, RECORD, seed=3)
    allowance = Allowance(seconds, clock=trainer.clock)
    return Search(study, SPACE, trainer, allowance, Silent(), trials)  # type: ignore[arg-type]


def carried_out(one: Search) -> None:
    one.explore()
    finals.play(one)


@pytest.mark.slow
@given(
    per_step=st.floats(0.01, 0.1),
    setup=st.floats(2, 6),
    noise=st.floats(0, 0.3),
    minutes=st.sampled_from([2, 3]),
    seed=st.integers(0, 9),
)
@settings(max_examples=3, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_the_time_named_is_kept(
    tmp_path_factory: Any, per_step: float, setup: float, noise: float, minutes: int, seed: int
) -> None:
    folder, clock = tmp_path_factory.mktemp("search"), Clock()
    trainer = SimulatedTrainer(
        clock, folder / "runs", per_step=per_step, setup=setup, noise=noise, seed=seed
    )
    one = made(folder, 60 * minutes, trainer)
    carried_out(one)
    used = one.allowance.spent + 2 * (setup + setup)  # the end, as it was estimated
    assert used <= 1.05 * 60 * minutes
    trials = one.study.trials()
    assert trials[0].point == SPACE.points[0]
    assert trials[0].ended
    best = finals.best_trainings(trials)
    assert best
    if len([trial for trial in trials if trial.facts]) > 1:
        assert len([trial for trial in trials if trial.finals]) >= 1


def test_the_best_third_goes_on_and_finalists_have_a_second_seed(tmp_path: Path) -> None:
    trainer = SimulatedTrainer(Clock(), tmp_path / "runs", per_step=0.02, setup=1.0)
    one = made(tmp_path, 3_600, trainer, trials=12)
    carried_out(one)
    trials = one.study.trials()
    assert len(trials) == 12
    tried = [trial for trial in trials if 0 in trial.scores]
    gone_on = [trial for trial in tried if trial.rung > 0]
    assert len(gone_on) >= len(tried) // REDUCTION
    worst_of_best = min(trial.scores[0] for trial in gone_on if trial.number)
    assert worst_of_best >= sorted(trial.scores[0] for trial in tried)[len(tried) // 3]
    finalists = [trial for trial in trials if trial.finals]
    assert len(finalists) == 2
    for trial in finalists:
        assert trial.ended
        assert [facts.random_seed for facts in trial.whole_trainings] == [0, 1]
        assert (
            trial.mean_score
            >= max(other.facts.score for other in trials if other.facts and not other.finals) - 0.01
        )
    chosen, facts = finals.best_trainings(trials)[0]
    assert facts.score == max(one.score for one in chosen.whole_trainings)
    # A session begins where the one before it has stopped: no step is trained twice.
    steps: dict[str, int] = {}
    for run, first, last in trainer.trained:
        assert first == steps.get(run, 0)
        steps[run] = last


def test_a_preset_that_takes_a_third_of_the_time_leaves_some_for_others(tmp_path: Path) -> None:
    trainer = SimulatedTrainer(Clock(), tmp_path / "runs", per_step=1.0, setup=5.0)
    seconds = 3.2 * (5 + 11 * SPACE.base.training.epochs)
    one = made(tmp_path, seconds, trainer)
    carried_out(one)
    preset, *others = (trial for trial in one.study.trials() if trial.facts)
    assert preset.facts
    assert preset.facts.whole_seconds > 0.3 * seconds
    assert len(others) >= 2


def test_killed_again_and_again_ends_as_if_not_killed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def trial_rows(one: Search) -> list[Any]:
        rows = []
        for trial in one.study.trials():
            facts = trial.facts
            assert facts is not None
            rows.append((trial.point, dict(trial.scores), trial.ended, facts.score, facts.step))
        return rows

    undisturbed = made(
        tmp_path / "whole",
        36_000,
        SimulatedTrainer(Clock(), tmp_path / "whole" / "runs", per_step=0.02, setup=1.0),
        trials=9,
    )
    carried_out(undisturbed)
    monkeypatch.setattr(Process, "is_gone", property(lambda self: True))
    folder = tmp_path / "killed"
    for life in range(40):
        trainer = SimulatedTrainer(
            Clock(), folder / "runs", per_step=0.02, setup=1.0, die_after=57 + 13 * life
        )
        killed = made(folder, 36_000, trainer, trials=9)
        finished = {trial.id for trial in killed.study.trials() if trial.ended}
        try:
            carried_out(killed)
            break
        except RuntimeError:
            assert finished <= {trial.id for trial in killed.study.trials() if trial.ended}
    assert 5 <= life < 39
    assert trial_rows(killed) == trial_rows(undisturbed)
    (best, *_), (same, *_) = (
        finals.best_trainings(one.study.trials()) for one in (killed, undisturbed)
    )
    assert (best[0].number, best[1].score) == (same[0].number, same[1].score)


def test_a_time_shorter_than_one_trial_says_how_long_one_takes(tmp_path: Path) -> None:
    trainer = SimulatedTrainer(Clock(), tmp_path / "runs", per_step=1.0, setup=5.0)
    one = made(tmp_path, 60, trainer)
    with pytest.raises(
        ConfigurationError,
        match=r"--minutes 1 is shorter than one trial: the preset takes about 2 minutes here; give",
    ):
        carried_out(one)


@pytest.mark.parametrize(
    ("total", "longest", "at"), [(8, 5.0, 5), (8, 8.0, 8), (40, 30.0, 12), (8, 10.0, None)]
)
def test_a_training_of_few_steps_is_found_too_long(
    total: int, longest: float, at: int | None
) -> None:
    """Steps take a second, the one validation about two."""
    clock = Clock()
    watch = Watch(longest=longest, clock=clock)
    watch.start(Extent(total, 0, total, total, 6))
    for step in range(1, total + 1):
        clock.now += 1.0
        if step == at:
            with pytest.raises(TooLongError) as found:
                watch.update(step, {}, step)
            assert found.value.seconds == 2 + total + 2  # setup, steps, validation
            break
        watch.update(step, {}, step)


def test_trials_that_all_fail_end_the_search(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trainer = SimulatedTrainer(Clock(), tmp_path / "runs", per_step=0.02, setup=1.0)
    one = made(tmp_path, 36_000, trainer)
    whole = trainer.session

    def failing(config: Any, run: Any, watch: Any, **options: Any) -> Any:
        if options.get("timed"):
            return whole(config, run, watch, **options)
        raise ConfigurationError("no")

    monkeypatch.setattr(trainer, "session", failing)
    one.explore()
    first, *others = one.study.trials()
    assert first.ended
    assert len(others) == search.FAILURES
    assert {trial.failed for trial in others} == {"no"}


def test_the_ladder_is_that_of_the_docs() -> None:
    assert (LOWER_RUNGS, REDUCTION) == (2, 3)
