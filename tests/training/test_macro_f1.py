import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import f1_score

from textapps.training.macro_f1 import MacroF1

CLASSES = 4
examples = st.tuples(st.integers(0, CLASSES - 1), st.integers(0, CLASSES - 1), st.booleans())


@given(st.lists(examples, min_size=1, max_size=40), st.integers(1, 7))
def test_it_is_that_of_scikit_learn_whatever_the_batches(rows, size):
    """Padding does not count, and neither does a class that is neither there nor predicted."""
    truth, predicted, counted = map(np.array, zip(*rows, strict=True))
    outputs = np.eye(CLASSES, dtype=np.float32)[predicted][:, None]  # as if of one path
    metric = MacroF1(CLASSES, lambda paths: paths[:, 0])
    for start in range(0, len(rows), size):
        part = slice(start, start + size)
        metric.update_state(truth[part], outputs[part], counted[part].astype(np.float32))
    expected = 0.0
    if counted.any():
        expected = f1_score(truth[counted], predicted[counted], average="macro", zero_division=0)
    assert float(metric.result()) == pytest.approx(expected, abs=1e-6)


def test_of_probabilities_the_likeliest_class_counts():
    metric = MacroF1(2)
    metric.update_state(np.float32([[0.6, 0.4], [0.1, 0.9]]), np.float32([[1, 0], [1, 0]]))
    assert float(metric.result()) == pytest.approx(1 / 3)


def test_it_begins_anew():
    metric = MacroF1(2)
    metric.update_state(np.int32([0, 1]), np.float32([[1, 0], [1, 0]]))
    assert float(metric.result()) == pytest.approx(1 / 3)
    metric.reset_state()
    metric.update_state(np.int32([1]), np.float32([[0, 1]]))
    assert float(metric.result()) == 1
