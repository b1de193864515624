"""Trains the trials of a search, session by session."""

import gc
import json
import math
import socket
import time
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from textapps.core.errors import DataError
from textapps.core.names import TaskName
from textapps.core.notices import muted
from textapps.preprocessing.config import AudioConfig
from textapps.search.halving import rungs, shares
from textapps.search.limits import Limits, megabytes
from textapps.search.rung_scores import RungScores, sign_of
from textapps.search.space import Space
from textapps.search.trial import Facts
from textapps.search.watch import Watch
from textapps.tasks import lifecycle
from textapps.tasks.comparison import latencies
from textapps.tasks.registry import get_task, monitor_of
from textapps.tasks.task import Labels
from textapps.training.checkpoint import CheckpointStore, TrainingState
from textapps.training.data_record import DATA
from textapps.training.replicas import Replicas
from textapps.training.run_directory import CONFIG, RunDirectory
from textapps.training.until import Until
from textapps.training.weights import parameter_count

KEPT_SETS = 2  # of data in memory
# Keys of the preprocessor on which it depends how texts and recordings are read.
_READ_WITH = frozenset({"unicode", *AudioConfig.model_fields})


class TooLargeError(Exception):
    """The model of a trial has more megabytes than the search allows."""

    def __init__(self, size: float) -> None:
        super().__init__(size)
        self.megabytes = size


@dataclass(frozen=True)
class Session:
    """What a training has come to: the scores by rung, and what it has cost and given.

    scores: of all rungs that it has come to; more is better.
    ended: whether the training is finished.
    """

    scores: Mapping[int, float]
    facts: Facts | None
    ended: bool


