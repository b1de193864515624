import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import f1_score, precision_recall_curve

from textapps.core.errors import DataError
from textapps.evaluation.metrics.classification import (
    ClassifierFigures,
    calibration_table,
    classification_metrics,
    confusion_matrix,
    most_confident_mistakes,
    per_class_table,
)
from textapps.evaluation.metrics.thresholds import best_threshold, precision_recall, predicted

# Few distinct scores, so that there are equal ones.
EXAMPLES = st.lists(
    st.tuples(st.integers(0, 1), st.integers(0, 20)), min_size=2, max_size=25
).filter(lambda rows: len({label for label, _ in rows}) == 2)


def scored(rows: list[tuple[int, int]]) -> tuple[np.ndarray, np.ndarray]:
    labels, twentieths = np.array(rows).T
    second = (twentieths / 20).astype(np.float32)
    return labels, np.stack([1 - second, second], axis=1)


@given(EXAMPLES)
def test_no_threshold_has_a_higher_macro_f1(rows: list[tuple[int, int]]) -> None:
    labels, scores = scored(rows)
    found = best_threshold(labels, scores)

    def macro_f1(given: list[int]) -> float:
        shares = []
        for label in (0, 1):
            both = sum(a == b == label for a, b in zip(labels, given, strict=True))
            either = given.count(label) + labels.tolist().count(label)
            shares.append(2 * both / either)
        return sum(shares) / 2

    def at(threshold: float) -> list[int]:
        return (scores[:, 1] >= np.float32(threshold)).astype(int).tolist()

    assert found.macro_f1 == pytest.approx(macro_f1(at(found.threshold)))
    assert found.macro_f1 >= max(macro_f1(at(each)) for each in np.arange(1, 40) / 40) - 1e-9
    assert 0 < found.threshold < 1
    assert found.without == pytest.approx(macro_f1(np.argmax(scores, axis=1).tolist()))


def test_where_nothing_is_gained_the_threshold_stays_in_the_middle() -> None:
    labels, scores = scored([(0, 1), (0, 3), (1, 18), (1, 12)])
    assert best_threshold(labels, scores) == (0.5, 1.0, 1.0)


def test_neighbouring_float32_scores_are_told_apart() -> None:
    low = np.float32(0.3)
    high = np.nextafter(low, np.float32(1))
    scores = np.array([[0.7, low], [0.7, high]], np.float32)
    found = best_threshold([0, 1], scores)
    assert predicted(scores, found.threshold).tolist() == [0, 1]


def test_one_class_is_not_enough() -> None:
    with pytest.raises(DataError, match="examples of both classes"):
        best_threshold([1, 1], [[0.5, 0.5], [0.1, 0.9]])


@given(EXAMPLES)
def test_the_curve_is_that_of_scikit_learn(rows: list[tuple[int, int]]) -> None:
    labels, scores = scored(rows)
    precision, recall, thresholds = precision_recall_curve(labels, scores[:, 1])
    found = precision_recall(labels, scores)
    assert found.thresholds == pytest.approx(thresholds)
    assert found.precision == pytest.approx(precision[:-1])  # it adds a last point
    assert found.recall == pytest.approx(recall[:-1])


def test_all_figures_of_a_classifier_follow_the_threshold() -> None:
    labels = np.array([0, 1, 1, 0, 1])
    second = np.array([0.3, 0.35, 0.2, 0.1, 0.8])
    scores = np.stack([1 - second, second], axis=1)
    given = np.array([0, 1, 0, 0, 1])
    metrics = classification_metrics(labels, scores, threshold=0.35, resamples=9)
    plain = classification_metrics(labels, scores, resamples=9)
    assert metrics["accuracy"] == 0.8
    assert plain["accuracy"] == 0.6
    assert metrics["macro_f1"] == pytest.approx(f1_score(labels, given, average="macro"))
    assert metrics["log_loss"] == plain["log_loss"]  # it is of the scores
    assert metrics["auc"] == plain["auc"]
    assert ClassifierFigures(labels, scores, 0.35).of(np.ones(5))["accuracy"] == 0.8
    assert confusion_matrix(labels, scores, 0.35).tolist() == [[2, 0], [1, 2]]
    assert per_class_table(labels, scores, "ab", 0.35)[1][1:3] == (1.0, pytest.approx(2 / 3))
    (mistake,) = most_confident_mistakes("vwxyz", labels, scores, threshold=0.35)
    assert mistake == (2, "x", 1, 0, 0.8)
    (lowest, *_) = calibration_table(labels, scores, 0.35)
    assert lowest == (0.35, 1.0, 1)
