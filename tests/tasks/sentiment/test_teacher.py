"""What a teacher says of unlabelled texts, on texts whose classes are known."""

import numpy as np
import pytest
from scipy.sparse import csr_matrix

from textapps.tasks.sentiment.teacher import soft_labels

WORDS, PER_CLASS, NOISE = 12, 9, 20


def made_texts(classes: int, texts: int, seed: int) -> tuple[csr_matrix, np.ndarray]:
    """Texts of a few telling words of their class and some that tell nothing."""
    random = np.random.default_rng(seed)
    labels = np.arange(texts) % classes
    rows = np.zeros((texts, classes * PER_CLASS + NOISE), np.float32)
    for row, label in zip(rows, labels, strict=True):
        row[label * PER_CLASS + random.choice(PER_CLASS, 3, replace=False)] = 1
        row[classes * PER_CLASS + random.choice(NOISE, 4, replace=False)] = 1
    return csr_matrix(rows), labels.astype(np.int32)


@pytest.mark.parametrize("classes", [2, 3])
def test_words_that_no_labelled_text_has_are_learned(classes: int) -> None:
    """Six labelled texts of each class have at most half of its words."""
    count = 6 * classes
    matrix, truth = made_texts(classes, 400, seed=classes)
    own = matrix.toarray()
    own[:count, [c * PER_CLASS + k for c in range(classes) for k in range(4, PER_CLASS)]] = 0
    matrix = csr_matrix(own)
    found = soft_labels(matrix, matrix, [], truth[:count], classes).labels
    np.testing.assert_array_equal(found[:count], np.eye(classes)[truth[:count]])
    np.testing.assert_allclose(found.sum(axis=1), 1, atol=1e-5)
    right = found.argmax(axis=1) == truth
    assert right[count:].mean() > 0.9
    unseen = own[count:, [c * PER_CLASS + k for c in range(classes) for k in range(4)]].sum(axis=1)
    assert right[count:][unseen == 0].mean() > 0.8
    again = soft_labels(matrix, matrix, [], truth[:count], classes)
    np.testing.assert_array_equal(found, again.labels)
    np.testing.assert_allclose(again.first.sum(axis=1), 1, atol=1e-5)


def test_features_of_a_trained_backbone_help_where_words_do_not() -> None:
    matrix, truth = made_texts(2, 300, seed=5)
    nothing = csr_matrix(matrix.toarray()[:, 2 * PER_CLASS :])
    random = np.random.default_rng(4)
    features = random.normal(size=(300, 7)) + 3 * truth[:, None] * (np.arange(7) == 2)
    rows = slice(60, None)
    with_them = soft_labels(nothing, nothing, [features], truth[:60], 2).labels
    without = soft_labels(nothing, nothing, [], truth[:60], 2).labels
    right = [(found.argmax(axis=1) == truth)[rows].mean() for found in (with_them, without)]
    assert right[0] > 0.85
    assert right[1] < 0.7
