"""One sequence a row, greedy or sampled, as a loop in the graph."""

from collections.abc import Callable
from typing import Any

import tensorflow as tf

from textapps.core.tokens import EOS, PAD
from textapps.decoding.config import DecodingConfig
from textapps.decoding.hypotheses import (
    DecodeStep,
    Hypotheses,
    check_length_penalty,
    limits,
    log_total,
    penalty,
    shapes,
    with_shapes,
)
from textapps.decoding.options import row_options
from textapps.decoding.random import uniforms
from textapps.decoding.repetition import ALLOWED, Repetition, appended
from textapps.decoding.sampling import sample_token


def greedy(
    decode_step: DecodeStep,
    state: Any,
    memory: Any,
    start_ids: Any,
    *,
    length_penalty: float,
    max_length: Any,
    end_id: int = EOS,
    repetition: Repetition = ALLOWED,
) -> Hypotheses:
    """Takes the most likely token each time, of equals the lowest id: `beam_search` with one beam.

    Arguments as there. Returns one hypothesis a row, with the score that a beam search gives it.
    """

    def argmax(step: Any, logits: Any) -> Any:
        return tf.argmax(logits, axis=-1, output_type=tf.int32)

    return _follow(
        argmax,
        decode_step,
        state,
        memory,
        start_ids,
        length_penalty,
        max_length,
        end_id,
        repetition,
    )


def sample(
    decode_step: DecodeStep,
    state: Any,
    memory: Any,
    start_ids: Any,
    *,
    temperature: float,
    random_seed: Any,
    length_penalty: float,
    max_length: Any,
    end_id: int = EOS,
    repetition: Repetition = ALLOWED,
) -> Hypotheses:
    """Draws each token from softmax(logits / temperature); 0 takes the most likely one.

    Token i of a row depends on the row's logits, its seed and i only, not on its neighbours.
    Padding and unknown tokens are never drawn. Scores are those of the model (and of the rules
    against repetition), whatever the temperature.

    Args:
        random_seed: int64[batch].
    """
    options = row_options(DecodingConfig(temperature=temperature), random_seed)
    limit = limits(max_length, start_ids)
    steps = _steps(limit)
    numbers = tf.transpose(uniforms(random_seed, tf.zeros_like(start_ids), steps))

    def drawn(step: Any, logits: Any) -> Any:
        return sample_token(logits, numbers[step], options)

    return _follow(
        drawn, decode_step, state, memory, start_ids, length_penalty, limit, end_id, repetition
    )


def _follow(
    next_token: Callable[[Any, Any], Any],
    decode_step: DecodeStep,
    state: Any,
    memory: Any,
    start_ids: Any,
    length_penalty: float,
    max_length: Any,
    end_id: int,
    repetition: Repetition,
) -> Hypotheses:
    """The tokens of `next_token(step, logits) → int32[batch]`, up to EOS or the limit."""
    check_length_penalty(length_penalty)
    limit, known = limits(max_length, start_ids), shapes(state)
    steps = _steps(limit)
    table = tf.TensorArray(tf.int32, steps, element_shape=start_ids.shape)
    # All are written beforehand, because the loop may end early.
    table = table.unstack(tf.fill([steps, tf.size(start_ids)], PAD))

    def one(
        step: Any,
        table: Any,
        ids: Any,
        scores: Any,
        lengths: Any,
        history: Any,
        done: Any,
        state: Any,
    ) -> tuple[Any, ...]:
        logits, state = decode_step(ids[:, None], state, memory=memory)
        total = log_total(logits)
        if repetition.active:
            logits = repetition.apply(logits - total[:, None], history, step)
            total = tf.zeros_like(total)
        ids = tf.where(step >= limit, end_id, next_token(step, logits))
        gains = tf.gather(logits, ids, batch_dims=1) - total
        scores = tf.where(done, scores, scores + gains)
        done |= ids == end_id
        lengths = tf.where(done, lengths, step + 1)
        table = table.write(step, tf.where(done, PAD, ids))
        history = appended(history, step, ids)
        return step + 1, table, ids, scores, lengths, history, done, with_shapes(state, known)

    zeros = tf.zeros_like(start_ids)
    history = repetition.no_history([tf.size(start_ids)], steps)
    begin = (0, table, start_ids, tf.cast(zeros, tf.float32), zeros, history, zeros > 0, state)
    row, number, any_shape = start_ids.shape, tf.TensorShape([]), tf.TensorShape(None)
    both = tf.TensorShape([None, None])
    _, table, _, scores, lengths, *_ = tf.while_loop(
        lambda *now: ~tf.reduce_all(now[-2]),
        one,
        begin,
        shape_invariants=(number, any_shape, row, row, row, both, row, known),
    )
    time = tf.maximum(tf.reduce_max(lengths), 1)
    ids = tf.transpose(table.stack())[:, :time]
    scores /= penalty(lengths + 1, length_penalty)
    return Hypotheses(ids[:, None], scores[:, None], lengths[:, None])


def _steps(limit: Any) -> Any:
    """The number of steps that every row has enough of; an empty batch has no largest limit."""
    return tf.maximum(tf.reduce_max(limit), 0) + 1
