"""An n-gram model of the training text beside the backbone, in the graph."""

import io
from pathlib import Path
from typing import Any, Self
from zipfile import BadZipFile

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from textapps.core.errors import RunError
from textapps.core.records import RecordError, read_described, write_described
from textapps.evaluation.baselines.ngram_model import NgramModel

FILE = "ngrams.npz"
LEAF = "ngrams"  # of the state of a language model
_NONE, _EMPTY = 0, 1  # numbers of contexts: one that training has not seen, and that of no length


class NgramPath(tf.Module):
    """The next-character probabilities of a smoothed n-gram model (see `NgramModel`).

    To interpolate them with those of a recurrent network is Mikolov et al. 2011 ("Empirical
    evaluation and combination of advanced language modeling techniques", section 4): counts know
    rare words by heart, which the network has smoothed away.

    The contexts, sequences of up to `orders - 1` characters that occur in training, are numbered;
    number 0 stands for all others. The state of a text is, for each length from 1, the number of
    the context of its last characters: int32[batch, orders - 1], zeros at its beginning.

    Args:
        vocabulary_size: one more than the largest id.
        begins: int32[contexts + 1], where the n-grams of a context begin in `ids` and `shares`.
        ids: int32[n-grams], the last character of each.
        shares: float32[n-grams], its probability in its context, discounted.
        rests: float32[contexts], the probability that is left for the context one shorter.
        orders: of the longest n-gram.
    """

    def __init__(
        self,
        vocabulary_size: int,
        orders: int,
        *,
        begins: NDArray[np.int32],
        ids: NDArray[np.int32],
        shares: NDArray[np.float32],
        rests: NDArray[np.float32],
    ) -> None:
        super().__init__()
        self.vocabulary_size, self.orders = vocabulary_size, orders
        self._arrays = {"begins": begins, "ids": ids, "shares": shares, "rests": rests}
        # Eager constants are in an export once, whatever the number of its functions.
        self._begins, self._ids, self._shares, self._rests = map(tf.constant, self._arrays.values())
        # That of no length has an entry for each character; of the others, the most n-grams.
        single, last = ids[: begins[_EMPTY + 1]], begins[_EMPTY + 1 :]
        self._most = int(np.diff(last).max(initial=1))
        chances = np.full(vocabulary_size, rests[_EMPTY] / vocabulary_size, np.float32)
        chances[single] += shares[: len(single)]
        numbers = np.full(vocabulary_size, _NONE, np.int32)
        numbers[single] = np.arange(len(single)) + _EMPTY + 1
        self._single, self._numbers = tf.constant(chances), tf.constant(numbers)

    @classmethod
    def learn(cls, ids: NDArray[np.int32], vocabulary_size: int, orders: int) -> Self:
        """Counts the n-grams of a text, int32[characters], which has one or more."""
        tables = NgramModel().fit(ids, vocabulary_size, orders).tables
        # The n-grams of all orders in one row; the n-gram at place i is the context i + 2.
        counts = [np.zeros(1, np.int64)]  # by context, that of an unseen one first
        for order, (contexts, *_) in enumerate(tables):
            size = len(tables[order - 1][0]) if order else 1
            counts.append(np.bincount(contexts, minlength=size))
        rests = [np.ones(1), *(rest for *_, rest in tables)]
        return cls(
            vocabulary_size,
            len(tables),
            begins=np.concatenate([[0], np.cumsum(np.concatenate(counts))]).astype(np.int32),
            ids=np.concatenate([last for _, last, _, _ in tables]).astype(np.int32),
            shares=np.concatenate([share for _, _, share, _ in tables]).astype(np.float32),
            rests=np.concatenate(rests).astype(np.float32),
        )

    def initial_state(self, batch: Any) -> Any:
        """int32[batch, orders - 1]: before the first character."""
        return tf.zeros([batch, self.orders - 1], tf.int32)

    def advance(self, ids: Any, state: Any) -> Any:
        """The state after each character: int32[batch, time, orders - 1].

        Args:
            ids: int32[batch, time].
            state: before the first of them.
        """
        if self.orders == 1:  # of a text of one character
            return tf.zeros(tf.concat([tf.shape(ids), [0]], axis=0), tf.int32)
        first = tf.gather(self._numbers, ids)
        if ids.shape[1] == 1:  # no length waits for the one below it
            longer = self._found(state[:, :-1], tf.repeat(ids, self.orders - 2, axis=1))
            return tf.concat([first, longer], axis=1)[:, None]
        after = [first]
        for length in range(self.orders - 2):
            contexts = tf.concat([state[:, length : length + 1], after[-1][:, :-1]], axis=1)
            after.append(self._found(contexts, ids))
        return tf.stack(after, axis=-1)

    def chances(self, state: Any) -> Any:
        """float32[…, vocabulary]: the probability of each character after int32[…, orders - 1]."""
        shape = tf.shape(state)[:-1]
        contexts = tf.reshape(state, [-1, self.orders - 1])
        rows = tf.shape(contexts)[0]
        rests = tf.gather(self._rests, contexts)  # [rows, orders - 1]
        # What the longer ones leave to each.
        left = tf.math.cumprod(rests, axis=1, exclusive=True, reverse=True)
        places, known = self._places(contexts)
        shares = tf.where(known, tf.gather(self._shares, places), 0) * left[..., None]
        ids = tf.gather(self._ids, places) + self.vocabulary_size * tf.range(rows)[:, None, None]
        size = rows * self.vocabulary_size
        found = tf.scatter_nd(tf.reshape(ids, [-1, 1]), tf.reshape(shares, [-1]), [size])
        lowest = tf.reduce_prod(rests, axis=1, keepdims=True) * self._single
        found = tf.reshape(found, [rows, self.vocabulary_size]) + lowest
        return tf.reshape(found, tf.concat([shape, [self.vocabulary_size]], axis=0))

    @property
    def context_bytes(self) -> int:
        """Memory that a position takes while its contexts are looked up."""
        return 20 * self._most

    @property
    def position_bytes(self) -> int:
        """Memory that a position takes while its probabilities are computed."""
        return 4 * (5 * self.orders * self._most + 3 * self.vocabulary_size)

    def save(self, directory: Path) -> None:
        """Writes the tables and their sha256."""
        packed = io.BytesIO()
        sizes = {"vocabulary_size": self.vocabulary_size, "orders": self.orders}
        np.savez_compressed(packed, **self._arrays, **sizes)  # type: ignore[arg-type]
        write_described(directory / FILE, packed.getvalue())

    @classmethod
    def load(cls, directory: Path) -> Self:
        """Reads what `save` wrote.

        Raises:
            RunError: the file is missing or damaged.
        """
        path = directory / FILE
        try:
            with np.load(io.BytesIO(read_described(path))) as file:
                arrays = {name: file[name] for name in file.files}
                sizes = [int(arrays.pop(name)) for name in ("vocabulary_size", "orders")]
                return cls(*sizes, **arrays)
        except OSError as error:
            raise RunError(f"cannot read {path}: {error.strerror or error}") from error
        except RecordError as error:
            raise RunError(str(error)) from error
        except (BadZipFile, KeyError, TypeError, ValueError) as error:
            raise RunError(f"{path} is damaged ({error})") from error

    def _places(self, contexts: Any) -> tuple[Any, Any]:
        """int32 and bool[…, most]: where the n-grams of contexts are; what is beyond them is 0."""
        places = tf.gather(self._begins, contexts)[..., None] + tf.range(self._most)
        known = places < tf.gather(self._begins, contexts + 1)[..., None]
        return tf.where(known, places, 0), known

    def _found(self, contexts: Any, ids: Any) -> Any:
        """int32[batch, n]: the contexts that are one character longer, 0 where there is none."""
        places, known = self._places(contexts)
        same = known & (tf.gather(self._ids, places) == ids[..., None])
        return tf.reduce_max(tf.where(same, places + 2, _NONE), axis=-1)
