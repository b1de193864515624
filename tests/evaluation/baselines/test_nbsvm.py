import numpy as np
import pytest
from scipy import sparse

from textapps.core.errors import DataError
from textapps.evaluation.baselines import nbsvm
from textapps.evaluation.baselines.nbsvm import NaiveBayesSVM, log_count_ratio

WORDS = {0: "bad dull worse bore", 1: "good fun bright best", 2: "so fair plain even"}


def reviews(n, classes, seed):
    """Texts of one telling word among noise, and their classes."""
    random = np.random.default_rng(seed)
    labels = random.integers(0, classes, n)
    noise = ["the", "film", "a", "of", "it", "is"]
    texts = [
        " ".join([*random.choice(noise, 4), random.choice(WORDS[int(k)].split())]) for k in labels
    ]
    return texts, labels


def test_log_count_ratio_worked_by_hand():
    """Rows 0 and 1 are positive. p = 1 + (2, 1, 0), q = 1 + (0, 1, 1); sums 6 and 5."""
    matrix = sparse.csr_matrix([[1.0, 1, 0], [1, 0, 0], [0, 1, 1]])
    ratio = log_count_ratio(matrix, np.array([True, True, False]))
    expected = np.log([(3 / 6) / (1 / 5), (2 / 6) / (2 / 5), (1 / 6) / (2 / 5)])
    np.testing.assert_allclose(ratio, expected, rtol=1e-12)


@pytest.mark.parametrize("classes", [2, 3])
def test_beats_the_majority(classes):
    model = NaiveBayesSVM(seed=3).fit(*reviews(240, classes, seed=1), classes=classes)
    texts, labels = reviews(90, classes, seed=2)
    scores = model.scores(texts)
    assert scores.shape == (90, classes)
    np.testing.assert_allclose(scores.sum(axis=1), 1.0)
    majority = np.bincount(labels).max() / 90
    assert np.mean(model.predict(texts) == labels) > max(0.95, majority)
    np.testing.assert_array_equal(model.predict(texts), scores.argmax(axis=1))


def test_probabilities_are_as_sure_as_the_data_allow():
    """Where a fifth of the labels is noise, no score should be far above 0.8."""
    texts, labels = reviews(1500, 2, seed=4)
    flipped = np.random.default_rng(5).random(1500) < 0.2
    model = NaiveBayesSVM().fit(texts, np.where(flipped, 1 - labels, labels), classes=2)
    sure = model.scores(reviews(300, 2, seed=6)[0]).max(axis=1)
    assert 0.72 < sure.mean() < 0.88


def test_bigrams_see_what_single_words_cannot():
    texts = ["not good", "good not bad", "bad", "not bad fun", "good", "not good at all"] * 5
    labels = [0, 1, 0, 1, 1, 0] * 5
    asked, expected = ["not good", "not bad", "bad", "good"], [0, 1, 0, 1]
    assert NaiveBayesSVM(ngrams=2, cost=1.0).fit(texts, labels, 2).predict(asked).tolist() == (
        expected
    )
    single = NaiveBayesSVM(ngrams=1, cost=1.0).fit(texts, labels, 2).predict(asked).tolist()
    assert single != expected


def test_trigrams_add_features():
    texts, labels = reviews(40, 2, seed=7)
    two, three = (NaiveBayesSVM(ngrams=n).fit(texts, labels, 2) for n in (2, 3))
    assert len(three.vectorizer.vocabulary_) > len(two.vectorizer.vocabulary_)


def test_characters_for_scripts_without_spaces():
    texts = ["很好看", "真好玩", "很不好", "太差了", "好极了", "不好看"] * 4
    labels = [1, 1, 0, 0, 1, 0] * 4
    model = NaiveBayesSVM(tokens="char", cost=1.0).fit(texts, labels, 2)
    assert model.predict(["这个好玩", "这个不好"]).tolist() == [1, 0]


def test_a_class_without_texts_gets_no_probability():
    texts, labels = reviews(60, 2, seed=8)
    scores = NaiveBayesSVM().fit(texts, labels * 2, classes=4).scores(["a good film", ""])
    np.testing.assert_array_equal(scores[:, [1, 3]], 0.0)
    assert scores[0, 2] > 0.5


def test_same_seed_same_scores(monkeypatch):
    texts, labels = reviews(70, 3, seed=9)
    whole = NaiveBayesSVM(seed=5).fit(texts, labels, 3).scores(texts)
    monkeypatch.setattr(nbsvm, "TEXTS_AT_ONCE", 13)
    np.testing.assert_allclose(NaiveBayesSVM(seed=5).fit(texts, labels, 3).scores(texts), whole)


def test_one_text_a_class_is_enough():
    model = NaiveBayesSVM(min_texts=1, cost=1.0).fit(["good", "bad"], [1, 0], 2)
    assert model.predict(["bad", "good"]).tolist() == [0, 1]


@pytest.mark.parametrize(
    ("texts", "labels", "message"),
    [
        (["a", "b"], [1, 1], "at least two classes"),
        ([], [], "at least two classes"),
        (["a", "b"], [0, 1], "no n-gram"),
    ],
)
def test_refuses_what_it_cannot_learn_from(texts, labels, message):
    with pytest.raises(DataError, match=message):
        NaiveBayesSVM().fit(texts, labels, 2)
