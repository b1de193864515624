"""A teacher: what a few labelled texts say of many unlabelled ones."""

from collections.abc import Sequence
from typing import Any, NamedTuple

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


class Taught(NamedTuple):
    """What a teacher says of all texts, each float32[texts, classes], 1 or 0 for labelled ones.

    first: from what the labelled texts alone tell; naive Bayes on n-grams is to learn from these.
    labels: the final ones.
    """

    first: NDArray[np.float32]
    labels: NDArray[np.float32]


def soft_labels(
    ngrams: Any, words: Any, features: Sequence[Floats], labels: NDArray[np.int32], classes: int
) -> Taught:
    """The probabilities of the classes for all texts, of which the first ones are labelled.

    1) Logistic regressions on n-grams and on topics learn from the labelled texts, and their
    answers for all texts are added. 2) Naive Bayes on n-grams learns from these answers for all
    texts (one step of Nigam et al. 2000, section 5): so it knows n-grams that no labelled text has,
    and most mistakes cancel out. Further steps would drift away from the classes. 3) A logistic
    regression on its answer, on topics and on the features of a trained backbone learns from the
    labelled texts how far to trust each.

    Args:
        ngrams: SciPy CSR of zeros and ones, [texts, n-grams].
        words: the same of single words.
        features: float[texts, features] each; they help in the last step, not in the first.
        labels: int32[labelled], those of the first texts.
    """
    known = np.eye(classes, dtype=np.float32)[labels]
    counts = known.sum(axis=0) + PRIOR_TEXTS
    shares = counts / counts.sum()
    views = [_standard(each) * np.sqrt(TOPICS / each.shape[1]) for each in features]
    of_topics = _standard(topics(words))
    first = _deviation(_ngram_logits(ngrams, labels, classes))
    first += _deviation(_logits(of_topics, labels, classes, cost=0.03))
    early = _with_shares(SHARPNESS * _deviation(first), shares)
    early[: len(labels)] = known
    spread = _deviation(_naive_bayes(ngrams, early, len(labels)))
    columns = [SPREAD * spread, *(TOPIC * view for view in (of_topics, *views))]
    logits = _logits(np.concatenate(columns, axis=1), labels, classes, cost=0.1)
    late = softmax(logits, axis=1).astype(np.float32)
    late[: len(labels)] = known
    return Taught(early, late)


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


def _naive_bayes(ngrams: Any, answers: Floats, labelled: int) -> Floats:
    """Logits of all texts by naive Bayes that learns from float[texts, classes].

    The first `labelled` texts do not count for their own logits: these would show how well naive
    Bayes knows their labels by heart, not how far to trust it.
    """
    counts = ngrams.T @ answers
    logits: Floats = ngrams @ log_count_ratios(counts)
    total = counts.sum(axis=0)
    for row in range(labelled):
        own = ngrams.indices[ngrams.indptr[row] : ngrams.indptr[row + 1]]
        mine, every = answers[row], counts[own]
        other = every.sum(axis=1, keepdims=True) - every
        ratio = np.log(1 + every - mine) - np.log(1 + other - (answers[row].sum() - mine))
        sizes = len(counts) + total, len(counts) + total.sum() - total
        logits[row] = (ratio - np.log(sizes[0]) + np.log(sizes[1])).sum(axis=0)
    return logits


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


def _with_shares(logits: Floats, shares: Floats, rounds: int = 50) -> NDArray[np.float32]:
    """Probabilities whose mean over the texts is float[classes], by a bias of each class."""
    bias = np.zeros(len(shares))
    for _ in range(rounds):
        bias += np.log(shares / softmax(logits + bias, axis=1).mean(axis=0))
    found: NDArray[np.float32] = softmax(logits + bias, axis=1).astype(np.float32)
    return found
