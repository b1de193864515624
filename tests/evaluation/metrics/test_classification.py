import itertools
import math
import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from sklearn import metrics as oracle

from textapps.core.errors import DataError
from textapps.evaluation.metrics.classification import (
    calibration_table,
    classification_metrics,
    confusion_matrix,
    length_accuracy,
    most_confident_mistakes,
    per_class_table,
)

# Predictions 0, 1, 0, 1, 2; right, right, wrong, right, wrong.
LABELS = [0, 1, 1, 1, 0]
SCORES = [
    [0.7, 0.2, 0.1],
    [0.1, 0.6, 0.3],
    [0.5, 0.4, 0.1],
    [0.2, 0.5, 0.3],
    [0.3, 0.3, 0.4],
]


@st.composite
def cases(draw, classes=None):
    classes = classes or draw(st.integers(2, 4))
    n = draw(st.integers(1, 9))
    labels = draw(hnp.arrays(np.int64, n, elements=st.integers(0, classes - 1)))
    # Few distinct values, so that ties happen.
    raw = draw(hnp.arrays(np.int64, (n, classes), elements=st.integers(1, 4)))
    return labels, raw / raw.sum(axis=1, keepdims=True)


def sample(n, classes, seed=0):
    random = np.random.default_rng(seed)
    labels = random.integers(0, classes, n)
    logits = random.normal(size=(n, classes))
    logits[np.arange(n), labels] += 1.0
    scores = np.exp(logits)
    return labels, scores / scores.sum(axis=1, keepdims=True)


def test_worked_by_hand():
    figures = classification_metrics(LABELS, SCORES, resamples=0)
    assert figures["accuracy"] == pytest.approx(3 / 5)
    # Class 0: 2 * 1 / (2 + 2); class 1: 2 * 2 / (2 + 3); class 2: given once, never true: 0.
    assert figures["macro_f1"] == pytest.approx((0.5 + 0.8 + 0.0) / 3)
    logs = [math.log(p) for p in (0.7, 0.6, 0.4, 0.5, 0.3)]
    assert figures["log_loss"] == pytest.approx(-sum(logs) / 5)
    # Bins of 1/15: 0.4 in [6/15, 7/15), the two 0.5 in [7/15, 8/15), 0.6 in [9/15, ...), 0.7.
    gaps = [abs(0 - 0.4), abs(1 - 1.0), abs(1 - 0.6), abs(1 - 0.7)]
    assert figures["calibration_error"] == pytest.approx(sum(gaps) / 5)
    # Class 0, pairs won of positives .7 .3 over .1 .5 .2: 3 + 2 of 6; class 1, .6 .4 .5 over
    # .2 .3: all. Class 2 has no example and is left out.
    assert figures["auc"] == pytest.approx((5 / 6 + 1.0) / 2)
    assert set(figures) == {"accuracy", "macro_f1", "log_loss", "calibration_error", "auc"}


@given(cases())
def test_agrees_with_scikit_learn(case):
    labels, scores = case
    figures = classification_metrics(labels, scores, resamples=0)
    predicted = scores.argmax(axis=1)
    classes = range(scores.shape[1])
    assert figures["accuracy"] == pytest.approx(oracle.accuracy_score(labels, predicted))
    assert figures["macro_f1"] == pytest.approx(
        oracle.f1_score(labels, predicted, average="macro", zero_division=0)
    )
    assert figures["log_loss"] == pytest.approx(oracle.log_loss(labels, scores, labels=classes))
    known = [1] if len(classes) == 2 else [k for k in classes if (labels == k).any()]
    if len(set(labels)) == 1:
        assert "auc" not in figures
    else:
        areas = [oracle.roc_auc_score(labels == k, scores[:, k]) for k in known]
        assert figures["auc"] == pytest.approx(np.mean(areas))
    np.testing.assert_array_equal(
        confusion_matrix(labels, scores),
        oracle.confusion_matrix(labels, predicted, labels=classes),
    )
    table = np.array([row[1:] for row in per_class_table(labels, scores, "abcd"[: len(classes)])])
    expected = oracle.precision_recall_fscore_support(
        labels, predicted, labels=classes, zero_division=0
    )
    np.testing.assert_allclose(table, np.transpose(expected))


@given(cases(), st.randoms(use_true_random=False))
def test_the_order_of_the_examples_does_not_matter(case, random):
    labels, scores = case
    order = random.sample(range(len(labels)), len(labels))
    ours = classification_metrics(labels, scores, resamples=0)
    assert ours == pytest.approx(classification_metrics(labels[order], scores[order], resamples=0))


@given(cases(classes=3), st.permutations(range(3)))
def test_the_order_of_the_classes_does_not_matter(case, order):
    labels, scores = case
    # Ties go to the first class, so make sure that there are none.
    scores = scores + np.array([0.0, 1e-3, 2e-3])
    scores = scores / scores.sum(axis=1, keepdims=True)
    renamed = np.argsort(order)[labels]
    ours = classification_metrics(labels, scores, resamples=0)
    assert ours == pytest.approx(classification_metrics(renamed, scores[:, order], resamples=0))


@given(cases())
def test_figures_are_finite_and_inside_their_intervals(case):
    figures = classification_metrics(*case, resamples=20)
    assert np.isfinite(list(figures.values())).all()
    for name in ("accuracy", "macro_f1", "log_loss", "calibration_error"):
        if f"{name}_low" in figures:
            assert figures[f"{name}_low"] <= figures[name] <= figures[f"{name}_high"]
            assert figures[f"{name}_low"] < figures[f"{name}_high"]


