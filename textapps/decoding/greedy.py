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
    penalty,
    shapes,
    with_shapes,
)
from textapps.decoding.options import row_options
from textapps.decoding.random import uniforms
from textapps.decoding.rules import FREE, Past, Rules
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
    rules: Rules = FREE,
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
        rules,
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
    rules: Rules = FREE,
) -> Hypotheses:
    """Draws each token from softmax(logits / temperature); 0 takes the most likely one.

    Token i of a row depends on the row's logits, its seed and i only, not on its neighbours.
    Padding and unknown tokens are never drawn. Scores are those of the model and the
    rules, whatever the temperature.

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
        drawn, decode_step, state, memory, start_ids, length_penalty, limit, end_id, rules
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
    rules: Rules,
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
        past: Past,
        done: Any,
        state: Any,
    ) -> tuple[Any, ...]:
        logits, state = decode_step(ids[:, None], state, memory=memory)
        logits = rules.unrepeated(logits, past, step)
        allowed = logits
        if rules.copies is not None:
            every = tf.range(logits.shape[-1])
            allowed = rules.copies.apply(logits, every, past.copied, end_id)
        ids = tf.where(step >= limit, end_id, next_token(step, allowed))
        gains = tf.gather(logits, ids, batch_dims=1) - rules.total(logits)
        scores = tf.where(done, scores, scores + gains)
        done |= ids == end_id
        lengths = tf.where(done, lengths, step + 1)
        table = table.write(step, tf.where(done, PAD, ids))
        past = rules.after(past, step, ids)
        return step + 1, table, ids, scores, lengths, past, done, with_shapes(state, known)

    zeros = tf.zeros_like(start_ids)
    past = rules.begin([tf.size(start_ids)], steps)
    begin = (0, table, start_ids, tf.cast(zeros, tf.float32), zeros, past, zeros > 0, state)
    row, number, any_shape = start_ids.shape, tf.TensorShape([]), tf.TensorShape(None)
    pasts = tf.nest.map_structure(lambda leaf: leaf.shape, past)
    _, table, _, scores, lengths, *_ = tf.while_loop(
        lambda *now: ~tf.reduce_all(now[-2]),
        one,
        begin,
        shape_invariants=(number, any_shape, row, row, row, pasts, row, known),
    )
    time = tf.maximum(tf.reduce_max(lengths), 1)
    ids = tf.transpose(table.stack())[:, :time]
    scores /= penalty(lengths + 1, length_penalty)
    return Hypotheses(ids[:, None], scores[:, None], lengths[:, None])


def _steps(limit: Any) -> Any:
    """The number of steps that every row has enough of; an empty batch has no largest limit."""
    return tf.maximum(tf.reduce_max(limit), 0) + 1
