"""What a search trains and when it ends, with a clock that the trainings move."""

import shutil
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.search.simulated import STEPS_PER_PASS, Clock, Silent, SimulatedTrainer, opened
from textapps.core.config import Flags
from textapps.core.errors import ConfigurationError
from textapps.search import failures, finals, search
from textapps.search.allowance import Allowance
from textapps.search.halving import LOWER_RUNGS, REDUCTION
from textapps.search.limits import Limits
from textapps.search.process import Process
from textapps.search.search import Search
from textapps.search.space import Space
from textapps.search.study import Study
from textapps.search.watch import TooLongError, Watch
from textapps.tasks.registry import get_presets
from textapps.training.interruption import TrainingTerminated
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
    folder: Path,
    seconds: float,
    trainer: SimulatedTrainer,
    trials: int | None = None,
    of: Space[Any] = SPACE,
) -> Search:
    folder.mkdir(parents=True, exist_ok=True)
    study = Study.begin(str(folder / "s.db"), "s", of, RECORD, seed=3)
    allowance = Allowance(seconds, clock=trainer.clock)
    return Search(study, of, trainer, allowance, Silent(), trials)  # type: ignore[arg-type]


def carried_out(one: Search) -> None:
    one.explore()
    finals.play(one)


@pytest.mark.exhaustive
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
    trials = one.study.trials()
    end = 0.0
    if one.tail.is_possible:
        of_preset, of_result = (
            facts.validation_seconds
            for facts in (trials[0].facts, finals.best_trainings(trials)[0][1])
        )
        end = 2 * setup + setup * (1 + of_result / of_preset)
    assert one.allowance.spent + end <= 1.05 * 60 * minutes
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


@pytest.mark.slow
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


def test_a_final_that_was_killed_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    trainer = SimulatedTrainer(Clock(), tmp_path / "runs", per_step=0.02, setup=1.0)
    one = made(tmp_path, 3_600, trainer, trials=4)
    one.explore()
    for trial in one.finalists(one.study.trials()):
        finals._to_the_end(one, trial)
    trainer.left_to_live = 25  # of the 60 to 240 steps of a second random seed
    with pytest.raises(RuntimeError):
        finals.play(one)
    best = one.finalists(one.study.trials())[0]
    assert one.study.finals_begun(best.id) == {1: None}  # this process lives
    monkeypatch.setattr(Process, "is_gone", property(lambda self: True))
    ((seed, run),) = one.study.finals_begun(best.id).items()
    assert seed == 1
    trainer.left_to_live, trainer.trained = 10_000, []
    finals.play(one)
    assert trainer.trained[0][:2] == (str(run), 20)
    assert [facts.random_seed for facts in one.study.trials()[best.number].finals] == [1]
    assert not one.study.finals_begun(best.id)


def test_finals_on_another_machine_do_not_end_those_of_this_one(tmp_path: Path) -> None:
    trainer = SimulatedTrainer(Clock(), tmp_path / "runs", per_step=0.02, setup=1.0)
    one = made(tmp_path, 3_600, trainer, trials=4)
    one.explore()
    last = one.finalists(one.study.trials())[-1]
    assert last.facts
    far = replace(last.facts, host="far away", random_seed=9, score=0.99, whole=True)
    one.study.add_final(last.id, far)
    trainings = finals.best_trainings(one.study.trials())
    assert trainings
    assert far not in [facts for _, facts in trainings]
    finals.play(one)
    seeds = {trial.id: {one.random_seed for one in trial.finals} for trial in one.study.trials()}
    assert seeds[last.id] == {9, 10}


def test_time_is_kept_for_the_slowest_finalist(tmp_path: Path) -> None:
    """A model of twice the preset's width takes twice as long in validations and on test."""
    trainer = SimulatedTrainer(Clock(), tmp_path / "runs", per_step=0.02, setup=3.0)
    one = made(tmp_path, 600, trainer, trials=6)
    one.explore()
    preset, *others = one.study.trials()
    assert preset.facts
    finalists = [trial.facts.validation_seconds for trial in one.finalists([preset, *others])]
    slower = max(1.0, *(one / preset.facts.validation_seconds for one in finalists))
    kept = 2 * trainer.load_seconds + 3.0 * (1 + slower)
    assert one.tail.seconds == pytest.approx(kept)


@pytest.mark.slow
def test_the_preset_gives_away_the_time_for_the_test_split_last(tmp_path: Path) -> None:
    trainer = SimulatedTrainer(Clock(), tmp_path / "runs", per_step=0.2, setup=5.0)
    trainer.score = lambda config, share: (  # type: ignore[method-assign]
        share * (0.9 if config.training.learning_rate == SPACE.base.training.learning_rate else 0.5)
    )
    one = made(tmp_path, 600, trainer)
    one.explore()
    kept: list[float] = []
    whole = trainer.session

    def session(*words: Any, **options: Any) -> Any:
        kept.append(one.tail.seconds)
        return whole(*words, **options)

    trainer.session = session  # type: ignore[method-assign]
    finals.play(one)
    chosen, _ = finals.best_trainings(one.study.trials())[0]
    assert chosen.number == 0
    assert kept[0] > 0
    assert kept[-1] == 0
    assert one.allowance.left < 0.05 * 600


