"""The next character from the logits of all."""

from typing import Any, NamedTuple

import tensorflow as tf

from textapps.core.tokens import FIRST
from textapps.decoding.config import DecodingConfig

# Stands for temperature 0: differences of logits become so large that one character is left.
_COLDEST = 1e-37


class Options(NamedTuple):
    """What decides on the characters of each row; every tensor is [batch].

    temperature         float32, at least 0; 0 takes the likeliest, of equals the lowest id
    top_k               int32, at least 0; 0 and what is above the vocabulary keep all
    top_p               float32 in (0, 1]; 1 keeps all
    repetition_penalty  float32, at least 1; 1 is none
    random_seed         int64
    """

    temperature: Any
    top_k: Any
    top_p: Any
    repetition_penalty: Any
    random_seed: Any

    @classmethod
    def of(cls, config: DecodingConfig, random_seed: Any) -> "Options":
        """The same options for every row, int64[batch] seeds of which each has its own."""
        random_seed = tf.convert_to_tensor(random_seed, tf.int64)
        return cls(
            temperature=tf.fill(tf.shape(random_seed), float(config.temperature)),
            top_k=tf.fill(tf.shape(random_seed), config.top_k),
            top_p=tf.fill(tf.shape(random_seed), float(config.top_p)),
            repetition_penalty=tf.fill(tf.shape(random_seed), float(config.repetition_penalty)),
            random_seed=random_seed,
        )

    def plain(self) -> Any:
        """bool[]: whether a temperature is all that any row asks for."""
        shaped = (self.top_k > 0) | (self.top_p < 1) | (self.repetition_penalty > 1)
        return ~tf.reduce_any(shaped)


def choose(logits: Any, uniform: Any, options: Options, seen: Any = None) -> Any:
    """One character a row by inverse transform sampling; padding and unknown are never chosen.

    Repetition penalty, temperature, top-k and top-p in this order; top-p counts the probability
    that top-k has left. A row's answer does not depend on its neighbours.

    Args:
        logits: float32[batch, vocabulary].
        uniform: float32[batch] in [0, 1).
        seen: bool[batch, vocabulary], the characters that have occurred; None if the options are
            plain, which is quicker.

    Returns:
        int32[batch].
    """
    scores = logits[:, FIRST:]
    if seen is not None:
        scores = penalise(scores, seen[:, FIRST:], options.repetition_penalty)
    cold = options.temperature < _COLDEST
    # Less the largest, so that the coldest temperature makes no infinity of it.
    scores -= tf.reduce_max(scores, axis=-1, keepdims=True)
    scores /= tf.where(cold, _COLDEST, options.temperature)[:, None]
    if seen is not None:
        scores = truncate(scores, options.top_k, options.top_p)
    chances = tf.exp(scores)  # the largest is 1
    below = tf.cumsum(chances, axis=-1)
    target = tf.where(cold, 0.0, uniform)[:, None] * below[:, -1:]
    # The first that reaches beyond the target. Should rounding leave none, then the likeliest:
    # whatever the rounding, a character without a chance is never chosen.
    reached = tf.where(below > target, 2 * tf.sign(chances), chances)
    return tf.argmax(reached, axis=-1, output_type=tf.int32) + FIRST


def penalise(logits: Any, seen: Any, penalty: Any) -> Any:
    """Makes what has occurred less likely (Keskar et al. 2019, section 4.1).

    There every logit is divided by the penalty; a negative one is multiplied here, or it would
    become likelier.

    Args:
        logits: float32[batch, vocabulary].
        seen: bool[batch, vocabulary].
        penalty: float32[batch].
    """
    penalty = penalty[:, None]
    weaker = tf.where(logits > 0, logits / penalty, logits * penalty)
    return tf.where(seen, weaker, logits)


def truncate(logits: Any, top_k: Any, top_p: Any) -> Any:
    """Leaves the likeliest characters of each row, and -inf for the others.

    The `top_k` likeliest, and of those the fewest whose probability is `top_p` together (nucleus
    sampling, Holtzman et al. 2020, section 3.1), but always one. Of equals the lowest ids stay.

    Args:
        logits: float32[batch, vocabulary], the largest of each row 0.
        top_k: int32[batch].
        top_p: float32[batch].
    """
    size = logits.shape[-1]
    order = tf.argsort(logits, axis=-1, direction="DESCENDING", stable=True)
    ranked = tf.gather(logits, order, batch_dims=1)
    few = tf.where((top_k > 0) & (top_k < size), top_k, size)[:, None]
    chances = tf.where(tf.range(size) < few, tf.exp(ranked), 0.0)
    before = tf.cumsum(chances, axis=-1, exclusive=True)
    wanted = top_p[:, None] * tf.reduce_sum(chances, axis=-1, keepdims=True)
    reached = tf.where(top_p[:, None] < 1, before >= wanted, False)
    kept = tf.minimum(few, size - tf.reduce_sum(tf.cast(reached, tf.int32), axis=-1, keepdims=True))
    last = tf.maximum(kept, 1) - 1
    least = tf.gather(ranked, last, batch_dims=1)
    highest_id = tf.gather(order, last, batch_dims=1)
    stays = (logits > least) | ((logits == least) & (tf.range(size) <= highest_id))
    return tf.where(stays, logits, -float("inf"))
