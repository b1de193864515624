"""Trained runs side by side, on the same examples."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from textapps.evaluation.metrics.differences import Difference
from textapps.evaluation.reports.sections import NAMES, figure, gap

Lines = Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class ComparedRun:
    """A run, its metrics on the common examples, and what it costs.

    letter: stands for it in tables.
    origin: what finds it from any folder.
    metrics: with `<name>_low` and `<name>_high`.
    megabytes: of its weights in float32.
    milliseconds: the median time to answer so many inputs at once, by their number.
    training_seconds: 0 if it is not known.
    history: the rows of history.csv; monitor: the validation metric that chose the best weights.
    alone: how many examples it alone gets right, or gets better than every other run does.
    shown: some of them, each with a line for the example and for every run's answer.
    """

    letter: str
    name: str
    origin: str
    backbone: str
    preset: str
    metrics: Mapping[str, float]
    parameters: int
    megabytes: float
    milliseconds: Mapping[int, float]
    training_seconds: float
    history: Sequence[Mapping[str, str]] = ()
    monitor: str = ""
    alone: int = 0
    shown: Sequence[Lines] = ()


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """Runs of one task on the same examples.

    example: what the examples are called; asked: what the runs answer when their time is taken.
    decides: the metric of the verdict.
    items, item: the number of what is answered better or worse, and what it is called.
    exact: whether an answer is right or wrong, and not only better or worse.
    configuration: by key, the value of each run, where they differ.
    notes: what a reader should know.
    """

    task: str
    data: str
    split: str
    examples: int
    example: str
    asked: str
    decides: str
    items: int
    item: str
    exact: bool
    runs: Sequence[ComparedRun]
    differences: Sequence[Difference]
    configuration: Mapping[str, Sequence[str]] = field(default_factory=dict)
    notes: Sequence[str] = ()

    @property
    def verdicts(self) -> list[str]:
        """A sentence for each pair of runs, in the metric that decides."""
        return [self.verdict(row) for row in self.differences if row.metric == self.decides]

    def verdict(self, row: Difference) -> str:
        """What a difference says, in one sentence."""
        first, second = self.runs[row.first], self.runs[row.second]
        name = NAMES[row.metric]
        name = name if name[1:2].isupper() else name[:1].lower() + name[1:]  # BLEU stays
        told = f"{name} {gap(row.metric, row.difference)}"
        told += f" (95 %: {limits(row)}; {chance(row.corrected)})"
        if row.better is not None:
            one, other = (first, second) if row.better == row.first else (second, first)
            values = (figure(run.metrics, row.metric)[0] for run in (one, other))
            return f"{one.letter} is better than {other.letter}: {' against '.join(values)}; {told}"
        pair = [each for each in self.differences if each[1:3] == row[1:3]]
        between = f"between {first.letter} and {second.letter}: {told}"
        if _is_none(row):
            kind = "no difference" if all(map(_is_none, pair)) else f"no difference in {name}"
            return f"{kind} {between}"
        if row.is_of_few:
            return f"too few examples to tell the difference {between}"
        return f"no significant difference {between}"


def _is_none(row: Difference) -> bool:
    return row.difference == row.low == row.high == 0


def limits(row: Difference) -> str:
    """The interval of a difference as text.

    >>> limits(Difference("accuracy", 0, 1, 0.01, -0.005, 0.025, 0.2, 0.2, None, 100))
    '-0.50 to +2.50 points'
    """
    low, high = gap(row.metric, row.low), gap(row.metric, row.high)
    return f"{low.removesuffix(' points')} to {high}"


def chance(p_value: float) -> str:
    """A p-value as text.

    >>> chance(0.0312), chance(0.0004), chance(1.0), chance(0.0496)
    ('p = 0.031', 'p = 0.0004', 'p = 1', 'p = 0.0496')
    """
    digits = 1 if p_value < 0.001 else 3 if 0.04 < p_value < 0.06 else 2  # near what is significant
    return f"p = {p_value:.{digits}g}"


def document(comparison: Comparison) -> dict[str, Any]:
    """The comparison of types that JSON has."""
    runs = comparison.runs
    return {
        "task": comparison.task,
        "data": comparison.data,
        "split": comparison.split,
        "examples": comparison.examples,
        "runs": [
            {
                "letter": run.letter,
                "run": run.name,
                "path": run.origin,
                "backbone": run.backbone,
                "preset": run.preset,
                "metrics": dict(run.metrics),
                "parameters": run.parameters,
                "megabytes": run.megabytes,
                **{f"milliseconds_of_{n}": value for n, value in run.milliseconds.items()},
                "training_seconds": run.training_seconds,
                "alone": run.alone,
            }
            for run in runs
        ],
        "differences": [
            {
                **row._asdict(),
                "first": runs[row.first].letter,
                "second": runs[row.second].letter,
                "better": None if row.better is None else runs[row.better].letter,
            }
            for row in comparison.differences
        ],
        "verdicts": comparison.verdicts,
        "configuration": {
            key: dict(zip((run.letter for run in runs), values, strict=True))
            for key, values in comparison.configuration.items()
        },
        "notes": list(comparison.notes),
    }
