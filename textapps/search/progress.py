"""How a search stands, for who watches it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, Self

from textapps.search.trial import Trial


@dataclass(frozen=True)
class Status:
    """What the progress line tells.

    trials: how many have begun; ended: how many have been trained to their end.
    best: the best validation so far, None for none; best_trial: its number.
    doing: what is being trained, "" for nothing.
    """

    trials: int = 0
    ended: int = 0
    monitor: str = ""
    best: float | None = None
    best_trial: int = 0
    seconds_left: float = 0.0
    doing: str = ""

    @classmethod
    def of(cls, trials: Sequence[Trial], best: Trial | None, seconds_left: float) -> Self:
        """The status of a search with these trials."""
        ended = sum(trial.ended for trial in trials)
        if best is None or best.facts is None:
            return cls(len(trials), ended, seconds_left=seconds_left)
        facts = best.facts
        return cls(len(trials), ended, facts.monitor, facts.best, best.number, seconds_left)


class Progress(Protocol):
    """Receives the status of a search; the command line shows it, a test records it."""

    def show(self, status: Status) -> None:
        """It is called after every step, so it must return quickly."""

    def finish(self) -> None:
        """The search has ended."""
