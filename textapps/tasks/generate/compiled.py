"""The loop that writes a text, compiled by XLA."""

from typing import Any

import tensorflow as tf

from textapps.decoding.decoder import Decoder, DecodingState
from textapps.decoding.options import Options
from textapps.tasks.generate.continuation import PIECE


class CompiledLoop:
    """As `Decoder.advance`, but for rounding, for texts without a stop text.

    XLA must know the number of steps when it compiles, once for each number of rows. So it compiles
    a loop of `PIECE` characters, which ends early where a text does, and longer texts take several.
    That loop has all options: compiled, one of plain options alone is hardly faster.
    """

    def __init__(self, decoder: Decoder) -> None:
        def piece(state: DecodingState, options: Options, length: Any) -> Any:
            return decoder.advance(state, options, length, PIECE, plain=False)

        self._piece = tf.function(piece, autograph=False, jit_compile=True)

    def advance(
        self, state: DecodingState, options: Options, length: Any
    ) -> tuple[Any, Any, DecodingState]:
        """Generates `length` more characters in each row, int32[batch]; see `Decoder.advance`."""
        # Of no rows, the longest would be the smallest number that there is.
        pieces = -(-tf.maximum(tf.reduce_max(length), 1) // PIECE)
        table = tf.TensorArray(tf.int32, pieces, element_shape=[None, PIECE])

        def piece(number: Any, table: Any, state: DecodingState) -> tuple[Any, Any, DecodingState]:
            left = tf.clip_by_value(length - number * PIECE, 0, PIECE)
            ids, _, state = self._piece(state, options, left)
            return number + 1, table.write(number, ids), state

        _, table, state = tf.while_loop(
            lambda number, *_: number < pieces, piece, (0, table, state), parallel_iterations=1
        )
        ids = tf.reshape(tf.transpose(table.stack(), [1, 0, 2]), [-1, pieces * PIECE])
        return ids, length, state
