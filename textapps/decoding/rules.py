"""What a search may not, must, or should rather not produce, given the tokens before."""

from typing import Any, NamedTuple

import tensorflow as tf

from textapps.decoding.copies import Copies
from textapps.decoding.hypotheses import log_total
from textapps.decoding.repetition import Repetition
from textapps.decoding.top_k import top_k


class Past(NamedTuple):
    """What the rules know of hypotheses, int32[batch, …]; () for what no rule asks for.

    history  int32[batch, …, time], the tokens, padded
    copied   the number of placeholders
    """

    history: Any
    copied: Any


class Rules(NamedTuple):
    """How log-probabilities change with the past of a hypothesis; by default they do not.

    They are not normalised again: a token that is ruled out does not make the others likelier.
    Placeholders are exempt from rules against repetition.
    """

    repetition: Repetition = Repetition()
    copies: Copies | None = None

    def begin(self, shape: Any, longest: Any) -> Past:
        """The past of new hypotheses, int32[n], the shape [batch, …], of at most `longest`."""
        columns = tf.reshape(tf.maximum(longest, 1), [1])
        return Past(
            tf.zeros(tf.concat([shape, columns], 0), tf.int32) if self.repetition.active else (),
            tf.zeros(shape, tf.int32) if self.copies is not None else (),
        )

    def after(self, past: Past, position: Any, ids: Any) -> Past:
        """The past with one more token, int32[batch, …], at a position."""
        history, copied = past
        if self.repetition.active:
            here = tf.range(tf.shape(history)[-1]) == position
            history = tf.where(here, ids[..., None], history)
        if self.copies is not None:
            copied = self.copies.after(copied, ids)
        return Past(history, copied)

    def unrepeated(self, logits: Any, past: Past, length: Any) -> Any:
        """What the rules against repetition make of logits, float32[rows, vocabulary].

        They are log-probabilities then, after `length` tokens. Without such a rule they are the
        logits as they are, which takes no time.
        """
        if not self.repetition.active:
            return logits
        known = logits - log_total(logits)[:, None]
        history = tf.reshape(past.history, [tf.shape(logits)[0], -1])
        values = self.repetition.apply(known, history, length)
        if self.copies is None:
            return values
        return tf.where(tf.greater(self.copies.counts, 0), known, values)

    def total(self, logits: Any, largest: Any = None) -> Any:
        """`log_total` of logits that `unrepeated` gives back as they are, else 0: float32[rows]."""
        return tf.zeros_like(logits[:, 0]) if self.repetition.active else log_total(logits, largest)

    def likeliest(self, logits: Any, past: Past, count: int, end_id: int) -> tuple[Any, Any, Any]:
        """The best `count` tokens that are not ruled out, of those that `unrepeated` gives.

        Returns:
            Values float32[rows, count], ids int32[rows, count], and the largest of all values.
        """
        size = logits.shape[-1]
        more = 0 if self.copies is None else self.copies.most
        values, ids = top_k(logits, min(count + more, size))
        largest = values[:, 0]
        if self.copies is not None:
            values = self.copies.apply(values, ids, past.copied, end_id)
            values, places = tf.math.top_k(values, min(count, size))
            ids = tf.gather(ids, places, batch_dims=1)
        return values, ids, largest


FREE = Rules()
