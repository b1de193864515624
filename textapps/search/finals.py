"""The finals of a search: the best trials trained to their ends, and on other random seeds."""

from collections.abc import Sequence
from typing import Any

from textapps.core.errors import TextappsError
from textapps.core.notices import muted
from textapps.search.keeping import is_local
from textapps.search.search import Search
from textapps.search.trial import Facts, Trial
from textapps.search.watch import Watch
from textapps.training.run_directory import RunDirectory

SEED_STEP = 1  # from the random seed of one training of a configuration to that of the next
WORTH_SHARE = 0.1  # of a whole training, behind its setup: a shorter one is not begun


def play(search: Search) -> None:
    """Trains the finalists to their ends and on a second random seed, while there is time.

    What is left of it goes to further random seeds of the best one, unless the number of trials
    was limited.

    Raises:
        TrainingInterrupted: Ctrl-C was pressed.
    """
    finalists = search.finalists(search.study.trials())
    for place, trial in enumerate(finalists):
        costs = [search.whole_seconds(one) for one in finalists[place:]]
        with muted():
            _to_the_end(search, trial)
            if not trial.finals:
                _again(search, trial, later=costs[1:])
    while search.most_trials is None:
        best = next(iter(search.finalists(search.study.trials())), None)
        if best is None:
            return
        if best.number == 0:  # the preset, which is not compared with itself
            search.leave_test_out()
        with muted():
            if not _again(search, best):
                return


def _to_the_end(search: Search, trial: Trial) -> None:
    """Goes on with a trial that stands at a rung, if its run is here."""
    facts = trial.facts
    assert facts is not None
    if trial.ended or not is_local(facts.run, facts.host):
        return
    if search.rest_seconds(trial) > search.allowance.for_trainings:
        return
    found = _train(search, search.space.config(trial.point), RunDirectory.open(facts.path))
    if found is not None:
        scores, ended_facts = found
        search.study.stop(trial.id, scores, ended_facts, ended=True)


def _again(search: Search, trial: Trial, later: Sequence[float] = ()) -> bool:
    """Trains the configuration of a trial with the next random seed; False if it failed.

    A training that must end sooner may be the best one all the same, but does not count where
    configurations are compared.

    later: the seconds that later trainings want; if there are too few, all get their share.
    """
    assert trial.facts is not None
    left, whole = search.allowance.for_trainings, search.whole_seconds(trial)
    given = max(left - sum(later), left * whole / max(whole + sum(later), 1e-9))
    if given < trial.facts.setup_seconds + WORTH_SHARE * whole:
        return False
    seeds = [one.random_seed for one in (trial.facts, *trial.finals) if one is not None]
    config = search.space.config(trial.point)
    config = config.model_copy(update={"random_seed": max(seeds) + SEED_STEP})
    found = _train(search, config, None, end=search.allowance.clock() + given, trial=trial)
    if found is None:
        return False
    search.study.add_final(trial.id, found[1])
    return True


def _train(
    search: Search,
    config: Any,
    run: RunDirectory | None,
    *,
    end: float | None = None,
    trial: Trial | None = None,
) -> tuple[dict[int, float], Facts] | None:
    """Scores and facts of a training that ends in time; None if it failed."""
    watch = Watch(tick=search.show, clock=search.allowance.clock)
    known = trial.facts.validation_seconds if trial is not None and trial.facts else 0.0
    last = search.allowance.trainings_end
    deadline = min(last, last if end is None else end) - known
    try:
        session = search.trainer.session(config, run, watch, deadline=deadline)
    except TextappsError:
        return None
    return None if session.facts is None else (dict(session.scores), session.facts)


def best_trainings(trials: Sequence[Trial]) -> list[tuple[Trial, Facts]]:
    """The trainings of this machine that may be the result, the best configuration's best first.

    A configuration is as good as the mean of its whole trainings: the best of several seeds of
    another one may be luck.
    """
    usable = [trial for trial in trials if trial.usable]
    tested = [trial for trial in usable if trial.finals] or usable
    found = []
    for trial in sorted(tested, key=lambda one: -one.mean_score):
        own = [facts for facts in (trial.facts, *trial.finals) if facts is not None]
        here = [facts for facts in own if is_local(facts.run, facts.host)]
        found += [(trial, facts) for facts in sorted(here, key=lambda one: -one.score)]
    return found
