"""Sequences that a search has found, how they are ranked, and the loop state of a search."""

from typing import Any, NamedTuple, Protocol

import tensorflow as tf

from textapps.core.errors import ConfigurationError

IMPOSSIBLE = -1e9  # the score of what is no hypothesis; models give it as logit to what never comes


class DecodeStep(Protocol):
    """The model that a search asks."""

    def __call__(self, ids: Any, state: Any, *, memory: Any) -> tuple[Any, Any]:
        """int32[rows, 1], state, memory → float32[rows, vocabulary] after these ids, new state.

        The rows are those of the memory, or as many for each of them in succession. `IMPOSSIBLE`
        as logit rules an id out.
        """


class Hypotheses(NamedTuple):
    """The best sequences for each row of a batch, the best first.

    ids      int32[batch, n, time], without END and padded with 0, at least one column
    scores   float32[batch, n]: log P(ids, END) / length_penalty, `IMPOSSIBLE` where there are
             fewer than n
    lengths  int32[batch, n], without END
    """

    ids: Any
    scores: Any
    lengths: Any


def penalty(tokens: Any, exponent: float) -> Any:
    """What a log-probability is divided by: ((5 + tokens) / 6)^exponent (Wu et al. 2016, eq. 14).

    END is one of the tokens, because the probability has a factor for it.

    >>> penalty([1, 7, 13], 1.0).numpy().tolist()
    [1.0, 2.0, 3.0]
    """
    return ((5.0 + tf.cast(tokens, tf.float32)) / 6.0) ** exponent


def possible(scores: Any) -> Any:
    """bool, of the shape of the scores: whether nothing impossible is part of them."""
    return scores > IMPOSSIBLE / 2


def log_total(logits: Any, largest: Any = None) -> Any:
    """float32[rows, vocabulary] → float32[rows], which turns logits into log-probabilities.

    Args:
        largest: float32[rows], the largest logits, where they are known already.
    """
    largest = tf.reduce_max(logits, axis=-1) if largest is None else largest
    return largest + tf.math.log(tf.reduce_sum(tf.exp(logits - largest[:, None]), axis=-1))


def limits(max_length: Any, start_ids: Any) -> Any:
    """A limit for all rows or one for each → int32[batch], at least 0."""
    return tf.broadcast_to(tf.maximum(tf.cast(max_length, tf.int32), 0), tf.shape(start_ids))


def check_length_penalty(exponent: float) -> None:
    """Raises ConfigurationError for an exponent that would favour short answers."""
    if not 0 <= exponent < float("inf"):
        raise ConfigurationError(f"length_penalty must be 0 or more, not {exponent}")


def shapes(state: Any) -> Any:
    """What a loop may rely on in the shapes of a state: the last axis of each leaf.

    The others are those of rows and of caches, which may grow.
    """

    def known(leaf: Any) -> Any:
        shape = tf.convert_to_tensor(leaf).shape
        return tf.TensorShape([None] * max(shape.rank - 1, 1)).concatenate(shape[1:][-1:])

    return tf.nest.map_structure(known, state)


def with_shapes(state: Any, known: Any) -> Any:
    """The state with the static shapes that `shapes` has given."""
    return tf.nest.map_structure(tf.ensure_shape, state, known)
