"""The classical baseline of text generation: an interpolated n-gram model."""

from typing import Any, NamedTuple, Self

import numpy as np
import numpy.typing as npt

from textapps.core.errors import DataError
from textapps.evaluation.metrics.bootstrap import Floats

Ids = npt.NDArray[np.integer[Any]]
Ranks = npt.NDArray[np.int64]

# KenLM's, for counts that allow no estimate: those of few distinct ids, or of a tiny text.
FALLBACK_DISCOUNTS = (0.5, 1.0, 1.5)


class _Weights(NamedTuple):
    """The share of each n-gram in its context, float64[grams], and the context's rest.

    The rest, float64[contexts], is what is left for all ids as the order below sees them.
    """

    share: Floats
    rest: Floats


class NgramModel:
    """Interpolated modified Kneser-Ney over integer ids.

    Chen and Goodman, "An empirical study of smoothing techniques for language modeling", Computer
    Speech and Language 13, 1999, section 3; below single ids all chances are equal. The beginning
    of the training text counts as a predecessor of what stands there. docs/evaluation.md has the
    comparison by which this smoothing was chosen.

    >>> model = NgramModel().fit(np.array([0, 1] * 20), vocabulary_size=3, order=2)
    >>> [round(float(chance), 2) for chance in np.exp(-model.nats(np.array([0, 1, 2])))]
    [0.5, 0.95, 0.01]
    """

    def fit(self, ids: Ids, vocabulary_size: int, order: int = 6) -> Self:
        """Counts the n-grams of a text, of all orders up to `order`, or to its length if less.

        Args:
            ids: int32[n], in [0, vocabulary_size).
            vocabulary_size: over so many ids the probabilities sum to one.

        Raises:
            DataError: no text.
        """
        if not len(ids):
            raise DataError("the n-gram baseline has no text to learn from")
        self.vocabulary_size = vocabulary_size
        # An n-gram is the rank of its context among the n-grams one shorter, times the size of
        # the vocabulary, plus its last id: below 2^63 at any order.
        self._grams: list[Ranks] = []
        self._highest: list[_Weights] = []
        self._lower: list[_Weights] = []
        ranks = np.zeros(len(ids) + 1, np.int64)  # of the n-grams, in the order of their ends
        for n in range(min(order, len(ids))):
            keys = ranks[:-1] * vocabulary_size + ids[n:]
            grams, here, counts = np.unique(keys, return_inverse=True, return_counts=True)
            if n:
                suffixes = np.zeros(len(grams), np.int64)
                suffixes[here] = ranks[1:]
                predecessors = np.bincount(suffixes, minlength=len(self._grams[-1]))
                predecessors[ranks[0]] += 1
                self._lower.append(self._weights(predecessors))
            self._grams.append(grams)
            self._highest.append(self._weights(counts))
            ranks = here
        return self

    def nats(self, ids: Ids) -> npt.NDArray[np.float32]:
        """The surprise of each id given those before it, by the highest order: float32[n]."""
        highest: npt.NDArray[np.float32] = self.by_order(ids)[-1]
        return highest

    def by_order(self, ids: Ids) -> npt.NDArray[np.float32]:
        """`nats` by the model of each order, that of single ids first: float32[orders, n]."""
        rows = np.empty((len(self._grams), len(ids)), np.float32)
        chances = np.full(len(ids), 1 / self.vocabulary_size)
        contexts = np.zeros(len(ids), np.int64)  # -1: never seen, and all that begin with it
        for n, grams in enumerate(self._grams):
            keys = contexts * self.vocabulary_size + ids
            found = np.minimum(np.searchsorted(grams, keys), len(grams) - 1)
            found[grams[found] != keys] = -1
            rows[n] = -np.log(_chances(self._highest[n], found, contexts, chances))
            if n < len(self._lower):
                chances = _chances(self._lower[n], found, contexts, chances)
                contexts = np.append(-1, found)[:-1]
        return rows

    def _weights(self, counts: Ranks) -> _Weights:
        """From counts, or numbers of predecessors, int64[grams] of the newest order."""
        contexts = self._grams[-1] // self.vocabulary_size
        size = len(self._grams[-2]) if len(self._grams) > 1 else 1
        discounts = np.array((0.0, *_discounts(counts)))[np.minimum(counts, 3)]
        totals = np.bincount(contexts, counts, size)
        rest = np.ones(size)  # also of a context that only ends the text
        np.divide(np.bincount(contexts, discounts, size), totals, out=rest, where=totals > 0)
        return _Weights((counts - discounts) / totals[contexts], rest)


def _chances(weights: _Weights, found: Ranks, contexts: Ranks, lower: Floats) -> Floats:
    """Of each id, float64[n]; `found` and `contexts` are int64[n], ranks or -1 for none."""
    share = np.where(found >= 0, weights.share[found], 0.0)
    return share + np.where(contexts >= 0, weights.rest[contexts], 1.0) * lower


def _discounts(counts: Ranks) -> tuple[float, ...]:
    """What is taken from counts of 1, of 2, and of 3 or more: D1, D2 and D3+ of the paper."""
    n1, n2, n3, n4 = np.bincount(np.minimum(counts, 5), minlength=6)[1:5].tolist()
    if n1 and n2 and n3:
        y = n1 / (n1 + 2 * n2)
        found = (1 - 2 * y * n2 / n1, 2 - 3 * y * n3 / n2, 3 - 4 * y * n4 / n3)
        if all(0 < discount <= count for count, discount in enumerate(found, 1)):
            return found
    return FALLBACK_DISCOUNTS
