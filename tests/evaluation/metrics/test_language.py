import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from textapps.core.errors import DataError
from textapps.evaluation.metrics.language import language_metrics, paired_gain

NATS = st.lists(st.floats(0, 20, width=32), min_size=1, max_size=70)


def test_figures_worked_by_hand():
    metrics = language_metrics(np.array([math.log(2), math.log(8)], np.float32), resamples=50)
    assert metrics["nats_per_character"] == pytest.approx(math.log(4))
    assert metrics["bits_per_character"] == pytest.approx(2)
    assert metrics["perplexity"] == pytest.approx(4)
    assert metrics["bits_per_character_low"] == pytest.approx(1)
    assert metrics["perplexity_high"] == pytest.approx(8)
    assert set(language_metrics([1.0], resamples=0)) == {
        "nats_per_character",
        "bits_per_character",
        "perplexity",
    }


@given(NATS)
def test_every_character_counts_once(nats):
    metrics = language_metrics(nats, resamples=20)
    mean = metrics["nats_per_character"]
    assert mean == pytest.approx(np.mean(nats), abs=1e-9)
    limits = (
        metrics.get("nats_per_character_low", mean),
        metrics.get("nats_per_character_high", mean),
    )
    assert limits[0] <= mean <= limits[1]


def test_blocks_of_a_long_text_are_wider_than_single_characters_would_be():
    """Stretches of 500 that are easy or hard: there are 200 of them, and not 100,000."""
    random = np.random.default_rng(1)
    stretches = random.normal(size=200)
    metrics = language_metrics(5 + np.repeat(stretches, 500))
    width = metrics["nats_per_character_high"] - metrics["nats_per_character_low"]
    assert width == pytest.approx(2 * 1.96 * stretches.std() / math.sqrt(200), rel=0.25)


def test_one_character_has_no_interval():
    assert set(language_metrics([2.3])) == {
        "nats_per_character",
        "bits_per_character",
        "perplexity",
    }


def test_pairing_sees_a_small_but_steady_gain():
    random = np.random.default_rng(2)
    hard = random.exponential(size=7013)
    found = paired_gain(hard, hard + 0.01 + random.normal(size=7013) * 0.02, resamples=300)
    assert found.difference == pytest.approx(0.01, abs=0.001)
    assert 0 < found.low < found.difference < found.high
    assert found.p_value == 0
    assert paired_gain(hard + 0.01, hard, resamples=300).p_value == 1


@pytest.mark.parametrize("nats", [[], [1.0, math.inf], [math.nan]])
def test_refuses_what_is_no_surprise(nats):
    with pytest.raises(DataError, match=r"no characters|NaN or infinite"):
        language_metrics(nats)


def test_refuses_what_is_not_paired():
    with pytest.raises(DataError, match="same characters"):
        paired_gain([1.0, 2.0], [1.0])
