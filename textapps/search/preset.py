"""The first trial of a search, the preset, and what it tells of the time that others will take."""

from typing import TYPE_CHECKING, Any

from textapps.core.errors import ConfigurationError
from textapps.core.notices import notice
from textapps.search.allowance import told
from textapps.search.halving import LOWER_RUNGS, REDUCTION
from textapps.search.trial import Asked, Facts
from textapps.search.watch import TooLongError
from textapps.training.interruption import TrainingTerminated
from textapps.training.run_directory import RunDirectory

if TYPE_CHECKING:
    from textapps.search.search import Search

# Of the preset's time: with less left, neither the baseline is fitted nor the test split tried.
WORTH_MEASURING_SHARE = 0.25
# Of its steps, after which others are compared with it: with fewer, there is nothing to compare.
FEWEST_SHARE = 1 / REDUCTION**LOWER_RUNGS


def train_preset(search: "Search", asked: Asked, config: Any, run: RunDirectory | None) -> None:
    """The preset as it stands, to its end; what it takes says what the time is good for.

    Raises:
        ConfigurationError: the time is shorter than one trial.
        TextappsError, TrainingInterrupted: as `Trainer.session`.
    """
    allowance = search.allowance
    # A part of one that was killed is done already; what is not done in time is left out.
    longest = allowance.for_trainings if run is None else allowance.seconds
    watch = search.watch("the preset", longest=longest)
    end = allowance.trainings_end
    try:
        session = search.trainer.session(
            config,
            run,
            watch,
            deadline=end,
            limited=False,
            timed=True,
            measured_until=end,
            began=lambda run: search.hold(asked, run),
        )
    except TrainingTerminated:  # it stays open, and goes on from its checkpoint
        raise
    except KeyboardInterrupt:
        search.stop(asked, search.stopped(asked, watch))
        raise
    except TooLongError as error:
        raise _too_short(search, f"takes about {told(error.seconds)} here") from None
    facts = session.facts
    if facts is not None and facts.step < FEWEST_SHARE * facts.total_steps and run is None:
        raise _too_short(search, f"came to step {facts.step} of {facts.total_steps} until then")
    try:  # first: a trial that is stopped is not measured again
        if facts is not None:
            if not facts.fits:
                notice("the preset is over a limit, so it cannot be the result")
            _measure(search, config, facts)
    except TrainingTerminated:
        raise
    except BaseException:
        search.stop(asked, session)
        raise
    search.stop(asked, session)


def take_measured(search: "Search") -> None:
    """Plans with what was measured after the first trial, here or in another process."""
    known = search.study.measured
    if not known or search.preset_seconds:
        return
    search.preset_seconds = known["preset_seconds"]
    if known["test_seconds"] is not None:
        setup = known.get("test_setup", 0.0)  # which earlier versions did not note
        search.tail.measured(setup=setup, seconds=known["test_seconds"])


def _too_short(search: "Search", what: str) -> ConfigurationError:
    """The error; `what` says of the preset how long it takes."""
    short = f"--minutes {search.allowance.seconds / 60:g} is shorter than one trial"
    if search.resumed_after:  # by so many seconds
        rest = search.allowance.seconds - search.resumed_after
        short = f"{told(max(0.0, rest))} are left of the search, less than one trial takes"
    return ConfigurationError(
        f"{short}: the preset {what}; give a new search more minutes, a smaller preset or fewer "
        "epochs"
    )


def _measure(search: "Search", config: Any, facts: Facts) -> None:
    """The classical baseline, and how long the preset will take on the test split."""
    baseline: dict[str, float] = {}
    seconds = None
    if search.allowance.for_trainings > WORTH_MEASURING_SHARE * facts.whole_seconds:
        found = search.trainer.classical(config)
        baseline = {name: float(value) for name, value in found.items()}
        search.show()
        seconds = search.trainer.test_seconds(config)
    else:
        notice("no time is left for the baseline, and for the test split: evaluate the run")
    search.study.note_measured(
        {
            "baseline": baseline,
            "preset_seconds": facts.whole_seconds,
            "test_seconds": seconds,
            "test_setup": search.trainer.load_seconds,
        }
    )
    take_measured(search)
