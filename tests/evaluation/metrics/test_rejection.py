"""Margins above unknown words, and what they accept and recognise."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from textapps.core.errors import DataError
from textapps.evaluation.metrics.rejection import margins, rejection_curve, threshold_for
from textapps.evaluation.reports.speech_plots import in_use

NAMES = ["go", "no", "unknown", "silence"]
COMMANDS = ("go", "no")


@given(st.lists(st.integers(-9, 9), min_size=1, max_size=25), st.floats(0, 1, exclude_max=True))
def test_a_threshold_lets_no_more_pass_than_may(values: list[int], share: float) -> None:
    threshold = threshold_for(values, share)
    allowed = int(share * len(values))
    assert sum(value > threshold for value in values) <= allowed
    # One value further down, too many would pass.
    lower = [value for value in values if value <= threshold]
    if lower:
        assert sum(value >= max(lower) for value in values) > allowed


def test_a_threshold_of_nothing() -> None:
    with pytest.raises(DataError, match="no clip of other words"):
        threshold_for([], 0.05)


@given(st.integers(0, 10_000))
def test_the_curve_counts_clip_by_clip(seed: int) -> None:
    drawn = np.random.RandomState(seed)
    scores = drawn.dirichlet([1, 1, 1, 0.5], size=30)
    labels = drawn.randint(0, 4, 30)
    labels[:2] = 0, 2
    curve = rejection_curve(labels, scores, NAMES, commands=COMMANDS)
    assert curve is not None
    margin = margins(np.log(scores), NAMES, COMMANDS)
    for place in range(0, len(curve.thresholds), 7):
        least = curve.thresholds[place]
        accepted = [m > least for m, label in zip(margin, labels, strict=True) if label == 2]
        recognised = [
            m > least and row[label] == max(row[0], row[1])
            for m, row, label in zip(margin, scores, labels, strict=True)
            if label < 2
        ]
        assert curve.false_accepts[place] == pytest.approx(np.mean(accepted))
        assert curve.recall[place] == pytest.approx(np.mean(recognised))


@given(st.integers(0, 10_000))
def test_at_a_threshold_of_0_it_counts_the_most_likely_classes(seed: int) -> None:
    """Silence may be the most likely one."""
    drawn = np.random.RandomState(seed)
    scores = drawn.dirichlet([1, 1, 0.5, 1], size=20)
    labels = drawn.randint(0, 4, 20)
    labels[:2] = 0, 2
    curve = rejection_curve(labels, scores, NAMES, commands=COMMANDS)
    assert curve is not None
    assert curve.thresholds[0] == -np.inf
    given = scores.argmax(axis=1)
    accepted = [place < 2 for place, label in zip(given, labels, strict=True) if label == 2]
    right = [place == label for place, label in zip(given, labels, strict=True) if label < 2]
    assert in_use(curve) == pytest.approx((np.mean(accepted), np.mean(right)))


def test_there_is_no_curve_without_unknown_words() -> None:
    scores = [[0.6, 0.4], [0.5, 0.5]]
    assert rejection_curve([0, 1], scores, ["go", "no"], commands=COMMANDS) is None
    scores = [[0.6, 0.2, 0.1, 0.1]]
    assert rejection_curve([0], scores, NAMES, commands=COMMANDS) is None
