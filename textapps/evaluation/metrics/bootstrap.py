"""Intervals and comparisons from resampled examples (Efron 1979).

All functions are pure: the same arguments, including the seed, give the same results.
"""

from collections.abc import Iterator
from statistics import NormalDist
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from textapps.core.errors import DataError

Floats = npt.NDArray[np.float64]


class PairedBootstrap(NamedTuple):
    """mean(a) - mean(b), its 95 % interval, and the share of resamples in which a <= b."""

    difference: float
    low: float
    high: float
    p_value: float


def resampled(examples: int, resamples: int, seed: int) -> Iterator[Floats]:
    """For each resample, how often each example was drawn: float64[examples], integers."""
    random = np.random.default_rng(seed)
    for _ in range(resamples):
        draws = random.integers(0, examples, examples)
        yield np.bincount(draws, minlength=examples).astype(np.float64)


def weighted_mean(values: Floats, counts: Floats) -> float:
    """The mean of `values`, in which the i-th counts counts[i] times.

    This is not a dot product, because BLAS distributes even a small one over threads, which is 50
    times slower if other processes use the cores.
    """
    return float((values * counts).sum() / counts.sum())


def interval(estimate: float, draws: npt.ArrayLike, level: float = 0.95) -> tuple[float, float]:
    """The bias-corrected percentile interval (Efron 1987) from resampled estimates.

    The correction matters for the calibration error, whose resamples are biased upwards, because
    each contains the noise twice. If the bias is so large that the interval would exclude the
    estimate, the interval is widened to include it. NaN and infinite draws are ignored.

    >>> interval(2.0, [1.0, 2.0, 3.0], level=1.0)
    (1.0, 3.0)
    """
    values = np.asarray(draws, np.float64)
    values = values[np.isfinite(values)]
    if not len(values):
        return estimate, estimate
    below = np.mean(values < estimate) + np.mean(values == estimate) / 2
    # Half a draw away from 0 and 1, where the normal quantile is infinite.
    margin = 0.5 / (len(values) + 1)
    normal = NormalDist()
    lean = 2 * normal.inv_cdf(float(np.clip(below, margin, 1 - margin)))
    tail = (1 - level) / 2
    if tail:
        shares = [normal.cdf(lean + normal.inv_cdf(share)) for share in (tail, 1 - tail)]
    else:
        shares = [0.0, 1.0]
    low, high = np.quantile(values, shares)
    return min(float(low), estimate), max(float(high), estimate)


def limits(name: str, estimate: float, draws: npt.ArrayLike) -> dict[str, float]:
    """`<name>_low` and `<name>_high`, as `interval` has them; {} if all draws are alike.

    Then the data do not tell how far the estimate may be off: of a macro F1 of 1, every resample
    has 1 too.

    >>> limits("auc", 0.5, [0.4, 0.5, 0.6]).keys(), limits("auc", 1.0, [1.0, 1.0])
    (dict_keys(['auc_low', 'auc_high']), {})
    """
    low, high = interval(estimate, draws)
    return {f"{name}_low": low, f"{name}_high": high} if low < high else {}


def paired_bootstrap(
    a: npt.ArrayLike, b: npt.ArrayLike, *, resamples: int = 10_000, seed: int = 0
) -> PairedBootstrap:
    """Tests whether system a is better than system b on the same examples.

    Koehn 2004: both systems are evaluated on the same resampled examples. A p-value of 0 means
    less than one in `resamples`.

    Args:
        a: the first system's score for each example, of which more is better: float[n], or bool[n]
            for correct predictions.
        b: the second system's scores for the same examples, in the same order.

    Raises:
        DataError: there are no examples, or a different number for each system.

    >>> paired_bootstrap([1, 1, 1], [0, 0, 0], resamples=100)
    PairedBootstrap(difference=1.0, low=1.0, high=1.0, p_value=0.0)
    """
    first, second = np.asarray(a, np.float64), np.asarray(b, np.float64)
    if first.ndim != 1 or first.shape != second.shape or not len(first):
        raise DataError(
            "a paired comparison needs the scores of the same examples by both systems, "
            f"not {first.shape} and {second.shape}"
        )
    gains = first - second
    means = [weighted_mean(gains, counts) for counts in resampled(len(gains), resamples, seed)]
    low, high = np.quantile(means, [0.025, 0.975])
    return PairedBootstrap(
        float(gains.mean()), float(low), float(high), float(np.mean(np.array(means) <= 0.0))
    )


def wilson_interval(successes: Any, examples: Any) -> tuple[Floats, Floats]:
    """95 % interval of shares (Wilson 1927), valid also for few examples and shares of 1.

    Args:
        successes: numbers of successes, of any shape.
        examples: numbers of trials, of the same shape, at least 1.

    Returns:
        low and high, float64 of that shape.

    >>> low, high = wilson_interval([5], [10])
    >>> round(float(low[0]), 3), round(float(high[0]), 3)
    (0.237, 0.763)
    """
    z = NormalDist().inv_cdf(0.975)
    n = np.asarray(examples, np.float64)
    share = np.asarray(successes, np.float64) / n
    middle = (share + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * np.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    return np.clip(middle - half, 0, 1), np.clip(
        middle + half, 0, 1
    )  # rounding may exceed the limits
