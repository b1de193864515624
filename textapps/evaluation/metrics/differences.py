"""Which of several systems is better, from their answers to the same examples.

All systems are evaluated on the same resampled examples (Koehn 2004), and the p-values are
corrected for the number of comparisons (Holm 1979).
"""

import math
from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from textapps.core.errors import DataError
from textapps.evaluation.metrics.bootstrap import Floats, resampled

SIGNIFICANT = 0.05
FEWEST = 30  # examples; resampling fewer of them makes chance look certain
RESAMPLES = 5_000  # at least
LOWER_IS_BETTER = frozenset(
    {
        "loss",
        "log_loss",
        "calibration_error",
        "nats_per_character",
        "nats_per_token",
        "bits_per_character",
        "perplexity",
        "false_accept_rate",
        "false_reject_rate",
        "miss_rate",
        "false_alarms",
        "false_alarms_on_words",
        "false_alarms_per_hour",
        "latency_ms",
        "milliseconds_per_clip",
        "seconds",
        "parameters",
    }
)

Pair = tuple[int, int]


class Scored(Protocol):
    """The answers of a system, from which the metrics of any weighting of the examples follow."""

    @property
    def examples(self) -> int:
        """How many there are."""

    def of(self, counts: Floats) -> Mapping[str, float]:
        """The metrics of the data in which example i occurs counts[i] times, float64[examples]."""

    def behind(self, metric: str) -> int:
        """On how many examples, which do not depend on each other, a metric rests."""


class Difference(NamedTuple):
    """The difference of two systems in a metric, `first` minus `second`.

    first, second: their numbers.
    low, high: the 95 % interval of the difference.
    p_value: two-sided: how likely a difference as large is if the systems are equally good.
    corrected: the p-value corrected for the number of comparisons.
    better: the number of the better system; None if the difference is not significant at 5 %, or
        there are too few examples.
    examples: on which the metric rests.
    """

    metric: str
    first: int
    second: int
    difference: float
    low: float
    high: float
    p_value: float
    corrected: float
    better: int | None
    examples: int

    @property
    def is_of_few(self) -> bool:
        """Whether there are too few examples to say which system is better."""
        return self.examples < FEWEST


def is_less_better(metric: str) -> bool:
    """Whether a smaller value of a metric, of the test split or of validation, is the better one.

    >>> is_less_better("nats_per_token"), is_less_better("accuracy_5_db")
    (True, False)
    """
    return metric in LOWER_IS_BETTER


def differences(
    systems: Sequence[Scored],
    metrics: Sequence[str],
    known: Mapping[tuple[str, Pair], float] | None = None,
    *,
    resamples: int | None = None,
    seed: int = 0,
) -> list[Difference]:
    """Every pair of systems in each metric that both have.

    Args:
        known: p-values that another test has computed, by metric and pair; they take the place of
            those from the resamples.
        resamples: by default as many as `resamples_for` the comparisons.

    Raises:
        DataError: the systems have a different number of examples.
    """
    if len({system.examples for system in systems}) != 1:
        told = ", ".join(str(system.examples) for system in systems)
        raise DataError(f"a comparison needs answers to the same examples, not to {told} of them")
    estimates = [system.of(np.ones(system.examples)) for system in systems]
    pairs = list(combinations(range(len(systems)), 2))
    resamples = resamples or resamples_for(len(pairs) * len(metrics))
    draws: list[dict[str, list[float]]] = [{name: [] for name in metrics} for _ in systems]
    for counts in resampled(systems[0].examples, resamples, seed):
        for system, drawn in zip(systems, draws, strict=True):
            found = system.of(counts)
            for name in metrics:
                drawn[name].append(found.get(name, np.nan))
    rows = []
    for name in metrics:
        for one, other in pairs:
            if name not in estimates[one] or name not in estimates[other]:
                continue
            gaps = np.array(draws[one][name]) - np.array(draws[other][name])
            gaps = gaps[np.isfinite(gaps)]  # a resample may lack the examples of a metric
            low, high = map(float, np.quantile(gaps, (0.025, 0.975)))
            gap = estimates[one][name] - estimates[other][name]
            p_value = (known or {}).get((name, (one, other)), two_sided(gaps))
            behind = systems[one].behind(name)
            row = Difference(name, one, other, gap, low, high, p_value, p_value, None, behind)
            rows.append(row)
    corrected = holm([row.p_value for row in rows])
    return [
        row._replace(corrected=p_value, better=_better(row, p_value))
        for row, p_value in zip(rows, corrected, strict=True)
    ]


def resamples_for(comparisons: int, fewest: int = RESAMPLES) -> int:
    """How many resamples it takes until so many comparisons can be significant.

    The smallest p-value of n resamples, 2 / (n + 1), is multiplied by the number of comparisons,
    and should then be half of what is significant.

    >>> resamples_for(3), resamples_for(135)
    (5000, 10800)
    """
    return max(fewest, math.ceil(2 * comparisons / (SIGNIFICANT / 2)))


def two_sided(gaps: npt.ArrayLike) -> float:
    """The two-sided p-value of a difference, from its resamples, float[resamples].

    It is twice the share of resamples on the rarer side of 0; as in Davison and Hinkley (1997,
    section 4.2) one resample more is counted, so that it is never 0.

    >>> two_sided([0.0] * 99), two_sided([1.0] * 99), two_sided([1.0] * 89 + [-1.0] * 10)
    (1.0, 0.02, 0.22)
    """
    values = np.asarray(gaps)
    rarer = min(np.sum(values <= 0), np.sum(values >= 0))
    return min(1.0, 2 * float(rarer + 1) / (len(values) + 1))


def holm(p_values: Sequence[float]) -> list[float]:
    """The p-values corrected for their number (Holm 1979), in the same order.

    The smallest of n is multiplied by n, the next by n - 1, and so on; none becomes smaller than
    one before it, or larger than 1.

    >>> holm([0.01, 0.04, 0.03])
    [0.03, 0.06, 0.06]
    """
    order = np.argsort(p_values, kind="stable")
    factors = len(p_values) - np.arange(len(p_values))
    rising = np.maximum.accumulate(np.asarray(p_values, np.float64)[order] * factors)
    corrected = np.empty(len(p_values))
    corrected[order] = np.minimum(rising, 1.0)
    return [float(each) for each in corrected]


def _better(row: Difference, p_value: float) -> int | None:
    if p_value >= SIGNIFICANT or not row.difference or row.is_of_few:
        return None
    first_wins = (row.difference < 0) == is_less_better(row.metric)
    return row.first if first_wins else row.second
