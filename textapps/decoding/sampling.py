"""The next token from the logits of all: a table of samplers, one for each option."""

from functools import cached_property
from typing import Any

import tensorflow as tf

from textapps.core.tokens import FIRST
from textapps.decoding.options import OFF, Options

# Stands for temperature 0: differences of logits become so large that one token is left.
_COLDEST = 1e-37


class Candidates:
    """The tokens that may come next; a sampler takes candidates and returns others.

    Args:
        logits: float32[batch, vocabulary], -inf for a token that has been ruled out.
        seen: bool[batch, vocabulary], the tokens that have occurred.
        order, kept: int32[batch, 1] how many are left, the first of these ids.
    """

    def __init__(self, logits: Any, seen: Any, order: Any = None, kept: Any = None) -> None:
        self.seen = seen
        self._logits = logits
        self._kept = kept
        if order is not None:
            self.order = order

    @cached_property
    def order(self) -> Any:
        """int32[batch, vocabulary], ids by descending logit, of equals the lowest first."""
        return tf.argsort(self._logits, axis=-1, direction="DESCENDING", stable=True)

    @cached_property
    def ranked(self) -> Any:
        """The logits in descending order."""
        ranked = tf.gather(self._logits, self.order, batch_dims=1)
        if self._kept is None:
            return ranked
        return tf.where(tf.range(ranked.shape[-1]) < self._kept, ranked, -float("inf"))

    @cached_property
    def logits(self) -> Any:
        """float32[batch, vocabulary], -inf for a token that has been ruled out."""
        if self._kept is None:
            return self._logits
        least = tf.gather(self.ranked, self._kept - 1, batch_dims=1)
        highest_id = tf.gather(self.order, self._kept - 1, batch_dims=1)
        ids = tf.range(self._logits.shape[-1])
        stays = (self._logits > least) | ((self._logits == least) & (ids <= highest_id))
        return tf.where(stays, self._logits, -float("inf"))

    def replaced(self, logits: Any) -> "Candidates":
        """Candidates with other logits."""
        return Candidates(logits, self.seen)

    def likeliest(self, count: Any) -> "Candidates":
        """The `count` most likely candidates, int32[batch, 1], but at least one."""
        kept = count if self._kept is None else tf.minimum(self._kept, count)
        return Candidates(self._logits, self.seen, self.order, tf.maximum(kept, 1))


def repetition_penalty(candidates: Candidates, penalty: Any) -> Candidates:
    """Makes tokens that have occurred less likely (Keskar et al. 2019, section 4.1).

    The paper divides every logit by the penalty. Here a negative logit is multiplied, because
    dividing it would make the token more likely.
    """
    logits = candidates.logits
    weaker = tf.where(logits > 0, logits / penalty, logits * penalty)
    return candidates.replaced(tf.where(candidates.seen, weaker, logits))


def temperature(candidates: Candidates, temperature: Any) -> Candidates:
    """Divides the logits, of which the largest becomes 0."""
    logits = candidates.logits
    # Subtracted first, so that the lowest temperature does not make it infinite.
    logits -= tf.reduce_max(logits, axis=-1, keepdims=True)
    return candidates.replaced(logits / tf.where(_is_cold(temperature), _COLDEST, temperature))


def top_k(candidates: Candidates, k: Any) -> Candidates:
    """Keeps the k most likely tokens."""
    size = candidates.seen.shape[-1]
    return candidates.likeliest(tf.where((k > 0) & (k < size), k, size))


def top_p(candidates: Candidates, p: Any) -> Candidates:
    """Keeps the fewest tokens that together have probability p (Holtzman et al. 2020, 3.1)."""
    chances = tf.exp(candidates.ranked)
    before = tf.cumsum(chances, axis=-1, exclusive=True)
    wanted = p * tf.reduce_sum(chances, axis=-1, keepdims=True)
    kept = tf.where(p < 1, before < wanted, True)
    return candidates.likeliest(tf.reduce_sum(tf.cast(kept, tf.int32), axis=-1, keepdims=True))


def min_p(candidates: Candidates, p: Any) -> Candidates:
    """Keeps the tokens at least p times as likely as the most likely one (Nguyen et al. 2024)."""
    logits = candidates.logits  # the largest is 0
    return candidates.replaced(tf.where(tf.exp(logits) >= p, logits, -float("inf")))


# In this order. The key is the option: a field of `DecodingConfig`. A sampler takes candidates and
# the option's values, [batch, 1]; behind the temperature the largest logit of each row is 0.
SAMPLERS = {
    "repetition_penalty": repetition_penalty,
    "temperature": temperature,
    "top_k": top_k,
    "top_p": top_p,
    "min_p": min_p,
}


def sample_token(logits: Any, uniform: Any, options: Options, seen: Any = None) -> Any:
    """Draws one token a row by inverse transform sampling, never padding or unknown.

    A row's token does not depend on its neighbours.

    Args:
        logits: float32[batch, vocabulary].
        uniform: float32[batch] in [0, 1).
        seen: bool[batch, vocabulary], the tokens that have occurred. None, which is faster, for
            options that are plain: the temperature alone is applied.

    Returns:
        int32[batch].
    """
    candidates = Candidates(logits[:, FIRST:], None if seen is None else seen[:, FIRST:])
    for name, sampler in SAMPLERS.items():
        if seen is not None or name not in OFF:
            candidates = sampler(candidates, options[name][:, None])
    chances = tf.exp(candidates.logits)  # the largest is 1
    below = tf.cumsum(chances, axis=-1)
    target = tf.where(_is_cold(options["temperature"]), 0.0, uniform)[:, None] * below[:, -1:]
    # The first that reaches beyond the target. If rounding leaves none, the most likely one:
    # however it rounds, a token without a chance is never drawn.
    reached = tf.where(below > target, 2 * tf.sign(chances), chances)
    return tf.argmax(reached, axis=-1, output_type=tf.int32) + FIRST


def _is_cold(temperature: Any) -> Any:
    return temperature < _COLDEST
