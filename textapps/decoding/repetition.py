"""Rules against repetition in a search: n-grams that may not recur, and a penalty."""

from typing import Any, NamedTuple

import tensorflow as tf

from textapps.core.errors import ConfigurationError
from textapps.core.tokens import PAD
from textapps.decoding.hypotheses import IMPOSSIBLE


class Repetition(NamedTuple):
    """How log-probabilities change with the tokens before; by default they do not.

    Attributes:
        no_repeat_ngram_size: no sequence of so many tokens occurs twice (Paulus et al. 2018,
            section 2.5, has 3); 0 for no such rule.
        penalty: the log-probability of a token that has occurred is multiplied by it; 1 for none.
            The factor of Keskar et al. 2019, section 4.1, on log-probabilities instead of logits:
            they are never positive, and do not change if all logits do by the same amount.
    """

    no_repeat_ngram_size: int = 0
    penalty: float = 1.0

    @property
    def active(self) -> bool:
        """Whether there is a rule.

        Raises:
            ConfigurationError: a size below 0, a penalty below 1.
        """
        if self.no_repeat_ngram_size < 0:
            raise ConfigurationError(
                f"no_repeat_ngram_size must be 0 or more, not {self.no_repeat_ngram_size}"
            )
        if not 1 <= self.penalty < float("inf"):
            raise ConfigurationError(f"repetition_penalty must be 1 or more, not {self.penalty}")
        return self.no_repeat_ngram_size > 0 or self.penalty > 1

    def apply(self, log_probabilities: Any, history: Any, length: Any) -> Any:
        """float32[rows, vocabulary] → the same, for the token at this position.

        Args:
            history: int32[rows, time], the tokens before, padded with PAD, which must not be a
                token itself.
            length: int[], how many tokens there are in each row.
        """
        values = log_probabilities
        if self.penalty > 1:
            seen = tf.gather(values, history, batch_dims=1)
            values = _updated(values, history, self.penalty * seen)
        if self.no_repeat_ngram_size > 0:
            recurring = self._recurring(history, length)
            values = _updated(values, recurring, tf.fill(tf.shape(recurring), IMPOSSIBLE))
        return values

    def _recurring(self, history: Any, length: Any) -> Any:
        """int32[rows, …]: the tokens that would end an n-gram that has occurred, and PAD."""
        before = self.no_repeat_ngram_size - 1
        count = tf.maximum(tf.shape(history)[1] - before, 0)
        matches = tf.range(before, before + count) < length
        for offset in range(before):
            last = history[:, tf.maximum(length - before + offset, 0), None]
            matches &= history[:, offset : offset + count] == last
        return tf.where(matches, history[:, before : before + count], PAD)


def _updated(values: Any, ids: Any, new: Any) -> Any:
    """float32[rows, vocabulary] with the new values, float32[rows, n], at int32[rows, n]."""
    rows = tf.broadcast_to(tf.range(tf.shape(ids)[0])[:, None], tf.shape(ids))
    return tf.tensor_scatter_nd_update(values, tf.stack([rows, ids], axis=-1), new)
