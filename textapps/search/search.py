"""The search itself: what is trained next, until the time is up."""

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from textapps.core.errors import LockedError, TextappsError
from textapps.core.notices import muted, notice
from textapps.search.allowance import Allowance
from textapps.search.failures import Failures, RepeatedError, why
from textapps.search.halving import LOWER_RUNGS, REDUCTION, promotable
from textapps.search.keeping import delete, is_local, superfluous
from textapps.search.preset import take_measured, train_preset
from textapps.search.progress import Progress, Status
from textapps.search.space import Space
from textapps.search.study import Study
from textapps.search.tail import Tail
from textapps.search.trainer import Session, TooLargeError, Trainer
from textapps.search.trial import Asked, Trial, smallest
from textapps.search.watch import OutOfTimeError, TooLongError, Watch
from textapps.training.interruption import TrainingTerminated
from textapps.training.run_directory import RunDirectory

FINALISTS = 2
LONGEST_SHARE = 1 / 3  # of the time, for one training: it is done twice if it is good
FINALS_SHARE = 0.4  # of the time behind the preset at most, for second random seeds
NOTED_EVERY_S = 5.0


@dataclass
class Search:
    """Tries configurations of a space until the time for it is up.

    most_trials: None for as many as there is time for.
    check: called often; raises where the search is to stop. between: the same, between trainings.
    resumed_after: seconds that earlier processes have spent.
    alone: whether no other process takes part.
    """

    study: Study
    space: Space[Any]
    trainer: Trainer
    allowance: Allowance
    progress: Progress
    most_trials: int | None = None
    check: Callable[[], None] = lambda: None
    between: Callable[[], None] = lambda: None
    resumed_after: float = 0.0
    alone: bool = True

    def __post_init__(self) -> None:
        self.tail = Tail(self.allowance)
        if not self.alone:  # to be resumed, it would take the options of the first process
            self.between = lambda: None
        self._noted_at = time.monotonic()
        self._own: set[Path] = set()  # the runs that this process has trained
        self._held: Path | None = None  # that of the session
        self._doing = ""
        self._watch: Watch | None = None
        self.preset_seconds = 0.0  # of a whole training; 0 as long as it is not known
        self._known = Status()
        self._configs: dict[int, Any] = {}  # by the id of the trial

    def explore(self) -> None:
        """Trains trials to their rungs, as long as the finalists can be trained afterwards.

        Raises:
            ConfigurationError: the time is shorter than one trial.
            DataError, DivergedError, RunError: the first trial, which is the preset, fails.
            TrainingInterrupted: Ctrl-C was pressed.
        """
        failures = Failures()
        trials = self.study.trials()
        self._look(trials)
        if self.alone:
            known = [trial.facts for trial in trials if trial.facts is not None]
            self._own.update(facts.path for facts in known if is_local(facts.run, facts.host))
        for asked in self.study.abandoned():
            self._work(asked)
        while not failures.are_too_many:
            trials = self.study.trials()
            job = self._next(trials)
            if job is None:
                return
            failures.count(self._work(job))
            self.between()
        notice("the last trials failed or were known already, so no more are begun")

    def finalists(self, trials: Sequence[Trial]) -> list[Trial]:
        """The two best trials that may be the result, the best first."""
        usable = [trial for trial in trials if trial.usable]
        return sorted(usable, key=lambda trial: -trial.mean_score)[:FINALISTS]

    def times_slower(self, trials: Sequence[Trial]) -> float:
        """How many times as long as the preset the slowest finalist takes to answer, at least 1.

        As their validations tell, of many examples at once.
        """
        preset = trials[0].facts.validation_seconds if trials and trials[0].facts else 0.0
        known = [trial.facts.validation_seconds for trial in self.finalists(trials) if trial.facts]
        return max([1.0, *(time / preset for time in known if preset)])

    def show(self) -> None:
        """Tells how the search stands; from time to time it is noted in the study too."""
        self.check()
        self.progress.show(self._status)
        now = time.monotonic()
        if now - self._noted_at >= NOTED_EVERY_S:
            self._noted_at = now
            self.study.spend(self.allowance.spent)

    @property
    def _longest(self) -> float:
        """Seconds that a training may take."""
        return max(LONGEST_SHARE * self.allowance.seconds, self.preset_seconds)

    def watch(self, doing: str, **options: Any) -> Watch:
        """Looks on while what is called `doing` is trained, which the progress line tells."""
        self._doing = doing
        self._watch = Watch(tick=self.show, clock=self.allowance.clock, **options)
        return self._watch

    @property
    def _status(self) -> Status:
        doing = self._doing
        if self._watch is not None and self._watch.share:
            doing = f"{doing}, {100 * self._watch.share:.0f} %"
        return replace(self._known, seconds_left=max(0.0, self.allowance.left), doing=doing)

    def _next(self, trials: Sequence[Trial]) -> Asked | None:
        """What to train next: a trial that may go on, else a new one, else nothing."""
        best = self._look(trials)
        self.tail.plan(self.times_slower(trials))
        self.show()
        if not trials:
            return self.study.ask(self.space)
        left = self.allowance.for_trainings - self._reserve(trials)
        for trial, path in self._promotable(trials):
            if trial.rest_seconds <= left and self.study.claim(trial.id, path):
                return Asked(trial.id, dict(trial.point), path)
        if self.most_trials is not None and len(trials) >= self.most_trials:
            return None
        sessions = [trial.facts.wall_seconds for trial in trials[1:] if trial.facts is not None]
        sessions = sorted(sessions) or [self.preset_seconds / REDUCTION]
        usual = sessions[len(sessions) // 2]
        if usual > left:
            return None
        longest = self._longest / self.preset_seconds if self.preset_seconds else math.inf
        near = None if any(one.usable and one.ended for one in trials) else best or smallest(trials)
        return self.study.ask(self.space, longest, near.point if near else None)

    def _look(self, trials: Sequence[Trial]) -> Trial | None:
        """Takes note of how the search stands; the best trial."""
        best = next(iter(self.finalists(trials)), None)
        self._known = Status.of(trials, best, self.allowance.left)
        take_measured(self)
        return best

    def _promotable(self, trials: Sequence[Trial]) -> list[tuple[Trial, Path]]:
        """Trials of this machine that may go on and their runs, those nearest to the end first."""
        found = []
        known = {trial.id: trial for trial in trials if trial.usable}
        for rung in range(LOWER_RUNGS - 1, -1, -1):
            scores = {id: one.scores[rung] for id, one in known.items() if rung in one.scores}
            gone_on = {id for id, one in known.items() if one.rung > rung}
            for id in promotable(scores, gone_on):
                trial = known[id]
                facts = trial.facts
                if facts and not trial.busy and is_local(facts.run, facts.host):
                    found.append((trial, facts.path))
        return found

    def _work(self, asked: Asked) -> Exception | None:
        """A session of a trial; why it failed, or None."""
        first, self._held = asked.id == 0, None
        if asked.point.keys() != self.space.dimensions.keys():
            self.study.fail(asked.id, "killed while it was drawn")
            return None
        try:
            config = self.space.config(asked.point)
            self._check_new(asked.id, config)
            run = None
            if asked.run is not None and asked.run.is_dir():
                run = RunDirectory.open(asked.run, trained=False)
            if first:
                train_preset(self, asked, config, run)
                return None
            with muted():
                self._session(asked, config, run)
            for path in self._own.intersection(superfluous(self.study.trials())):
                delete(path)
        except LockedError:  # another process was quicker
            return None
        except (TextappsError, OutOfTimeError, TooLongError, TooLargeError, RepeatedError) as error:
            if first and isinstance(error, TextappsError):
                raise
            size = error.megabytes if isinstance(error, TooLargeError) else None
            self.study.fail(asked.id, why(error), size)
            if self._held is not None:
                delete(self._held)
            return error
        return None

    def _check_new(self, id: int, config: Any) -> None:
        """RepeatedError if an earlier trial has the same configuration."""
        for trial in self.study.trials():
            if trial.id < id and not trial.failed:
                if trial.id not in self._configs:
                    self._configs[trial.id] = self.space.config(trial.point)
                if self._configs[trial.id] == config:
                    raise RepeatedError(trial.number)

    def _session(self, asked: Asked, config: Any, run: RunDirectory | None) -> None:
        trials = self.study.trials()
        reserve = self._reserve(trials)
        ends_at = self.allowance.trainings_end - reserve
        number = next((one.number for one in trials if one.id == asked.id), len(trials))
        watch = self.watch(f"trial {number}", ends_at=ends_at, longest=self._longest)

        def goes_on(rung: int, score: float) -> bool:
            others = [one for one in self.study.trials() if one.usable]
            scores = {one.id: one.scores[rung] for one in others if rung in one.scores}
            return asked.id in promotable({**scores, asked.id: score}, ())

        try:
            session = self.trainer.session(
                config,
                run,
                watch,
                goes_on=goes_on,
                began=lambda run: self.hold(asked, run),
            )
        except TrainingTerminated:  # it stays open, and goes on from its checkpoint
            raise
        except (OutOfTimeError, KeyboardInterrupt) as stopped:
            session = self.stopped(asked, watch)
            if session.scores or isinstance(stopped, KeyboardInterrupt):
                self.stop(asked, session)
            if isinstance(stopped, KeyboardInterrupt) or not session.scores:
                raise
            return
        self.stop(asked, session)

    def hold(self, asked: Asked, run: RunDirectory) -> None:
        """Notes which run a trial is trained in."""
        self.study.spend(self.allowance.spent)
        self.study.hold(asked.id, run.path)
        self._held = run.path
        self._own.add(run.path)

    def stopped(self, asked: Asked, watch: Watch) -> Session:
        """What the session that was stopped had come to."""
        if self._held is None:
            return Session({}, None, False)
        known = next((one.facts for one in self.study.trials() if one.id == asked.id), None)
        return self.trainer.stopped(RunDirectory.open(self._held, trained=False), watch, known)

    def stop(self, asked: Asked, session: Session) -> None:
        """Notes a session; one without a validation is left open, to be resumed."""
        if session.facts is not None:
            self.study.stop(asked.id, session.scores, session.facts, ended=session.ended)

    def _reserve(self, trials: Sequence[Trial]) -> float:
        """Seconds for training the finalists to their ends, and on a second random seed."""
        costs = [one.rest_seconds + one.again_seconds for one in self.finalists(trials)]
        if len(costs) == 1 and self.most_trials != 1:
            costs *= FINALISTS
        return min(sum(costs), FINALS_SHARE * (self.allowance.seconds - self.preset_seconds))
