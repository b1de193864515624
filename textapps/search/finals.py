"""The finals of a search: the best trials trained to their ends, and on other random seeds."""

import math
from collections.abc import Callable, Sequence
from typing import Any

from textapps.core.errors import TextappsError
from textapps.core.notices import muted
from textapps.search.keeping import is_local
from textapps.search.search import Search
from textapps.search.trial import Facts, Trial
from textapps.training.data_record import DATA
from textapps.training.run_directory import RunDirectory

WORTH_SHARE = 0.1  # of a whole training, behind its setup: a shorter one is not begun
WORTH_FINISHING_SHARE = 0.5  # of the rest of a training: with less time it is left as it is


def play(search: Search) -> None:
    """Trains the finalists to their ends and on a second random seed, while there is time.

    What is left of it goes to further random seeds of the best one, unless as many trials as were
    wanted have been tried.

    Raises:
        TrainingInterrupted: Ctrl-C was pressed.
    """
    for trial in search.finalists(search.study.trials()):
        with muted():
            _to_the_end(search, trial)
    finalists = search.finalists(search.study.trials())
    for place, trial in enumerate(finalists):
        costs = [one.again_seconds for one in finalists[place:]]
        if not _here(trial.finals) and (trial.ended or not _here([trial.facts])):
            with muted():
                _again(search, trial, later=costs[1:])
    while True:
        trials = search.study.trials()
        if search.most_trials is not None and len(trials) >= search.most_trials:
            return
        search.tail.plan(search.times_slower(trials))
        best = next(iter(search.finalists(trials)), None)
        if best is None:
            return
        with muted():
            trained = _again(search, best)
        if trained:
            search.between()
            continue
        if best.number or not search.tail.seconds:
            return
        search.tail.leave_out()  # the preset is not compared with itself


def _to_the_end(search: Search, trial: Trial) -> None:
    """Goes on with a trial that stands at a rung, if its run is here.

    Where there is time for a part of the rest alone, it is cut short.
    """
    facts = trial.facts
    assert facts is not None
    if trial.ended or not is_local(facts.run, facts.host):
        return
    if search.allowance.for_trainings < WORTH_FINISHING_SHARE * trial.rest_seconds:
        return
    if not search.study.claim(trial.id, facts.path):
        return
    run = RunDirectory.open(facts.path)
    found = _train(search, trial, search.space.config(trial.point), run)
    if found is None:
        search.study.release(trial.id)
    else:
        scores, ended_facts = found
        search.study.stop(trial.id, scores, ended_facts, ended=True)


def _again(search: Search, trial: Trial, later: Sequence[float] = ()) -> bool:
    """Trains the configuration of a trial with the next random seed; False if it failed.

    A training that must end sooner may be the best one all the same, but does not count where
    configurations are compared.

    later: the seconds that later trainings want. If there are too few for all, this one comes
        first: two that are cut short would both not count.
    """
    assert trial.facts is not None
    left, whole = search.allowance.for_trainings, trial.whole_seconds
    given = max(left - sum(later), min(left, trial.again_seconds))
    if given < trial.facts.setup_seconds + WORTH_SHARE * whole:
        return False
    begun = search.study.finals_begun(trial.id)
    seed, run = next(
        ((seed, path) for seed, path in begun.items() if path and (path / DATA).is_file()),
        (max([*begun, *(one.random_seed for one in (trial.facts, *trial.finals))]) + 1, None),
    )
    found = _train(
        search,
        trial,
        search.space.config(trial.point).model_copy(update={"random_seed": seed}),
        None if run is None else RunDirectory.open(run, trained=False),
        end=search.allowance.clock() + given,
        began=lambda run: search.study.begin_final(trial.id, seed, run.path),
    )
    if found is None:
        return False
    search.study.add_final(trial.id, found[1])
    return True


def _train(
    search: Search,
    trial: Trial,
    config: Any,
    run: RunDirectory | None,
    *,
    end: float = math.inf,
    began: Callable[[RunDirectory], None] = lambda run: None,
) -> tuple[dict[int, float], Facts] | None:
    """Scores and facts of a training that ends in time; None if it failed."""
    assert trial.facts is not None
    watch = search.watch(
        f"trial {trial.number} (finals)", known_validation=trial.facts.validation_seconds
    )
    last = search.allowance.trainings_end
    try:
        session = search.trainer.session(
            config, run, watch, deadline=min(last, end), measured_until=last, began=began
        )
    except TextappsError:
        return None
    return None if session.facts is None else (dict(session.scores), session.facts)


def best_trainings(trials: Sequence[Trial]) -> list[tuple[Trial, Facts]]:
    """The trainings of this machine that may be the result, the best configuration's best first.

    A configuration is as good as the mean of its whole trainings. The best first training of many
    trials may be luck, so trials with a second whole one go before the others. The first training
    of the preset was not chosen among others, and counts as it is.
    """
    usable = [trial for trial in trials if trial.usable]
    tested = [trial for trial in usable if any(one.whole for one in _here(trial.finals))]
    if any(trial.number for trial in tested):
        usable = [trial for trial in usable if trial in tested or not trial.number]
    found = []
    for trial in sorted(usable, key=lambda one: -one.mean_score):
        here = _here([facts for facts in (trial.facts, *trial.finals) if facts is not None])
        found += [(trial, facts) for facts in sorted(here, key=lambda one: -one.score)]
    return found


def _here(trainings: Sequence[Facts | None]) -> list[Facts]:
    """Those whose runs are on this machine."""
    return [facts for facts in trainings if facts and is_local(facts.run, facts.host)]
