"""The parts that only the sentiment model has."""

import numpy as np
import pytest
from scipy.special import log_softmax

from textapps.core.tokens import PAD, UNK
from textapps.tasks.sentiment.model import SentimentModel, WordDropout
from textapps.tasks.sentiment.ngram_path import NgramPath

FEATURES, CLASSES = 4, 3
# Three texts with the features 1 and 2, 2 and 4, none, and one more of each class.
VALUES = np.array([1, 2, 2, 4, 3, 1], np.int32)
ROW_SPLITS = np.array([0, 2, 4, 4, 5, 6])
LABELS = np.array([0, 1, 2, 2, 0], np.int32)


def test_the_ngram_path_is_naive_bayes_with_weights() -> None:
    path = NgramPath(FEATURES, CLASSES)
    path.build()
    path.adapt(VALUES, ROW_SPLITS, LABELS)
    counts = np.array([[2, 0, 0], [1, 1, 0], [0, 0, 1], [0, 1, 0]])  # features by classes
    ratio = np.zeros((FEATURES + 1, CLASSES))
    for label in range(CLASSES):
        own = 1 + counts[:, label]
        rest = 1 + counts.sum(axis=1) - counts[:, label]
        ratio[1:, label] = np.log((own / own.sum()) / (rest / rest.sum()))
    rng = np.random.default_rng(1)
    weight, bias = rng.normal(size=(FEATURES + 1, CLASSES)), rng.normal(size=CLASSES)
    path.weight.assign(weight)
    path.bias.assign(bias)
    texts = np.array([[1, 3, 0, 0], [4, 0, 0, 2], [0, 0, 0, 0]])
    expected = [sum(ratio[f] * weight[f] for f in row if f) + bias for row in texts]
    np.testing.assert_allclose(path(texts), expected, rtol=1e-5)


def test_word_dropout_spares_padding_and_predictions() -> None:
    layer = WordDropout(0.5)
    ids = np.tile([[7, 8, 9, PAD, PAD]], (400, 1)).astype("int32")
    np.testing.assert_array_equal(layer(ids), ids)
    dropped = np.array(layer(ids, training=True))
    assert set(dropped[:, :3].ravel()) == {7, 8, 9, UNK}
    assert (dropped[:, 3:] == PAD).all()
    assert (dropped == UNK).sum() / 1200 == pytest.approx(0.5, abs=0.07)


@pytest.mark.parametrize(("ngrams", "smoothing"), [(0, 0.0), (2, 0.0), (2, 0.3)])
def test_every_path_has_a_loss_and_a_share_of_the_answer(
    tiny, ngrams: int, smoothing: float
) -> None:
    changes = {"model.ngrams": ngrams, "model.label_smoothing": smoothing}
    config = tiny("sentiment", "simple_rnn", **changes)
    model = SentimentModel(config, vocabulary_size=11, classes=CLASSES, ngrams=FEATURES)
    model.build()
    inputs = {"ids": np.array([[2, 3, 4], [5, 0, 0]]), "ngrams": np.array([[1, 4], [0, 0]])}
    logits = model(inputs)
    paths = 2 if ngrams else 1
    assert logits.shape == (2, paths, CLASSES)
    labels = np.array([1, 2])
    losses = -log_softmax(np.array(logits), axis=-1)
    each = (1 - smoothing) * losses[np.arange(2), :, labels] + smoothing * losses.mean(axis=-1)
    np.testing.assert_allclose(model.loss_of_paths(labels, logits), each.sum(axis=1), rtol=1e-5)

    combined = np.array(model.combined(logits))
    share = config.model.ngram_share if ngrams else 0.0
    expected = (1 - share) * np.array(logits[:, 0]) + share * np.array(logits[:, -1])
    np.testing.assert_allclose(combined, expected, rtol=1e-5, atol=1e-6)
    right = combined.argmax(axis=1) == labels
    np.testing.assert_array_equal(model.correct(labels, logits), right)