def test_a_preset_that_just_fits_is_not_measured_any_more(tmp_path: Path) -> None:
    trainer = SimulatedTrainer(Clock(), tmp_path / "runs", per_step=1.0, setup=5.0)
    seconds = 1.05 * (5 + 11 * SPACE.base.training.epochs)
    one = made(tmp_path, seconds, trainer)
    carried_out(one)
    assert one.allowance.spent <= seconds
    assert one.study.measured["test_seconds"] is None
    assert not one.tail.is_possible


def terminated(*_: Any, **__: Any) -> Any:
    raise TrainingTerminated


def test_sigterm_while_the_preset_is_measured_or_trained_leaves_it_open(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trainer = SimulatedTrainer(Clock(), tmp_path / "runs", per_step=0.02, setup=1.0)
    validated = trainer._session
    for place, words in (("train", ("_session",)), ("measure", ("classical",))):
        one = made(tmp_path / place, 3_600, trainer, trials=2)
        with monkeypatch.context() as stopped:
            stopped.setattr(trainer, *words, terminated)
            stopped.setattr(trainer, "stopped", lambda *_: validated)
            with pytest.raises(TrainingTerminated):
                one.explore()
        assert not one.study.measured
        with monkeypatch.context() as gone:
            gone.setattr(Process, "is_gone", property(lambda self: True))
            again = made(tmp_path / place, 3_600, trainer, trials=2)
            carried_out(again)
        assert again.study.measured["baseline"] == {"accuracy": 0.4}
        assert again.study.trials()[0].ended


@pytest.mark.slow
def test_between_further_seeds_the_process_is_looked_at(tmp_path: Path) -> None:
    trainer = SimulatedTrainer(Clock(), tmp_path / "runs", per_step=0.02, setup=1.0)
    looked: list[int] = []
    one = made(tmp_path, 60, trainer)
    one.explore()
    one.between = lambda: looked.append(len(trainer.trained))
    finals.play(one)
    assert looked
    assert looked[-1] == len(trainer.trained)


def test_a_shared_search_is_not_replaced_and_a_resumed_one_knows_its_runs(tmp_path: Path) -> None:
    trainer = SimulatedTrainer(Clock(), tmp_path / "runs", per_step=0.02, setup=1.0)
    one = made(tmp_path, 3_600, trainer, trials=3)
    one.explore()
    runs = {trial.facts.path for trial in one.study.trials() if trial.facts}
    words = (one.study, one.space, one.trainer, one.allowance, one.progress)
    for alone in (True, False):
        again = Search(*words, most_trials=3, between=terminated, alone=alone)
        again.explore()
        assert again._own == (runs if alone else set())
        if not alone:
            again.between()


def test_killed_while_the_preset_is_measured_it_is_measured_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trainer = SimulatedTrainer(Clock(), tmp_path / "runs", per_step=0.02, setup=1.0)
    one = made(tmp_path, 3_600, trainer, trials=2)
    with monkeypatch.context() as killed:
        killed.setattr(trainer, "classical", lambda config: 1 / 0)
        killed.setattr(Study, "stop", lambda *words, **options: None)  # it does not come to this
        with pytest.raises(ZeroDivisionError):
            one.explore()
    assert not one.study.measured
    monkeypatch.setattr(Process, "is_gone", property(lambda self: True))
    again = made(tmp_path, 3_600, trainer, trials=2)
    carried_out(again)
    assert again.study.measured["baseline"] == {"accuracy": 0.4}
    assert again.study.trials()[0].ended


def test_a_time_shorter_than_one_trial_says_how_long_one_takes(tmp_path: Path) -> None:
    trainer = SimulatedTrainer(Clock(), tmp_path / "runs", per_step=1.0, setup=5.0)
    one = made(tmp_path, 60, trainer)
    with pytest.raises(
        ConfigurationError,
        match=r"--minutes 1 is shorter than one trial: the preset takes about 2 minutes here; give",
    ):
        carried_out(one)


def test_a_time_that_is_over_before_there_is_anything_to_compare(tmp_path: Path) -> None:
    """Reading the data and tracing may take longer than the time named."""
    trainer = SimulatedTrainer(Clock(), tmp_path / "runs", per_step=1.0, setup=70.0)
    for after, told in ((0.0, "--minutes 1 is shorter"), (48.0, "12 seconds are left of the")):
        one = made(tmp_path / told, 60, trainer)
        one.resumed_after = after
        with pytest.raises(ConfigurationError, match=rf"^{told}.* came to step 1 of 120 until"):
            carried_out(one)


def test_a_finalist_that_is_cut_short_is_the_result_if_none_is_better(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trainer = SimulatedTrainer(Clock(), tmp_path / "runs", per_step=0.02, setup=1.0)
    trainer.score = lambda config, share: (  # type: ignore[method-assign]
        share / 100 + (0.5 if config == SPACE.base else 0.9)
    )
    one = made(tmp_path, 3_600, trainer, trials=4)
    monkeypatch.setattr(search, "promotable", lambda scores, promoted: [])
    one.explore()
    best, other = one.finalists(one.study.trials())
    assert not best.ended
    assert best.rest_seconds > 0.5
    one.allowance.seconds = one.allowance.spent + one.allowance.tail + 0.7 * best.rest_seconds
    trainer.trained = []
    finals.play(one)
    assert best.facts
    assert {run for run, *_ in trainer.trained} <= {best.facts.run, other.facts and other.facts.run}
    chosen, facts = finals.best_trainings(one.study.trials())[0]
    assert (chosen.id, chosen.ended, facts.whole) == (best.id, True, False)
    assert facts.step > best.facts.step


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


def test_the_time_of_a_training_ends_at_its_own_limit() -> None:
    clock = Clock()
    watch = Watch(longest=50.0, clock=clock)
    watch.start(Extent(1_000, 0, 10, 10, 3, max_seconds=30.0))
    for step in range(1, 21):
        clock.now += 1.0
        watch.update(step, {}, step)  # not too long
    assert watch.whole_seconds == 2 + 30 + 3 * 1  # setup, steps, validations


@pytest.mark.slow
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
    assert len(others) == failures.FAILURES
    assert {trial.failed for trial in others} == {"no"}


def test_a_preset_that_was_killed_late_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is left of it fits into what is left of the time; all of it would not."""
    monkeypatch.setattr(Process, "is_gone", property(lambda self: True))
    steps = STEPS_PER_PASS * SPACE.base.training.epochs
    whole = 5.0 + 1.1 * steps
    first = SimulatedTrainer(
        Clock(), tmp_path / "runs", per_step=1.0, setup=5.0, die_after=steps * 4 // 5
    )
    one = made(tmp_path, 1.4 * whole, first)
    with pytest.raises(RuntimeError, match="killed"):
        one.explore()
    spent = one.allowance.spent
    assert spent > 0.5 * one.allowance.seconds
    second = SimulatedTrainer(Clock(), tmp_path / "runs", per_step=1.0, setup=5.0)
    again = made(tmp_path, 1.4 * whole, second)
    again.allowance.began_at -= spent
    carried_out(again)
    assert again.study.trials()[0].ended
    assert second.trained[0][1] > 0


def test_a_small_space_is_looked_through_once(tmp_path: Path) -> None:
    own = SPACE.base.model_dump()
    fixed = {key: own[key.partition(".")[0]][key.partition(".")[2]] for key in SPACE.dimensions}
    flags = {**fixed, "preset": "tiny", "backbone.units": "16,32,64", "model.stride": "1,2"}
    small = Space(get_presets("sentiment"), Flags(flags), kinds=("gru",))
    assert small.dimensions.keys() == {"backbone.units", "model.stride"}
    trainer = SimulatedTrainer(Clock(), tmp_path / "runs", per_step=0.02, setup=1.0)
    one = made(tmp_path, 36_000, trainer, of=small)
    one.explore()
    assert one.allowance.spent < 3_600
    trials = one.study.trials()
    tried = [tuple(trial.point.values()) for trial in trials if not trial.failed]
    assert len(tried) == len(set(tried)) == 6
    assert {trial.failed[:-2] for trial in trials if trial.failed} == {failures.REPEATED}


@pytest.mark.slow
def test_models_over_a_limit_take_no_places_of_others(tmp_path: Path) -> None:
    """They are better, as larger ones are."""
    trainer = SimulatedTrainer(
        Clock(), tmp_path / "runs", per_step=0.02, setup=1.0, limits=Limits(megabytes=0.12)
    )
    trainer.score = lambda config, share: round(share * config.backbone.units / 100, 6)  # type: ignore[method-assign]
    one = made(tmp_path, 3_600, trainer, trials=15)
    one.explore()
    trials = one.study.trials()[1:]
    over = {trial.id for trial in trials if trial.facts and not trial.facts.fits}
    assert over
    assert [trial for trial in trials if trial.usable and trial.rung > 0]
    sessions = Counter(run for run, *_ in trainer.trained)
    again = {trial.id for trial in trials if trial.facts and sessions[trial.facts.run] > 1}
    assert not again & over


def test_the_ladder_is_that_of_the_docs() -> None:
    assert (LOWER_RUNGS, REDUCTION) == (2, 3)
