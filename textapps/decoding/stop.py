"""Finding a stop text in a text that grows."""

from typing import Any

import tensorflow as tf


def advance_match(matched: Any, stop: Any, ids: Any) -> Any:
    """Which beginnings of the stop text a row ends with after one more character.

    This is the shift-and method (Baeza-Yates and Gonnet 1992, section 2): one bit for each partial
    occurrence. A row in which the stop text has occurred stays as it is.

    Args:
        matched: bool[batch, stop_length]; entry j says whether the row ends with the first j + 1
            characters of the stop text.
        stop: int32[batch, stop_length], at least one character.
        ids: int32[batch], the new characters.
    """
    begun = tf.pad(matched[:, :-1], [[0, 0], [1, 0]], constant_values=True)
    return tf.where(matched[:, -1:], matched, begun & (stop == ids[:, None]))


def matched_length(matched: Any) -> Any:
    """bool[batch, stop_length] → int32[batch]: how many characters at the end begin the stop text.

    The longest beginning counts; where the stop text has occurred, that is all of it.
    """
    lengths = tf.range(1, tf.shape(matched)[1] + 1) * tf.cast(matched, tf.int32)
    return tf.reduce_max(lengths, axis=-1)