class Trainer:
    """Trains runs of a task in a folder, and measures them.

    Args:
        name: of the task.
        space: whose keys differ from trial to trial.
        folder: where the runs go; they are in a folder of the task's name there.
        limits: of the models.

    Attributes:
        load_seconds: that loading a run takes, once it is known.
    """

    def __init__(self, name: TaskName, space: Space[Any], folder: Path, limits: Limits) -> None:
        found = get_task(name)
        self.folder, self.limits = folder, limits
        self._load = found.load_training
        self._varied = {key.rpartition(".")[2] for key in space.dimensions} - _READ_WITH
        self._sets: dict[str, tuple[Any, Any]] = {}
        self.task = replace(found, load_training=self._load_once)
        self._labels: Labels = ()
        self.load_seconds = self._example_seconds = 0.0
        self._parameters: dict[Path, int] = {}  # by run
        self._scores = RungScores(self.task)

    def session(
        self,
        config: Any,
        run: RunDirectory | None,
        watch: Watch,
        *,
        goes_on: Callable[[int, float], bool] = lambda rung, score: True,
        deadline: float | None = None,
        limited: bool = True,
        timed: bool = False,
        measured_until: float = math.inf,
        began: Callable[[RunDirectory], None] = lambda run: None,
    ) -> Session:
        """Trains a new run, or goes on with one, until it ends or is to stop at a rung.

        Args:
            run: to go on with; one that was killed before its first step is begun again.
            goes_on: asked at each rung but the last, with the score until there.
            deadline: as `Until` takes it, with the time for the last validation before it.
            limited: whether a model that is too large is refused.
            timed: whether to take the time that it takes to evaluate it.
            measured_until: of the watch's clock; later only what a limit is set for is measured.
            began: called with the run before its first step.

        Raises:
            ConfigurationError, DataError, DivergedError, RunError: as `lifecycle.train`.
            OutOfTimeError, TooLongError: of the watch.
            TooLargeError: the model is larger than the limit.
            TrainingInterrupted: Ctrl-C was pressed, or as TrainingTerminated SIGTERM came.
        """
        predictor: Any = None
        try:
            if run is None or not (run.path / DATA).is_file():
                prepared = lifecycle.begin(self.task, config, self.folder)
                began(prepared.run)
                self._check_size(prepared, limited=limited)
                until = self._until(prepared.run, watch, goes_on, deadline)
                predictor, result = lifecycle.carry_on(
                    self.task, prepared, Replicas.of(config.training.strategy), watch, until
                )
            else:
                began(run)
                until = self._until(run, watch, goes_on, deadline)
                predictor, result = lifecycle.resume(self.task, run, watch, until)
            self._parameters[predictor.run.path] = predictor.parameters
            if result.signalled is not None:  # too late for the training, but not for the search
                raise result.signalled
            if timed and watch.clock() < measured_until:
                self._take_time(predictor)
            return self._measured(predictor, watch, measured_until)
        finally:
            del predictor
            gc.collect()

    def stopped(self, run: RunDirectory, watch: Watch, known: Facts | None = None) -> Session:
        """A session that was stopped between two validations, as its checkpoints have it.

        Args:
            known: of an earlier session of the run. What no session has measured is not within its
                limit.
        """
        found = self._read(run, watch)
        if found.facts is None:
            return found
        parameters = self._parameters.get(run.path, 0)
        milliseconds = None
        if known is not None:
            parameters, milliseconds = parameters or known.parameters, known.milliseconds
        fits = self.limits.fit(parameters, milliseconds)
        if self.limits.milliseconds is not None and self.task.asking:
            fits &= milliseconds is not None
        facts = replace(found.facts, parameters=parameters, milliseconds=milliseconds, fits=fits)
        return replace(found, facts=facts)

    def classical(self, config: Any) -> Mapping[str, float]:
        """The figures of the classical baseline on the validation split, {} if there is none."""
        if self.task.classical is None:
            return {}
        with muted():
            train, validation = self.task.load_training(config, self._labels)
            try:
                return self.task.classical(config, train, validation)
            except DataError:  # too little of it
                return {}

    def test_seconds(self, config: Any) -> float | None:
        """An estimate of the seconds in which a model answers the test split; None without one.

        Its examples are read, which takes a part of that time, but only counted.
        """
        began_at = time.perf_counter()
        with muted():
            try:
                examples = len(self.task.load_split(config, "test", self._labels))
            except DataError:
                return None
        return time.perf_counter() - began_at + examples * self._example_seconds

    def _take_time(self, predictor: Any) -> None:
        """How long it takes to load a run, and a model takes for an example of an evaluation."""
        self._labels = predictor.labels
        if self.task.answered is None:
            return
        with muted():
            began_at = time.perf_counter()
            lifecycle.load(self.task, predictor.run)
            self.load_seconds = time.perf_counter() - began_at
            _, validation = self.task.load_training(predictor.config, predictor.labels)
            began_at = time.perf_counter()
            self.task.answered(predictor, validation)
        self._example_seconds = (time.perf_counter() - began_at) / max(1, len(validation))

    def _until(
        self,
        run: RunDirectory,
        watch: Watch,
        goes_on: Callable[[int, float], bool],
        deadline: float | None,
    ) -> Until:
        def paused(state: TrainingState) -> bool:
            extent = watch.extent
            assert extent is not None
            steps = rungs(extent.total_steps, extent.interval)
            if state.step not in steps[:-1]:
                return False
            score = self._scores.best(run, state.step)
            return not goes_on(shares(steps)[steps.index(state.step)], score)

        until = math.inf if deadline is None else deadline
        return Until(paused, until, lambda: watch.next_validation)

    def _check_size(
        self, prepared: lifecycle.Prepared[Any, Any, Any, Any], *, limited: bool
    ) -> None:
        most = self.limits.megabytes
        if most is None:
            return
        model = self.task.model(prepared.config, prepared.preprocessor, prepared.labels)
        model.build()
        self._parameters[prepared.run.path] = parameter_count(model)
        size = megabytes(parameter_count(model))
        if limited and size > most:
            raise TooLargeError(size)

    def _measured(self, predictor: Any, watch: Watch, until: float) -> Session:
        """The session of a predictor; its speed is measured if its training has ended in time."""
        milliseconds = None
        found = self._read(predictor.run, watch, predictor.parameters)
        wanted = found.ended and watch.clock() < until
        if self.task.asking and (wanted or self.limits.milliseconds is not None):
            with muted():
                _, validation = self.task.load_training(predictor.config, predictor.labels)
                ask = self.task.asking(predictor, validation)
                (milliseconds,) = latencies([partial(ask, 1)])
        assert found.facts is not None
        fits = self.limits.fit(found.facts.parameters, milliseconds)
        facts = replace(found.facts, milliseconds=milliseconds, fits=fits)
        return replace(found, facts=facts)

    def _read(self, run: RunDirectory, watch: Watch, parameters: int = 0) -> Session:
        state = _state(run)
        if state.best_score is None:
            return Session({}, None, False)
        training = self.task.presets.of_run(run.path / CONFIG).training
        total_steps = training.epochs * state.steps_per_pass
        steps = rungs(total_steps, training.checkpoint_steps or state.steps_per_pass)
        scores = {
            rung: self._scores.best(run, end)
            for rung, end in zip(shares(steps)[:-1], steps[:-1], strict=True)
            if state.step >= end
        }
        facts = Facts(
            run=str(run.path.absolute()),
            host=socket.gethostname(),
            random_seed=int(run.config["random_seed"]),
            best=state.best_score,
            monitor=monitor_of(run),
            score=sign_of(run) * state.best_score,
            step=state.step,
            total_steps=total_steps,
            best_step=state.best_step or 0,
            seconds=round(state.seconds, 2),
            wall_seconds=round(watch.clock() - watch.began_at, 2),
            # Of a run that was killed after its end only the seconds of its steps are known.
            whole_seconds=round(watch.whole_seconds or state.seconds, 2),
            setup_seconds=round(watch.setup_seconds, 2),
            validation_seconds=round(watch.validation_seconds, 2),
            parameters=parameters,
            whole=state.stopped_by is not None and not _is_cut(state, training.max_seconds),
        )
        return Session(scores, facts, state.stopped_by is not None)

    def _load_once(self, config: Any, labels: Labels) -> tuple[Any, Any]:
        """The splits, which are the same in all trials, read once."""
        own = config.preprocessor.model_dump(mode="json", exclude=self._varied)
        key = json.dumps([config.data.model_dump(mode="json"), own, labels])
        if key not in self._sets:
            with muted() if self._sets else nullcontext():
                splits = self._load(config, labels)
            while len(self._sets) >= KEPT_SETS:
                del self._sets[next(iter(self._sets))]
            self._sets[key] = splits
        return self._sets[key]


def _state(run: RunDirectory) -> TrainingState:
    return CheckpointStore(run.checkpoints).newest_state() or TrainingState()


def _is_cut(state: TrainingState, most: float | None) -> bool:
    """Whether a deadline has ended a training, not its own `max_seconds`."""
    return state.stopped_by == "time" and (most is None or state.seconds < most)
