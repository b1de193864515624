"""The paired bootstrap test of BLEU (Koehn 2004) as sacrebleu and Moses compute it, two-sided."""

from collections.abc import Sequence
from itertools import combinations

import numpy as np

from textapps.evaluation.metrics.bootstrap import resampled
from textapps.evaluation.metrics.translation import ScoredTranslations

SEED = 12345  # sacrebleu's


def paired_bleu(
    systems: Sequence[ScoredTranslations], resamples: int = 1_000
) -> dict[tuple[int, int], float]:
    """The p-value of each pair of systems, by their numbers.

    sacrebleu's own test takes 40 bytes for each sentence of each resample, many gigabytes for a
    hundred thousand sentences; here one resample is held at a time. The draws and what is counted
    are the same. sacrebleu counts the resamples beyond the difference on one side of it, so its
    p-value is doubled here. Of two systems with the same BLEU it gives 1 / (resamples + 1), its
    smallest p-value, because it counts a difference of exactly 0 as no chance event. Here that
    is 1.

    Args:
        systems: their translations of the same sentences.

    >>> paired_bleu([ScoredTranslations(["a red ball ."], ["a red ball ."])] * 2)
    {(0, 1): 1.0}
    """
    drawn = np.array(
        [
            [system.of(counts)["bleu"] for system in systems]
            for counts in resampled(len(systems[0]), resamples, SEED)
        ]
    )
    scores = [system.figures()["bleu"] for system in systems]
    found: dict[tuple[int, int], float] = {}
    for first, second in combinations(range(len(systems)), 2):
        gaps = np.abs(drawn[:, first] - drawn[:, second])
        difference = abs(scores[first] - scores[second])
        beyond = int(np.sum(gaps - gaps.mean() > difference))
        p_value = min(1.0, 2 * (beyond + 1) / (resamples + 1))
        found[first, second] = p_value if difference else 1.0
    return found
