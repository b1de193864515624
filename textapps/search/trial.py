"""A configuration that a search has tried, and what is known of it."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, NamedTuple, Self

from textapps.search.dimension import Value
from textapps.search.halving import LOWER_RUNGS
from textapps.search.limits import megabytes

SLOWER = 1.15  # times as long as the first training, a second one of the same steps may take


class Asked(NamedTuple):
    """A trial to work on: its id, its point, and its run if it has one already."""

    id: int
    point: dict[str, Value]
    run: Path | None = None


@dataclass(frozen=True, kw_only=True)
class Facts:
    """What a training has cost and given so far.

    run: its directory, on the machine of `host`.
    random_seed: that it began with.
    best: the metric at its best validation; monitor: the name of the metric.
    score: the same figure, so that more is better.
    step, total_steps: how far it is; best_step: where its best validation was, 0 if not known.
    seconds: of training steps; wall_seconds: of everything.
    whole_seconds: that training it from the beginning to the end takes, as far as is known;
    setup_seconds: of these, those before the first steps.
    validation_seconds: of one validation and its checkpoint.
    parameters: 0 if not known. milliseconds: to answer one input; None if not measured.
    whole: whether the training came to the end of its configuration.
    fits: whether it is within the limits of size and time.
    """

    run: str
    host: str
    random_seed: int
    best: float
    monitor: str
    score: float
    step: int
    total_steps: int
    seconds: float
    wall_seconds: float
    whole_seconds: float
    validation_seconds: float
    setup_seconds: float = 0.0
    best_step: int = 0
    parameters: int = 0
    milliseconds: float | None = None
    whole: bool = False
    fits: bool = True

    @classmethod
    def read(cls, fields: Mapping[str, Any]) -> Self:
        """What `document` wrote."""
        return cls(**fields)

    @property
    def document(self) -> dict[str, Any]:
        """All of it as JSON has it."""
        return asdict(self)

    @property
    def path(self) -> Path:
        """The directory of the run."""
        return Path(self.run)


@dataclass(frozen=True, kw_only=True)
class Trial:
    """A point of the space, and how far its training has come.

    number: counts the trials from 0, the preset.
    id: its number in the study, where what goes on has a number of its own.
    scores: by rung, the best score of a validation until there; more is better.
    ended: whether its training has come to its end.
    failed: why it cannot be used; "" if it can.
    refused_size: the megabytes of a model that was too large to be trained.
    facts: None as long as nothing is known.
    busy: whether another process, one that lives as far as is known, works on it.
    finals: the same of trainings of the same configuration with other random seeds.
    after_seconds: from the beginning of the search to the last news of it.
    """

    number: int
    id: int
    point: Mapping[str, Value]
    scores: Mapping[int, float] = field(default_factory=dict)
    ended: bool = False
    failed: str = ""
    refused_size: float | None = None
    facts: Facts | None = None
    busy: bool = False
    finals: Sequence[Facts] = ()
    after_seconds: float = 0.0

    @property
    def rung(self) -> int:
        """The last rung that it has come to, -1 for none."""
        return LOWER_RUNGS if self.ended else max(self.scores, default=-1)

    @property
    def size(self) -> float | None:
        """Megabytes of its model, None if not known."""
        if self.facts is not None and self.facts.parameters:
            return megabytes(self.facts.parameters)
        return self.refused_size

    @property
    def usable(self) -> bool:
        """Whether it may be the result of the search."""
        return self.facts is not None and not self.failed and self.facts.fits

    @property
    def whole_seconds(self) -> float:
        """Seconds of its training from beginning to end, as far as is known."""
        assert self.facts is not None
        return self.facts.whole_seconds

    @property
    def again_seconds(self) -> float:
        """Seconds to keep for training it anew: one that is cut short does not count."""
        return SLOWER * self.whole_seconds

    @property
    def rest_seconds(self) -> float:
        """Seconds from where it stands to its end."""
        assert self.facts is not None
        if self.ended:
            return 0.0
        return self.whole_seconds * (1 - self.facts.step / self.facts.total_steps)

    @property
    def whole_trainings(self) -> list[Facts]:
        """Its trainings, of all random seeds, that were to the end of the configuration."""
        own = [] if self.facts is None else [self.facts]
        return [one for one in (*own, *self.finals) if one.whole]

    @property
    def mean_score(self) -> float:
        """The mean score of its whole trainings, else the best so far."""
        assert self.facts is not None
        if scores := [one.score for one in self.whole_trainings]:
            return sum(scores) / len(scores)
        return max(one.score for one in (self.facts, *self.finals))


def smallest(trials: Sequence[Trial]) -> Trial | None:
    """The one with the smallest model, None if no size is known."""
    sized = [(trial.size, trial.id, trial) for trial in trials if trial.size is not None]
    return min(sized)[2] if sized else None
