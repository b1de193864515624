"""What a search has tried and found."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from textapps.evaluation.comparison import Comparison, document


@dataclass(frozen=True, kw_only=True)
class Tried:
    """A configuration that was tried.

    changes: what differs from the preset, in words.
    reached: how far its training came, in words.
    best: its best validation, None if it has none; seeds: that of each of its whole trainings.
    after_seconds: from the beginning of the search to its last news.
    parameters: 0 if not known. megabytes: of its weights in float32.
    milliseconds: to answer one input, None if not measured.
    ended: whether it was trained to its end.
    fits: whether it is within the limits of size and time.
    front: whether no other one that was trained to its end is better in one of quality, size and
        time, and not worse in the others.
    """

    number: int
    backbone: str
    changes: str
    reached: str
    best: float | None
    seeds: Sequence[float] = ()
    after_seconds: float = 0.0
    seconds: float = 0.0
    parameters: int = 0
    megabytes: float = 0.0
    milliseconds: float | None = None
    ended: bool = False
    fits: bool = True
    front: bool = False


@dataclass(frozen=True, kw_only=True)
class Searched:
    """The result of a search.

    run: the path of the run that it ends with; chosen: the number of its trial.
    metric: of validation; less: whether less of it is better.
    seconds_named, seconds_used: the time it was given, and took.
    preset_seconds: of a training of the preset from beginning to end, validations included.
    baseline: the metric of the classical baseline on the same validation split.
    importances: how much each key mattered, as shares of 1.
    space: by key, the values that were tried in words.
    changes: by key, the preset's value and that of the result, where they differ.
    test: the result and the preset on the test split; None if it was not evaluated.
    notes: what a reader should know.
    """

    task: str
    run: str
    data: str
    metric: str
    less: bool
    chosen: int
    tried: Sequence[Tried]
    seconds_named: float
    seconds_used: float
    preset_seconds: float
    baseline: float | None = None
    importances: Mapping[str, float] = field(default_factory=dict)
    space: Mapping[str, str] = field(default_factory=dict)
    changes: Mapping[str, Sequence[str]] = field(default_factory=dict)
    test: Comparison | None = None
    notes: Sequence[str] = ()

    @property
    def document(self) -> dict[str, Any]:
        """All of it of types that JSON has."""
        test = None if self.test is None else document(self.test)
        return {**asdict(replace(self, test=None)), "test": test}


def front(rows: Sequence[tuple[float, ...]]) -> list[bool]:
    """Whether no other row is at least as good in every column and better in one; less is better.

    >>> front([(1, 5), (2, 2), (2, 3), (5, 1)])
    [True, True, False, True]
    """

    def beats(one: tuple[float, ...], other: tuple[float, ...]) -> bool:
        return all(a <= b for a, b in zip(one, other, strict=True)) and one != other

    return [not any(beats(other, row) for other in rows) for row in rows]
