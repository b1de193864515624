"""How a study keeps what is known of its trials, and how that is read."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from optuna.trial import FrozenTrial, TrialState

from textapps.search.halving import LOWER_RUNGS
from textapps.search.process import Process
from textapps.search.trial import Facts, Trial

# Attributes of the study; the id of a trial follows: who works on it, why it failed, a training
# with another random seed that has ended, and one that has begun.
OPEN, FAILED, FINAL, BEGUN = "open:", "failed:", "final:", "begun:"
# Attributes of a trial: the id of the one that it goes on with, and its facts.
OF, FACTS = "of", "facts"


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
            known["facts"] = Facts.read(frozen.user_attrs[FACTS])
    for key, value in attributes.items():
        if key.startswith(FAILED):
            known = merged[int(key.removeprefix(FAILED))]
            known["failed"], known["refused_size"] = value
        if key.startswith(OPEN) and value and (id := int(key.removeprefix(OPEN))) in merged:
            merged[id]["busy"] = Process(*value["process"]).is_another
        if key.startswith(FINAL):
            known = merged[int(key.split(":")[1])]
            known["finals"] = (*known.get("finals", ()), Facts.read(value))
    return [Trial(**known) for known in merged.values()]


def finals_begun(attributes: Mapping[str, Any], id: int) -> dict[int, Path | None]:
    """See `Study.finals_begun`."""
    found: dict[int, Path | None] = {}
    for key, held in attributes.items():
        if held and key.startswith(f"{BEGUN}{id}:"):
            gone = Process(*held["process"]).is_gone
            found[int(key.split(":")[2])] = Path(held["run"]) if gone else None
    return found