@pytest.mark.parametrize("classes", [2, 3])
def test_perfect_scores(classes):
    labels = np.arange(7) % classes
    figures = classification_metrics(labels, np.eye(classes)[labels], resamples=30)
    low = 7 / (7 + 1.959964**2)  # Wilson's for 7 of 7
    assert figures == {
        **dict.fromkeys(("accuracy", "accuracy_high", "macro_f1", "auc"), 1),
        **{"accuracy_low": pytest.approx(low), "log_loss": 0, "calibration_error": 0},
    }


def test_a_score_of_zero_for_the_truth_stays_finite():
    assert classification_metrics([0], [[0.0, 1.0]], resamples=0)["log_loss"] < 16


def test_one_class_only_has_no_auc():
    figures = classification_metrics([1, 1], [[0.4, 0.6], [0.7, 0.3]], resamples=20)
    assert not any(name.startswith("auc") for name in figures)
    assert figures["accuracy"] == 0.5


def test_the_interval_of_accuracy_is_the_binomial_one():
    labels, scores = sample(2000, 3)
    figures = classification_metrics(labels, scores)
    p = figures["accuracy"]
    half = 1.96 * np.sqrt(p * (1 - p) / 2000)
    assert figures["accuracy_low"] == pytest.approx(p - half, abs=0.15 * half)
    assert figures["accuracy_high"] == pytest.approx(p + half, abs=0.15 * half)


@pytest.mark.parametrize("right", [True, False])
def test_the_interval_of_an_accuracy_without_exception(right):
    """Of n successes of n, Wilson's lower limit is n / (n + z^2)."""
    labels = np.array([0, 1, 1, 0, 1, 1, 0])
    scores = np.eye(2)[labels if right else 1 - labels]
    figures = classification_metrics(labels, scores, resamples=20)
    limit = 7 / (7 + 1.959964**2)
    low, high = (limit, 1) if right else (0, 1 - limit)
    assert figures["accuracy_low"] == pytest.approx(low, abs=1e-6)
    assert figures["accuracy_high"] == pytest.approx(high, abs=1e-6)


def test_the_interval_of_auc_is_that_of_hanley_and_mcneil():
    labels, scores = sample(1500, 2)
    figures = classification_metrics(labels, scores)
    a, positives = figures["auc"], labels.sum()
    negatives = 1500 - positives
    first, second = a / (2 - a), 2 * a * a / (1 + a)
    variance = a * (1 - a) + (positives - 1) * (first - a**2) + (negatives - 1) * (second - a**2)
    half = 1.96 * np.sqrt(variance / positives / negatives)
    assert (figures["auc_high"] - figures["auc_low"]) / 2 == pytest.approx(half, rel=0.25)


def test_the_seed_decides():
    data = sample(60, 3)
    first, again, other = (
        classification_metrics(*data, resamples=40, seed=seed) for seed in (1, 1, 2)
    )
    assert first == again
    assert first != other
    assert first["accuracy"] == other["accuracy"]


def test_a_full_test_split_takes_seconds():
    labels, scores = sample(25_000, 2)
    start = time.process_time()
    classification_metrics(labels, scores)
    assert time.process_time() - start < 10  # about 1 s on a quiet machine


@pytest.mark.parametrize(
    ("labels", "scores", "message"),
    [
        ([], np.empty((0, 2)), "no examples"),
        ([0], [[0.5, 0.5], [0.1, 0.9]], "shapes"),
        ([0], [[1.0]], "two classes"),
        ([2], [[0.5, 0.5]], "has 2 classes"),
        ([-1], [[0.5, 0.5]], "has 2 classes"),
        ([0], [[math.nan, 0.5]], "probabilities"),
        ([0], [[3.0, -2.0]], "probabilities"),
        ([0], [[1.0, 2.0]], "probabilities"),
    ],
)
def test_refuses_what_it_cannot_evaluate(labels, scores, message):
    with pytest.raises(DataError, match=message):
        classification_metrics(labels, scores)


def test_calibration_table_by_hand():
    rows = calibration_table(LABELS, SCORES)
    assert [row.examples for row in rows] == [1, 2, 1, 1]
    np.testing.assert_allclose([row.confidence for row in rows], [0.4, 0.5, 0.6, 0.7])
    np.testing.assert_allclose([row.accuracy for row in rows], [0.0, 0.5, 1.0, 1.0])


@given(st.lists(st.tuples(st.integers(0, 6), st.booleans()), max_size=25), st.integers(1, 5))
def test_length_groups_part_the_examples(examples, groups):
    lengths, correct = [e[0] for e in examples], [e[1] for e in examples]
    rows = length_accuracy(lengths, correct, groups=groups)
    assert len(rows) <= groups
    assert sum(row.examples for row in rows) == len(examples)
    for before, after in itertools.pairwise(rows):
        assert before.longest < after.shortest
    for row in rows:
        inside = [c for n, c in examples if row.shortest <= n <= row.longest]
        assert row.accuracy == pytest.approx(np.mean(inside))
        assert row.low <= row.accuracy + 1e-12
        assert row.accuracy <= row.high + 1e-12


def test_mistakes_come_surest_first():
    texts = ["a", "b", "c", "d", "e"]
    found = most_confident_mistakes(texts, LABELS, SCORES, n=5)
    assert found == [(2, "c", 1, 0, 0.5), (4, "e", 0, 2, 0.4)]
    assert most_confident_mistakes(texts, LABELS, SCORES, n=1) == found[:1]
