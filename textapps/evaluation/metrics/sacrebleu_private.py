"""The private interfaces of sacrebleu that metrics use; its test names them.

sacrebleu's own resampling is made of them, since its version 2.0. They turn sentences into counts
that can be added up in any selection, and sums of counts into a score.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt


def sentence_counts(
    metric: Any, answers: Sequence[str], references: Sequence[str]
) -> npt.NDArray[np.int64]:
    """int64[sentences, counts]: what BLEU or chrF counts in each answer beside its reference."""
    return np.array(metric._extract_corpus_statistics(answers, [references]), np.int64)


def score(metric: Any, counts: npt.NDArray[Any]) -> float:
    """The score, from 0 to 100, of sums of `sentence_counts`, [counts]."""
    return float(metric._compute_score_from_stats(counts.astype(np.int64).tolist()).score)
