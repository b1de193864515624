"""The baseline for classification: a linear support vector machine on naive Bayes features."""

from collections.abc import Sequence
from typing import Any, Literal, Self

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.svm import LinearSVC

from textapps.core.errors import DataError

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.integer[Any]]

PATTERNS = {"word": r"\w+|[^\w\s]", "char": r"\S"}  # punctuation is worth 0.4 points on IMDB
TEXTS_AT_ONCE = 10_000


def log_count_ratio(matrix: Any, positive: npt.NDArray[np.bool_], alpha: float = 1.0) -> Floats:
    """log((p / |p|) / (q / |q|)): how strongly each feature indicates a positive text.

    p = alpha + the number of positive texts with the feature, q the same for the other texts.

    Args:
        matrix: SciPy CSR of zeros and ones, [texts, features].
        positive: bool[texts].

    Returns:
        float64[features].
    """
    p = alpha + positive.astype(np.float64) @ matrix
    q = alpha + (~positive).astype(np.float64) @ matrix
    return np.asarray(np.log(p / p.sum()) - np.log(q / q.sum()))


class NaiveBayesSVM:
    """NB-SVM: n-grams scaled by their log-count ratio, then a linear support vector machine.

    Wang and Manning, "Baselines and Bigrams: Simple, Good Sentiment and Topic Classification",
    ACL 2012, section 2.3; with more than two classes, one machine per class against the rest.
    Their interpolation between the machine and naive Bayes (beta) is left out, and n-grams that
    occur in only one text are ignored. Both choices come from experiments on a validation split of
    IMDB; docs/evaluation.md has the figures.

    Args:
        ngrams: length of the longest n-gram, in tokens.
        tokens: "word" (words and punctuation marks) or "char" (for scripts without spaces).
        cost: C of the machine.
        alpha: smoothing, added to every count.
        min_texts: n-grams in fewer training texts are ignored.
        seed: for the held-out rows and the solver.

    >>> texts = ["good fun", "good film", "bad film", "bad bore"]
    >>> model = NaiveBayesSVM(min_texts=1, cost=1.0).fit(texts, [1, 1, 0, 0], classes=2)
    >>> model.predict(["a good bore", "a bad bore"]).tolist()
    [1, 0]
    """

    def __init__(
        self,
        *,
        ngrams: int = 2,
        tokens: Literal["word", "char"] = "word",
        cost: float = 0.01,
        alpha: float = 1.0,
        min_texts: int = 2,
        seed: int = 0,
    ) -> None:
        self.cost = cost
        self.alpha = alpha
        self.seed = seed
        self.min_texts = min_texts
        self.vectorizer = CountVectorizer(
            binary=True,
            dtype=np.float64,
            ngram_range=(1, ngrams),
            token_pattern=PATTERNS[tokens],
        )

    def fit(self, texts: Sequence[str], labels: npt.ArrayLike, classes: int) -> Self:
        """Fits on all texts; a first fit without a tenth of them sets the temperature.

        Args:
            texts: n texts.
            labels: int[n] in [0, classes). A class without texts gets probability 0.
            classes: the number of columns of `scores`.

        Raises:
            DataError: fewer than two classes have texts, or no n-gram is frequent enough.
        """
        labels = np.asarray(labels)
        self.classes = classes
        self._present = np.unique(labels)
        if len(self._present) < 2:
            raise DataError("the baseline needs texts of at least two classes")
        matrix = self._learn(texts)
        held = self._held_out(labels)
        self._train(matrix[~held], labels[~held])
        self._temperature = 1.0
        if held.any():
            targets = np.searchsorted(self._present, labels[held])
            self._temperature = _best_temperature(self._margins(matrix[held]), targets)
        self._train(matrix, labels)
        return self

    def scores(self, texts: Sequence[str]) -> Floats:
        """Probabilities float64[texts, classes]: softmax of the margins over the temperature."""
        probabilities = np.zeros((len(texts), self.classes))
        for start in range(0, len(texts), TEXTS_AT_ONCE):
            rows = slice(start, start + TEXTS_AT_ONCE)
            margins = self._margins(self.vectorizer.transform(texts[rows])) / self._temperature
            probabilities[rows, self._present] = np.exp(log_softmax(margins, axis=1))
        return probabilities

    def predict(self, texts: Sequence[str]) -> npt.NDArray[np.int64]:
        """The class with the highest score: int64[texts]."""
        best: npt.NDArray[np.int64] = np.argmax(self.scores(texts), axis=1)
        return best

    def _learn(self, texts: Sequence[str]) -> Any:
        """Learns the n-grams; returns their matrix, SciPy CSR float64[texts, features]."""
        # scikit-learn has no threshold above the number of texts
        self.vectorizer.min_df = min(self.min_texts, len(texts))
        try:
            return self.vectorizer.fit_transform(texts)
        except ValueError as error:
            raise DataError(
                "the baseline found no n-gram that occurs in enough of the texts"
            ) from error

    def _held_out(self, labels: Integers) -> npt.NDArray[np.bool_]:
        """bool[n]: a tenth of each class, at least one example and never all."""
        held = np.zeros(len(labels), bool)
        random = np.random.default_rng(self.seed)
        for label in self._present:
            rows = random.permutation(np.flatnonzero(labels == label))
            held[rows[: min(max(1, len(rows) // 10), len(rows) - 1)]] = True
        return held

    def _train(self, matrix: Any, labels: Integers) -> None:
        """Sets weights float64[features, machines] and biases; two classes need one machine."""
        chosen = self._present[1:] if len(self._present) == 2 else self._present
        weights, biases = [], []
        for label in chosen:
            positive = labels == label
            ratio = log_count_ratio(matrix, positive, self.alpha)
            scaled = matrix.copy()
            scaled.data = ratio[matrix.indices]
            machine = LinearSVC(C=self.cost, random_state=self.seed).fit(scaled, positive)
            weights.append(machine.coef_[0] * ratio)
            biases.append(machine.intercept_[0])
        self._weights, self._biases = np.stack(weights, axis=1), np.array(biases)

    def _margins(self, matrix: Any) -> Floats:
        """float64[texts, present classes]."""
        margins: Floats = matrix @ self._weights + self._biases
        return np.hstack([-margins, margins]) if margins.shape[1] == 1 else margins


def _best_temperature(margins: Floats, targets: Integers) -> float:
    """The temperature with the lowest log-loss: Guo et al. 2017, section 4.2.

    As in Platt (1999), each target is smoothed a little, so that a few rows without a mistake do
    not lead to a temperature of zero.
    """
    spread = 1.0 / (len(targets) + 2)
    rows = np.arange(len(targets))

    def loss(log_temperature: float) -> float:
        logs = log_softmax(margins / np.exp(log_temperature), axis=1)
        return -float(np.mean((1 - spread) * logs[rows, targets] + spread * logs.mean(axis=1)))

    return float(np.exp(minimize_scalar(loss, bounds=(-5.0, 5.0), method="bounded").x))
