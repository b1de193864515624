"""How a study keeps what is known of its trials, and how that is read."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from optuna.trial import FrozenTrial, TrialState

from textapps.search.halving import LOWER_RUNGS
from textapps.search.process import Process
from textapps.search.trial import Asked, Facts, Trial

# Attributes of the study; the id of a trial follows: who works on it, why it failed, a training
# with another random seed that has ended, and one that has begun.
OPEN, FAILED, FINAL, BEGUN = "open:", "failed:", "final:", "begun:"
# The processes that take part, and the seconds that each has used; number and machine follow.
HERE, SPENT = "here:", "spent:"
# Machines of which no process is left: see `Study.take_over`.
GONE = "gone"
# Attributes of a trial: the id of the one that it goes on with, and its facts.
OF, FACTS = "of", "facts"
ABOUT_TO = timedelta(minutes=1)


def process_of(value: Sequence[Any], attributes: Mapping[str, Any]) -> Process:
    """A process as it was noted; it is one of this machine if none of its own is left."""
    process = Process(*value)
    if process.is_here or process.host not in attributes.get(GONE, ()):
        return process
    return process._replace(host=Process.of().host, began=GONE)


def facts_of(fields: Mapping[str, Any], attributes: Mapping[str, Any]) -> Facts:
    """Facts as they were noted; runs of a machine that is gone are those of this one."""
    facts = Facts.read(fields)
    moved = facts.host in attributes.get(GONE, ())
    return replace(facts, host=Process.of().host) if moved else facts


def processes(attributes: Mapping[str, Any]) -> list[Process]:
    """Those that have begun to take part and have not ended by themselves."""
    noted = (value for key, value in attributes.items() if key.startswith(HERE))
    return [process_of(value, attributes) for value in noted if value is not None]


def spent(attributes: Mapping[str, Any]) -> float:
    """The seconds that this process has used, else the most of one of this machine that is gone."""
    noted = [value for key, value in attributes.items() if key.startswith(SPENT) and value]
    known = [(process_of(who, attributes), used) for who, used in noted]
    own = [used for process, used in known if process == Process.of()]
    return max(own or [used for process, used in known if process.is_gone], default=0.0)


def abandoned(stored: Sequence[FrozenTrial], attributes: Mapping[str, Any]) -> list[Asked]:
    """Trials that were open in processes of this machine that are gone."""
    found = []
    for frozen in stored:
        held = attributes.get(f"{OPEN}{frozen.number}", {})
        if not held:
            # Killed before it was held; or another process is about to hold it.
            old = frozen.datetime_start and datetime.now() - frozen.datetime_start > ABOUT_TO
            gone = held == {} and frozen.state == TrialState.RUNNING and bool(old)
            run = None
        else:
            gone = process_of(held["process"], attributes).is_gone
            run = None if held["run"] is None else Path(held["run"])
        if gone:
            found.append(Asked(frozen.number, dict(frozen.params), run))
    return found


def trials_of(stored: Sequence[FrozenTrial], attributes: Mapping[str, Any]) -> list[Trial]:
    """All trials that have begun, with what later sessions have brought."""
    merged: dict[int, dict[str, Any]] = {}
    begun: datetime | None = None
    for frozen in stored:
        id = frozen.user_attrs.get(OF, frozen.number)
        if frozen.state == TrialState.WAITING:
            continue
        new = {"id": id, "number": len(merged), "point": dict(frozen.params), "scores": {}}
        known = merged.setdefault(id, new)
        begun = begun or frozen.datetime_start
        if frozen.datetime_complete and begun:
            known["after_seconds"] = (frozen.datetime_complete - begun).total_seconds()
        known["scores"] |= frozen.intermediate_values
        if frozen.state == TrialState.COMPLETE:
            known["ended"] = True
            known["scores"][LOWER_RUNGS] = frozen.value
        if FACTS in frozen.user_attrs:
            known["facts"] = facts_of(frozen.user_attrs[FACTS], attributes)
    for key, value in attributes.items():
        if key.startswith(FAILED):
            known = merged[int(key.removeprefix(FAILED))]
            known["failed"], known["refused_size"] = value
        if key.startswith(OPEN) and value and (id := int(key.removeprefix(OPEN))) in merged:
            merged[id]["busy"] = process_of(value["process"], attributes).is_another
        if key.startswith(FINAL):
            known = merged[int(key.split(":")[1])]
            known["finals"] = (*known.get("finals", ()), facts_of(value, attributes))
    return [Trial(**known) for known in merged.values()]


def finals_begun(attributes: Mapping[str, Any], id: int) -> dict[int, Path | None]:
    """See `Study.finals_begun`."""
    found: dict[int, Path | None] = {}
    for key, held in attributes.items():
        if held and key.startswith(f"{BEGUN}{id}:"):
            gone = process_of(held["process"], attributes).is_gone
            found[int(key.split(":")[2])] = Path(held["run"]) if gone else None
    return found
