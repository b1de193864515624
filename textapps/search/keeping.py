"""Which runs of trials stay on the disk."""

import contextlib
from collections.abc import Sequence
from pathlib import Path

from textapps.core.errors import RunError
from textapps.search.process import Process
from textapps.search.trial import Trial
from textapps.training.run_directory import RunDirectory
from textapps.training.run_keeping import delete_run

KEPT = 8  # best runs of each rung: a worse one would go on after a dozen more trials at the least


def is_local(run: str, host: str) -> bool:
    """Whether a run is on this machine and still there."""
    return host == Process.of().host and Path(run).is_dir()


def superfluous(trials: Sequence[Trial]) -> list[Path]:
    """The runs that will hardly be needed: all but the best at each rung.

    Those of trials that cannot be the result are not needed. That of the first trial, the preset,
    is needed to the end.
    """
    found = []
    by_rung: dict[int, list[Trial]] = {}
    for trial in trials[1:]:
        if trial.facts is not None and is_local(trial.facts.run, trial.facts.host):
            if trial.usable:
                by_rung.setdefault(trial.rung, []).append(trial)
            else:
                found.append(trial.facts.path)
    for rung, alike in by_rung.items():
        # By what decides which goes on; a trial that was stopped elsewhere has none of it.
        alike.sort(key=lambda trial: -trial.scores.get(rung, trial.mean_score))
        found += [trial.facts.path for trial in alike[KEPT:] if trial.facts is not None]
    return found


def delete(path: Path) -> None:
    """Deletes the run of a trial, unless another process trains it or it is gone already."""
    with contextlib.suppress(RunError):
        delete_run(RunDirectory.open(path, trained=False))
