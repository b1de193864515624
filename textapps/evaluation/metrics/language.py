"""Metrics of a language model from its surprise at each character of a text.

`nats` is float[n], -ln of the probability that the model gave to each character of a text, given
those before it, in the order of the text. docs/evaluation.md defines the metrics.
"""

import math

import numpy as np
import numpy.typing as npt

from textapps.core.errors import DataError
from textapps.evaluation.metrics.bootstrap import (
    Floats,
    PairedBootstrap,
    limits,
    paired_bootstrap,
    resampled,
    weighted_mean,
)

BLOCK = 1000  # characters; surprise depends on content and style, which last for several lines
FEWEST_BLOCKS = 30  # in a text that is too short for 30 blocks of 1,000


def language_metrics(
    nats: npt.ArrayLike, *, resamples: int = 1000, seed: int = 0
) -> dict[str, float]:
    """nats_per_character, bits_per_character and perplexity, with `<name>_low` and `_high`.

    These are 95 % intervals. Neighbouring characters are not independent, so blocks of the text are
    resampled (Carlstein 1986; Künsch 1989); 0 resamples omit the intervals.

    Raises:
        DataError: there are no characters, or a surprise is NaN or infinite.

    >>> metrics = language_metrics([0.5, 1.5, 1.0])
    >>> metrics["nats_per_character"], round(metrics["bits_per_character"], 3)
    (1.0, 1.443)
    """
    blocks = _blocks(nats)
    estimate = float(blocks.mean())
    means = {"": estimate}
    if resamples:
        draws = [
            weighted_mean(blocks, counts) for counts in resampled(len(blocks), resamples, seed)
        ]
        means |= limits("", estimate, draws)
    metrics: dict[str, float] = {}
    for name, write in (
        ("nats_per_character", float),
        ("bits_per_character", lambda mean: mean / math.log(2)),
        ("perplexity", math.exp),
    ):
        metrics |= {name + end: write(mean) for end, mean in means.items()}
    return metrics


def paired_gain(
    nats: npt.ArrayLike, baseline: npt.ArrayLike, *, resamples: int = 10_000, seed: int = 0
) -> PairedBootstrap:
    """The gain of a model over a baseline in nats per character, on the same text.

    The blocks of `language_metrics` are resampled, the same for both. `difference` is positive if
    the model is better; p_value is the share of resamples in which it was not.

    Raises:
        DataError: as `language_metrics`, or the numbers of characters differ.

    >>> paired_gain([1.0, 2.0], [1.5, 2.5], resamples=100)
    PairedBootstrap(difference=0.5, low=0.5, high=0.5, p_value=0.0)
    """
    if np.shape(nats) != np.shape(baseline):
        raise DataError(
            "a paired comparison needs the nats of the same characters by both models, "
            f"not {np.shape(nats)} and {np.shape(baseline)}"
        )
    return paired_bootstrap(-_blocks(nats), -_blocks(baseline), resamples=resamples, seed=seed)


class LanguageFigures:
    """nats_per_character of any weighting of the blocks of a text.

    Args:
        nats: as `language_metrics` takes them; DataError as there.

    >>> LanguageFigures([0.5, 1.5]).of(np.array([3.0, 1.0]))
    {'nats_per_character': 0.75}
    """

    def __init__(self, nats: npt.ArrayLike) -> None:
        self._blocks = _blocks(nats)
        self.examples = len(self._blocks)
        self._whole = len(np.asarray(nats)) // BLOCK

    def behind(self, metric: str) -> int:
        """On how many blocks a metric rests; shorter ones than `BLOCK` depend on each other."""
        return self._whole

    def of(self, counts: Floats) -> dict[str, float]:
        """The metric of the text in which block i occurs counts[i] times, float64[blocks]."""
        return {"nats_per_character": weighted_mean(self._blocks, counts)}


def _blocks(nats: npt.ArrayLike) -> Floats:
    """float64[blocks], with exactly the mean of the characters.

    The sizes of blocks differ by at most one character; each value is scaled from the block's sum.
    """
    values = np.asarray(nats, np.float64)
    if not len(values):
        raise DataError("there are no characters to evaluate on")
    if not np.isfinite(values).all():
        raise DataError("the surprise of some characters is NaN or infinite")
    n = len(values)
    blocks = min(n, max(FEWEST_BLOCKS, n // BLOCK))
    edges = np.arange(blocks) * n // blocks
    return np.add.reduceat(values, edges) * blocks / n
