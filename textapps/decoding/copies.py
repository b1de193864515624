"""Placeholders of what an answer copies: each hypothesis has as many as its source."""

from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

from textapps.decoding.hypotheses import IMPOSSIBLE


class Copies(NamedTuple):
    """Rules out a placeholder too many, and the end before there are enough.

    A model that has seen few numbers would leave some out. Here the beams compete for the best
    place of each one instead (a constraint on the search, as in Hokamp and Liu 2017, but in the
    same beam).

    Attributes:
        counts: int32[vocabulary], an array: the placeholders in each token.
        wanted: int32[batch], the placeholders in each source.
    """

    counts: Any
    wanted: Any

    def after(self, copied: Any, ids: Any) -> Any:
        """int32[…] placeholders, int32[…] next tokens → int32[…]."""
        return copied + tf.gather(self.counts, ids)

    @property
    def most(self) -> int:
        """How many tokens it may rule out at a time: those with placeholders, and the end."""
        return 1 + int(np.count_nonzero(self.counts))

    def apply(self, values: Any, ids: Any, copied: Any, end_id: int) -> Any:
        """float32[rows, n], the values of tokens int32[rows, n] or int32[n] → the same.

        Args:
            copied: int32[batch, …] placeholders in each hypothesis; those of one source follow
                each other in the rows.
        """
        left = tf.reshape(self.wanted, [-1] + [1] * (len(copied.shape) - 1)) - copied
        left = tf.reshape(left, [-1, 1])
        too_many = tf.gather(self.counts, ids) > left
        return tf.where(too_many | ((ids == end_id) & (left > 0)), IMPOSSIBLE, values)
