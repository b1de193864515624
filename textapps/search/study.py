"""The memory of a search: an Optuna study, which processes may share."""

import json
import math
import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

import optuna
from optuna.exceptions import DuplicatedStudyError
from optuna.storages import RDBStorage
from optuna.trial import FrozenTrial, TrialState, create_trial

from textapps.core.errors import RunError
from textapps.search import stored
from textapps.search.dimension import Value
from textapps.search.process import Process
from textapps.search.sampler import NumberedSampler
from textapps.search.space import Space
from textapps.search.storage import explained, in_turn, opened, shown
from textapps.search.stored import BEGUN, FACTS, FAILED, FINAL, HERE, OF, OPEN, SPENT
from textapps.search.trial import Asked, Facts, Trial

FORMAT = 1
# Attributes of the study.
_RECORD, _FINISHED, _PRESET = "textapps", "finished", "preset"


class Study:
    """What all processes of a search know: its record and its trials.

    Use `begin` or `open`. If the database fails, every method raises as `explained` does.

    record: what the search is, the fields that `begin` was given.
    """

    def __init__(
        self, study: optuna.Study, database: RDBStorage, storage: str, record: Mapping[str, Any]
    ) -> None:
        self._study = study
        self._database = database
        self._storage = storage
        self.record = record

    @classmethod
    def begin(
        cls, storage: str, name: str, space: Space[Any], record: Mapping[str, Any], seed: int
    ) -> Self:
        """Creates the study, or joins it if another process has.

        Raises:
            RunError: the database has another search, or something else, under this name.
        """
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        full = {"format": FORMAT, "space": space.document, **record}
        with explained(storage):
            database = opened(storage)
            try:
                study = optuna.create_study(
                    study_name=name,
                    storage=database,
                    sampler=NumberedSampler(seed),
                    direction="maximize",
                )
            except DuplicatedStudyError:
                found = cls.open(storage, name, seed, patient=True)
                found.check_same(full)
                return found
            for point in space.points:
                study.enqueue_trial(point)
            study.set_user_attr(_RECORD, json.dumps(full))  # last: who joins waits for it
        return cls(study, database, storage, full)

    @classmethod
    def open(cls, storage: str, name: str, seed: int = 0, *, patient: bool = False) -> Self:
        """The study that another process has begun; RunError if it is none of a search.

        patient: whether to wait for one that is being begun.
        """
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        with explained(storage):
            database = opened(storage)
            try:
                study = optuna.load_study(
                    study_name=name, storage=database, sampler=NumberedSampler(seed)
                )
            except KeyError:
                raise RunError(f"{shown(storage)} has no search '{name}'") from None
            record = study.user_attrs.get(_RECORD)
            for _ in range(50 if patient else 0):
                if record is None:
                    time.sleep(0.1)
                    record = study.user_attrs.get(_RECORD)
        if record is None:
            raise RunError(
                f"study '{name}' in {shown(storage)} is none of `search`: name another one by "
                "--study"
            )
        fields = json.loads(record)
        if fields["format"] != FORMAT:
            raise RunError(
                f"{shown(storage)} has a search of format {fields['format']}, this version of "
                f"textapps reads {FORMAT}"
            )
        return cls(study, database, storage, fields)

    def check_same(self, own: Mapping[str, Any]) -> None:
        """RunError if a record is that of another search."""
        told = {
            "task": "of another task",
            "data": "on other data",
            "metric": "by another metric",
            "space": "of another preset or space",
        }
        for key, what in told.items():
            if self.record.get(key) != own.get(key):
                raise RunError(
                    f"search '{self._study.study_name}' in {shown(self._storage)} is {what}: give "
                    "the options that it was begun with, or name another one by --study"
                )

    @property
    def finished(self) -> bool:
        """Whether a process has come to its end."""
        return bool(self._attributes().get(_FINISHED))

    def finish(self) -> None:
        """Marks the search as finished."""
        self._set(_FINISHED, True)

    def enter(self) -> None:
        """Notes that this process takes part."""
        self._set(_own(HERE), Process.of())

    def leave(self) -> list[Process]:
        """Notes that it does not any more; returns the others that, as far as is known, do."""
        self._set(_own(HERE), None)
        self._set(_own(SPENT), None)
        return [one for one in stored.processes(self._attributes()) if one.is_another]

    def take_over(self) -> None:
        """Takes all processes of other machines for gone, and their runs for those of this one.

        For a study that only one machine can use, which may have another name than before.
        """
        hosts = {process.host for process in stored.processes(self._attributes())}
        known = self._attributes().get(stored.GONE, [])
        self._set(stored.GONE, sorted({*known, *hosts} - {Process.of().host}))

    @property
    def spent(self) -> float:
        """The seconds that this process, else a killed one of this machine, was noted to use."""
        return stored.spent(self._attributes())

    def spend(self, seconds: float) -> None:
        """Notes how many seconds the process has used."""
        self._set(_own(SPENT), [Process.of(), round(seconds, 1)])

    @property
    def measured(self) -> dict[str, Any]:
        """What was measured after the first trial, {} before."""
        return dict(self._attributes().get(_PRESET, {}))

    def note_measured(self, figures: Mapping[str, Any]) -> None:
        """Notes what was measured after the first trial."""
        self._set(_PRESET, dict(figures))

    def ask(
        self,
        space: Space[Any],
        most_cost: float = math.inf,
        centre: Mapping[str, Value] | None = None,
    ) -> Asked:
        """A new trial for this process.

        Args:
            most_cost: how many times as long as the preset's its training may take.
            centre: the point that it is near to, by default that of the best trial.
        """
        sampler: Any = self._study.sampler
        sampler.prepare(space.dimensions, most_cost, centre, given=len(space.points))
        with explained(self._storage), in_turn(self._storage):
            trial = self._study.ask({k: one.distribution for k, one in space.dimensions.items()})
        self.hold(trial.number)
        return Asked(trial.number, dict(trial.params))

    def hold(self, id: int, run: Path | None = None) -> None:
        """Notes that this process works on a trial, and where."""
        with explained(self._storage):
            held = {"process": Process.of(), "run": None if run is None else str(run)}
            self._study.set_user_attr(f"{OPEN}{id}", held)

    def claim(self, id: int, run: Path) -> bool:
        """Holds a trial that has a run; False if another process holds it."""
        with explained(self._storage), in_turn(self._storage):
            held = self._study.user_attrs.get(f"{OPEN}{id}")
            if held and stored.process_of(held["process"], self._study.user_attrs).is_another:
                return False
            self.hold(id, run)
        return True

    def release(self, id: int) -> None:
        """Notes that this process does not work on a trial any more."""
        self._set(f"{OPEN}{id}", None)

    def abandoned(self) -> list[Asked]:
        """Trials that were open in processes of this machine that are gone; this one holds them."""
        with explained(self._storage), in_turn(self._storage):
            trials = self._study.get_trials(deepcopy=False)
            found = stored.abandoned(trials, self._attributes())
            for asked in found:
                self.hold(asked.id, asked.run)
        return found

    def stop(self, id: int, scores: Mapping[int, float], facts: Facts, *, ended: bool) -> None:
        """Ends a session of a trial, at a rung or at its end.

        Args:
            scores: by rung, of all rungs that it has come to.
        """
        with explained(self._storage):
            first = self._study.get_trials(deepcopy=False)[id]
            if not first.state.is_finished():
                of_study = self._database.get_study_id_from_name(self._study.study_name)
                key = self._database.get_trial_id_from_study_id_trial_number(of_study, id)
                self._database.set_trial_user_attr(key, FACTS, facts.document)
                for rung, score in sorted(scores.items()):
                    self._database.set_trial_intermediate_value(key, rung, score)
                if ended:
                    self._study.tell(id, facts.score)
                else:
                    self._study.tell(id, state=TrialState.PRUNED)
            else:  # Optuna does not open a trial again
                self._study.add_trial(
                    create_trial(
                        state=TrialState.COMPLETE if ended else TrialState.PRUNED,
                        value=facts.score if ended else None,
                        params=first.params,
                        distributions=first.distributions,
                        intermediate_values=dict(scores),
                        user_attrs={OF: id, FACTS: facts.document},
                    )
                )
        self.release(id)

    def fail(self, id: int, why: str, size: float | None = None) -> None:
        """Ends a trial that cannot be used, and says why; `size` of a model that is too large."""
        with explained(self._storage):
            self._study.set_user_attr(f"{FAILED}{id}", [why, size])
            if not self._study.get_trials(deepcopy=False)[id].state.is_finished():
                self._study.tell(id, state=TrialState.FAIL)
        self.release(id)

    def begin_final(self, id: int, random_seed: int, run: Path) -> None:
        """Notes that this process trains a trial's configuration with another random seed."""
        held = {"process": Process.of(), "run": str(run)}
        self._set(f"{BEGUN}{id}:{random_seed}:{run}", held)

    def add_final(self, id: int, facts: Facts) -> None:
        """Adds a training of a trial's configuration with another random seed."""
        of = f"{id}:{facts.random_seed}:{facts.run}"
        with explained(self._storage):
            self._study.set_user_attr(f"{FINAL}{of}", facts.document)
            self._study.set_user_attr(f"{BEGUN}{of}", None)

    def finals_begun(self, id: int) -> dict[int, Path | None]:
        """The random seeds with which a trial's configuration is being trained.

        To each the run, if the process that trained it was on this machine and is gone; else None.
        """
        return stored.finals_begun(self._attributes(), id)

    def trials(self) -> list[Trial]:
        """All trials that have begun, with what later sessions have brought."""
        with explained(self._storage):
            trials = self._study.get_trials(deepcopy=False)
        return stored.trials_of(trials, self._attributes())

    def stored(self) -> list[FrozenTrial]:
        """The first sessions of all trials, as Optuna has them."""
        with explained(self._storage):
            trials = self._study.get_trials(deepcopy=False)
        return [frozen for frozen in trials if OF not in frozen.user_attrs]

    def _set(self, key: str, value: object) -> None:
        with explained(self._storage):
            self._study.set_user_attr(key, value)

    def _attributes(self) -> dict[str, Any]:
        with explained(self._storage):
            found: dict[str, Any] = self._study.user_attrs
        return found


def _own(kind: str) -> str:
    """The key of an attribute that each process has for itself."""
    return f"{kind}{os.getpid()}:{Process.of().host}"
