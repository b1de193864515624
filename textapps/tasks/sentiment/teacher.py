"""A teacher: what a few labelled texts say of many unlabelled ones."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import softmax
from sklearn.decomposition import TruncatedSVD
from sklearn.linear_model import LogisticRegression

from textapps.evaluation.baselines.nbsvm import log_count_ratio
from textapps.tasks.sentiment.ngram_path import log_count_ratios

Floats = NDArray[np.floating[Any]]

# Found on a validation split of IMDB, for 50 to 5,000 labelled texts.
TOPICS = 200
SHARPNESS = 1.5  # of the first answers, as a factor of logits of deviation 1
SPREAD = 2.0  # how much more the answer of naive Bayes may count than a topic
TOPIC = 0.3
PRIOR_TEXTS = 10  # of each class, which the shares of the classes among few texts are drawn towards


def soft_labels(
    ngrams: Any, words: Any, features: Mapping[str, Floats], labels: NDArray[np.int32], classes: int
) -> NDArray[np.float32]:
    """The probabilities of the classes for all texts, of which the first ones are labelled.

    1) Logistic regressions on n-grams, on topics and on other features each learn from the labelled
    texts, and their answers for all texts are added. 2) Naive Bayes on n-grams learns from these
    answers for all texts (one step of Nigam et al. 2000, section 5): so it knows n-grams that no
    labelled text has, and does not learn the mistakes that are not connected with any n-gram. 3) A
    logistic regression on its answer, on topics and on the features learns from the labelled texts
    how far to trust each.

    Args:
        ngrams: SciPy CSR of zeros and ones, [texts, n-grams].
        words: the same of single words.
        features: by name, float[texts, features].
        labels: int32[labelled], those of the first texts.

    Returns:
        float32[texts, classes], 1 or 0 for labelled texts.
    """
    known = np.eye(classes)[labels]
    counts = known.sum(axis=0) + PRIOR_TEXTS
    shares = counts / counts.sum()
    views = [_standard(topics(words)), *map(_standard, features.values())]
    views = [view * np.sqrt(TOPICS / view.shape[1]) for view in views]
    first = _deviation(_ngram_logits(ngrams, labels, classes))
    for view in views:
        first += _deviation(_logits(view, labels, classes, cost=0.03))
    found = _with_shares(SHARPNESS * _deviation(first), shares)
    found[: len(labels)] = known
    spread = _deviation(ngrams @ log_count_ratios(ngrams.T @ found))
    columns = np.concatenate([SPREAD * spread, *(TOPIC * view for view in views)], axis=1)
    found = softmax(_logits(columns, labels, classes, cost=0.1), axis=1)
    found[: len(labels)] = known
    return found.astype(np.float32)


def topics(words: Any) -> Floats:
    """Latent semantic analysis (Deerwester et al. 1990): float[texts, topics].

    Args:
        words: SciPy CSR of zeros and ones, [texts, words].
    """
    frequent = np.asarray(words.sum(axis=0)).ravel()
    weighted = words.multiply(np.log(words.shape[0] / np.maximum(frequent, 1))).tocsr()
    lengths = np.sqrt(np.asarray(weighted.multiply(weighted).sum(axis=1)).ravel())
    weighted = weighted.multiply(1 / np.maximum(lengths, 1e-9)[:, None]).tocsr()
    components = max(1, min(TOPICS, min(words.shape) - 1))
    found: Floats = TruncatedSVD(components, n_iter=2, random_state=0).fit_transform(weighted)
    return found


def _ngram_logits(ngrams: Any, labels: NDArray[np.int32], classes: int) -> Floats:
    """Of all texts, by n-grams of two or more labelled ones, scaled as in NB-SVM."""
    own = ngrams[: len(labels)]
    kept = np.asarray(own.sum(axis=0)).ravel() >= 2
    found = np.zeros((ngrams.shape[0], classes))
    if kept.any():
        own, every = own[:, kept], ngrams[:, kept]
        for label in range(classes):
            positive = labels == label
            ratio = log_count_ratio(own, positive)
            model = LogisticRegression(C=0.01, max_iter=300)
            model.fit(own.multiply(ratio).tocsr(), positive)
            found[:, label] = every @ (ratio * model.coef_[0])
    return found


def _logits(features: Floats, labels: NDArray[np.int32], classes: int, cost: float) -> Floats:
    """Of all texts, by a logistic regression on the first ones: float[texts, classes]."""
    model = LogisticRegression(C=cost, max_iter=300).fit(features[: len(labels)], labels)
    found = model.decision_function(features)
    half: Floats = found[:, None] * np.array([-0.5, 0.5]) if classes == 2 else found
    return half


def _standard(features: Floats) -> Floats:
    """Each feature with a mean of 0 and a deviation of 1."""
    spread = features.std(axis=0)
    found: Floats = (features - features.mean(axis=0)) / np.where(spread > 0, spread, 1)
    return found


def _deviation(logits: Floats) -> Floats:
    """The same around a median of 0, with a deviation of 1."""
    centred = logits - logits.mean(axis=1, keepdims=True)
    centred = centred - np.median(centred, axis=0)
    found: Floats = centred / max(float(centred.std()), 1e-9)
    return found


def _with_shares(logits: Floats, shares: Floats, rounds: int = 50) -> Floats:
    """Probabilities whose mean over the texts is float[classes], by a bias of each class."""
    bias = np.zeros(len(shares))
    for _ in range(rounds):
        bias += np.log(shares / softmax(logits + bias, axis=1).mean(axis=0))
    found: Floats = softmax(logits + bias, axis=1)
    return found
