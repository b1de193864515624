"""Sequences that a search finds, their ranking, and the shapes of its loop state."""

from typing import Any, NamedTuple, Protocol

import tensorflow as tf

from textapps.core.errors import ConfigurationError

# The score of a hypothesis that does not exist, and the logit of a token that must never come.
IMPOSSIBLE = -1e9


class DecodeStep(Protocol):
    """The model of a search."""

    def __call__(self, ids: Any, state: Any, *, memory: Any) -> tuple[Any, Any]:
        """int32[rows, 1], state, memory → float32[rows, vocabulary] after these ids, new state.

        Equally many successive rows share one row of the memory. The logit `IMPOSSIBLE` rules an
        id out.
        """


class Hypotheses(NamedTuple):
    """The best sequences for each row of a batch, best first.

    ids      int32[batch, n, time], without EOS and padded with 0, at least one column
    scores   float32[batch, n]: log P(ids, EOS) / length_penalty, `IMPOSSIBLE` where there are
             fewer than n
    lengths  int32[batch, n], without EOS
    """

    ids: Any
    scores: Any
    lengths: Any


def penalty(tokens: Any, exponent: float) -> Any:
    """The divisor of a log-probability: ((5 + tokens) / 6)^exponent (Wu et al. 2016, eq. 14).

    EOS counts as a token, because the probability has a factor for it.

    >>> penalty([1, 7, 13], 1.0).numpy().tolist()
    [1.0, 2.0, 3.0]
    """
    return ((5.0 + tf.cast(tokens, tf.float32)) / 6.0) ** exponent


def possible(scores: Any) -> Any:
    """bool, in the shape of the scores: whether no `IMPOSSIBLE` is part of them."""
    return scores > IMPOSSIBLE / 2


def log_total(logits: Any, largest: Any = None) -> Any:
    """log Σ exp, float32[rows, vocabulary] → float32[rows]; logits less it are log-probabilities.

    Args:
        largest: float32[rows], the largest logits, where they are known.
    """
    largest = tf.reduce_max(logits, axis=-1) if largest is None else largest
    return largest + tf.math.log(tf.reduce_sum(tf.exp(logits - largest[:, None]), axis=-1))


def limits(max_length: Any, start_ids: Any) -> Any:
    """One limit for all rows, or one for each → int32[batch], at least 0."""
    return tf.broadcast_to(tf.maximum(tf.cast(max_length, tf.int32), 0), tf.shape(start_ids))


def check_length_penalty(exponent: float) -> None:
    """Raises ConfigurationError for a negative exponent, which would favour short answers."""
    if not 0 <= exponent < float("inf"):
        raise ConfigurationError(f"length_penalty must be 0 or more, not {exponent}")


def shapes(state: Any) -> Any:
    """The static shapes of a state in a loop: only the last axis of each leaf is known.

    The others, of rows and of caches, may grow.
    """

    def known(leaf: Any) -> Any:
        shape = tf.convert_to_tensor(leaf).shape
        if not shape.rank:
            return shape
        return tf.TensorShape([None] * max(shape.rank - 1, 1)).concatenate(shape[1:][-1:])

    return tf.nest.map_structure(known, state)


def with_shapes(state: Any, known: Any) -> Any:
    """The state with the static shapes that `shapes` gave."""
    return tf.nest.map_structure(tf.ensure_shape, state, known)
