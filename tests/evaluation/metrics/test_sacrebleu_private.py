"""The private interfaces of sacrebleu that metrics use are there and mean what they did."""

import numpy as np
import pytest
from sacrebleu.metrics.base import Metric
from sacrebleu.metrics.bleu import BLEU
from sacrebleu.metrics.chrf import CHRF

from textapps.evaluation.metrics.sacrebleu_private import score, sentence_counts

ANSWERS = ["a red ball .", "two dogs", "a man sleeps on a sofa"]
REFERENCES = ["the red ball .", "two dogs run", "a man is sleeping on the sofa"]


@pytest.mark.parametrize("name", ["_extract_corpus_statistics", "_compute_score_from_stats"])
def test_every_metric_of_sacrebleu_has_them(name: str) -> None:
    assert callable(getattr(Metric, name))


@pytest.mark.parametrize("metric", [BLEU(force=True), CHRF()], ids=["bleu", "chrf"])
def test_sums_of_counts_give_the_score_of_the_sentences(metric: BLEU | CHRF) -> None:
    counts = sentence_counts(metric, ANSWERS, REFERENCES)
    assert counts.shape[0] == len(ANSWERS)
    for rows in ([0, 1, 2], [2], [0, 0, 2]):
        chosen = [ANSWERS[row] for row in rows], [[REFERENCES[row] for row in rows]]
        assert score(metric, counts[rows].sum(axis=0)) == metric.corpus_score(*chosen).score


def test_the_first_counts_of_bleu_are_tokens() -> None:
    counts = sentence_counts(BLEU(force=True), ANSWERS, REFERENCES)
    assert np.array_equal(counts[:, :2], [[4, 4], [2, 3], [6, 7]])
