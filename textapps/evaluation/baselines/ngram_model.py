"""The baseline for text generation: an interpolated n-gram model."""

from typing import Any, NamedTuple, Self

import numpy as np
import numpy.typing as npt

from textapps.core.errors import DataError
from textapps.evaluation.metrics.bootstrap import Floats

Ids = npt.NDArray[np.integer[Any]]
Ranks = npt.NDArray[np.int64]

# KenLM's, if the counts do not allow an estimate: few distinct ids, or a tiny text.
FALLBACK_DISCOUNTS = (0.5, 1.0, 1.5)


class _Weights(NamedTuple):
    """The share of each n-gram in its context, float64[grams], and the context's remainder.

    The remainder, float64[contexts], is the probability left for the lower order.
    """

    share: Floats
    rest: Floats


class NgramModel:
    """Interpolated modified Kneser-Ney over integer ids.

    Chen and Goodman, "An empirical study of smoothing techniques for language modeling", Computer
    Speech and Language 13, 1999, section 3; below order 1 all ids have the same probability. The
    start of the training text counts as a predecessor of its first ids. docs/evaluation.md has the
    comparison by which this smoothing was chosen.

    >>> model = NgramModel().fit(np.array([0, 1] * 20), vocabulary_size=3, order=2)
    >>> [round(float(chance), 2) for chance in np.exp(-model.nats(np.array([0, 1, 2])))]
    [0.5, 0.95, 0.01]
    """

    def fit(self, ids: Ids, vocabulary_size: int, order: int = 6) -> Self:
        """Counts the n-grams of a text of all orders up to `order`, or its length if that is less.

        Args:
            ids: int32[n], in [0, vocabulary_size).
            vocabulary_size: the number of ids, over which the probabilities sum to one.

        Raises:
            DataError: the text is empty.
        """
        if not len(ids):
            raise DataError("the n-gram baseline has no text to learn from")
        self.vocabulary_size = vocabulary_size
        # An n-gram is encoded as the rank of its context among the n-grams of one order less, times
        # the vocabulary size, plus its last id: below 2^63 at any order.
        self._grams: list[Ranks] = []
        self._highest: list[_Weights] = []
        self._lower: list[_Weights] = []
        ranks = np.zeros(len(ids) + 1, np.int64)  # of the n-grams, ordered by their ends
        for n in range(min(order, len(ids))):
            keys = ranks[:-1] * vocabulary_size + ids[n:]
            grams, first, here, counts = _distinct(keys)
            if n:
                suffixes = ranks[1:][first]
                predecessors = np.bincount(suffixes, minlength=len(self._grams[-1]))
                predecessors[ranks[0]] += 1
                self._lower.append(self._weights(predecessors))
            self._grams.append(grams)
            self._highest.append(self._weights(counts))
            ranks = here
        return self

    def nats(self, ids: Ids) -> npt.NDArray[np.float32]:
        """The surprise of each id given those before it, from the highest order: float32[n]."""
        highest: npt.NDArray[np.float32] = self.by_order(ids)[-1]
        return highest

    def by_order(self, ids: Ids) -> npt.NDArray[np.float32]:
        """`nats` of the model of each order, from order 1: float32[orders, n]."""
        rows = np.empty((len(self._grams), len(ids)), np.float32)
        chances = np.full(len(ids), 1 / self.vocabulary_size)
        contexts = np.zeros(len(ids), np.int64)  # -1: never seen, like all its continuations
        for n, grams in enumerate(self._grams):
            keys = contexts * self.vocabulary_size + ids
            found = np.minimum(np.searchsorted(grams, keys), len(grams) - 1)
            found[grams[found] != keys] = -1
            rows[n] = -np.log(_chances(self._highest[n], found, contexts, chances))
            if n < len(self._lower):
                chances = _chances(self._lower[n], found, contexts, chances)
                contexts = np.append(-1, found)[:-1]
        return rows

    @property
    def tables(self) -> list[tuple[Ranks, Ranks, Floats, Floats]]:
        """The interpolation that `nats` computes, from order 1 to the highest.

        Of each order: the context of each n-gram, as its rank among the n-grams of one order less;
        its last id; its share in the context; and by context what is left for the lower order.
        """
        return [
            (grams // self.vocabulary_size, grams % self.vocabulary_size, *weights)
            for grams, weights in zip(self._grams, [*self._lower, self._highest[-1]], strict=True)
        ]

    def _weights(self, counts: Ranks) -> _Weights:
        """From counts, or numbers of predecessors, int64[grams], of the highest order so far."""
        contexts = self._grams[-1] // self.vocabulary_size
        size = len(self._grams[-2]) if len(self._grams) > 1 else 1
        discounts = np.array((0.0, *_discounts(counts)))[np.minimum(counts, 3)]
        totals = np.bincount(contexts, counts, size)
        rest = np.ones(size)  # also for a context that occurs only at the end of the text
        np.divide(np.bincount(contexts, discounts, size), totals, out=rest, where=totals > 0)
        return _Weights((counts - discounts) / totals[contexts], rest)


def _distinct(keys: Ranks) -> tuple[Ranks, Ranks, Ranks, Ranks]:
    """The distinct keys in ascending order, where each is first, the rank of every key, and counts.

    As `np.unique`, but each key is sorted as one number with its place, where both fit into 63
    bits: sorting numbers takes a fraction of the time of sorting indices by them.
    """
    size = len(keys)
    places = size.bit_length()
    if int(keys.max()).bit_length() + places < 64:
        ordered = keys << places
        ordered |= np.arange(size)
        ordered.sort()
        order = ordered & ((1 << places) - 1)
        ordered >>= places
    else:
        order = np.argsort(keys, kind="stable")
        ordered = keys[order]
    begins = np.append(True, ordered[1:] != ordered[:-1])
    starts = np.flatnonzero(begins)
    ranks = np.empty(size, np.int64)
    ranks[order] = np.cumsum(begins) - 1
    return ordered[starts], order[starts], ranks, np.diff(starts, append=size)


def _chances(weights: _Weights, found: Ranks, contexts: Ranks, lower: Floats) -> Floats:
    """Probabilities, float64[n]; `found` and `contexts` are int64[n], ranks, -1 for none."""
    share = np.where(found >= 0, weights.share[found], 0.0)
    return share + np.where(contexts >= 0, weights.rest[contexts], 1.0) * lower


def _discounts(counts: Ranks) -> tuple[float, ...]:
    """The discounts of counts of 1, of 2, and of 3 or more: D1, D2 and D3+ of the paper."""
    n1, n2, n3, n4 = np.bincount(np.minimum(counts, 5), minlength=6)[1:5].tolist()
    if n1 and n2 and n3:
        y = n1 / (n1 + 2 * n2)
        found = (1 - 2 * y * n2 / n1, 2 - 3 * y * n3 / n2, 3 - 4 * y * n4 / n3)
        if all(0 < discount <= count for count, discount in enumerate(found, 1)):
            return found
    return FALLBACK_DISCOUNTS
