"""The best sequences by beam search, as one loop in the graph."""

from collections.abc import Callable
from typing import Any, NamedTuple

import tensorflow as tf

from textapps.core.errors import ConfigurationError
from textapps.core.tokens import EOS, PAD
from textapps.decoding.hypotheses import (
    IMPOSSIBLE,
    DecodeStep,
    Hypotheses,
    check_length_penalty,
    limits,
    penalty,
    possible,
    shapes,
    with_shapes,
)
from textapps.decoding.rules import FREE, Past, Rules


def of_rows(state: Any, rows: Any) -> Any:
    """Row int32[rows][i] of every leaf as row i."""
    return tf.nest.map_structure(lambda leaf: tf.gather(leaf, rows), state)


class _Finished(NamedTuple):
    """The best sequences that have reached EOS, every leaf [batch, beams], best first.

    scores   float32, `IMPOSSIBLE` where there is none yet
    lengths  int32, without EOS
    beams    int32, the beam that the sequence was in
    """

    scores: Any
    lengths: Any
    beams: Any


class _LoopState(NamedTuple):
    """What a step of the loop changes; `width` is 1 at the start, then the number of beams.

    ids       int32[batch, width], the last token of each beam
    scores    float32[batch, width], log P
    past      of each beam, [batch, width, …]
    state     of the model, [batch · width, …]
    greedy    bool[batch]: the first beam is the greedy sequence, which has not reached EOS yet
    finished  the sequences that have reached it
    done      bool[batch]: the answer cannot get better
    """

    ids: Any
    scores: Any
    past: Past
    state: Any
    greedy: Any
    finished: _Finished
    done: Any


def beam_search(
    decode_step: DecodeStep,
    state: Any,
    memory: Any,
    start_ids: Any,
    *,
    beams: int,
    length_penalty: float,
    max_length: Any,
    end_id: int = EOS,
    n_best: int = 1,
    reorder: Callable[[Any, Any], Any] = of_rows,
    rules: Rules = FREE,
    room: int | None = None,
) -> Hypotheses:
    """The `n_best` sequences with the highest log P / length penalty that `beams` beams find.

    In each step, the `beams` most likely continuations that do not end stay as beams. Those that
    end are finished if they are among the `beams` most likely of all. A sequence of `max_length`
    tokens can only end. A row is done, and changes no more, when it has `beams` finished
    sequences, or when no beam, however well it ends, can come among its `n_best`.

    Plain beam search may lose the greedy sequence on the way and end with a worse one. Here the
    first beam keeps it until it reaches EOS or can no longer become the best, so that the best
    sequence is never worse than that of `greedy`. Where the greedy sequence would have been lost,
    this costs one beam, and more steps if it is longer than all others; otherwise nothing.

    Args:
        decode_step: see `DecodeStep`; it rules out tokens that no answer has.
        state: before the start ids, for `batch` rows, of which the loop makes beams; with `room`
            for all beams of each.
        memory: a nest of [batch, …] that the beams of a row share; it is never copied.
        start_ids: int32[batch].
        max_length: int or int32[batch], tokens without EOS; 0 gives empty sequences.
        reorder: state, int32[rows] → the state in which row i goes on from row rows[i]; by default
            it takes these rows of every leaf.
        rules: P is the probability that they leave.
        room: the longest limit, if it is known before: then all shapes are, as XLA needs it, and
            `ids` has so many columns.

    Raises:
        ConfigurationError: fewer than one beam, more answers than beams, a negative penalty.
    """
    if beams < 1:
        raise ConfigurationError(f"beams must be 1 or more, not {beams}")
    if not 1 <= n_best <= beams:
        raise ConfigurationError(
            f"n_best must be from 1 to the number of beams ({beams}), not {n_best}"
        )
    check_length_penalty(length_penalty)
    limit = limits(max_length, start_ids)
    search = _Search(
        decode_step, memory, limit, beams, length_penalty, end_id, n_best, reorder, rules, room
    )
    steps, tokens, parents, finished = search.run(state, start_ids)
    best = _Finished(*(leaf[:, :n_best] for leaf in finished))
    time = room or tf.maximum(tf.reduce_max(best.lengths), 1)
    return Hypotheses(_trace_back(tokens, parents, steps, best, time), best.scores, best.lengths)


class _Search(NamedTuple):
    """The arguments of `beam_search` and the loop over its steps."""

    decode_step: DecodeStep
    memory: Any
    limit: Any
    beams: int
    length_penalty: float
    end_id: int
    n_best: int
    reorder: Callable[[Any, Any], Any]
    rules: Rules
    room: int | None

    def run(self, state: Any, start_ids: Any) -> tuple[Any, Any, Any, _Finished]:
        """The number of steps, tokens and parents of all beams in each, the finished sequences."""
        none = tf.zeros([tf.size(start_ids), self.beams], tf.int32)
        known, longest = shapes(state), tf.reduce_max(self.limit)
        ids, scores = start_ids[:, None], tf.zeros_like(start_ids, tf.float32)[:, None]
        if self.room is not None:  # one beam is real, and the others become so in the first step
            others = [[0, 0], [0, self.beams - 1]]
            ids = tf.repeat(ids, self.beams, axis=1)
            scores = tf.pad(scores, others, constant_values=IMPOSSIBLE)
        begin = _LoopState(
            ids=ids,
            scores=scores,
            past=self.rules.begin(tf.shape(ids), longest if self.room is None else self.room),
            state=state,
            greedy=tf.ones_like(start_ids, tf.bool),
            finished=_Finished(tf.fill(tf.shape(none), IMPOSSIBLE), none, none),
            done=tf.zeros_like(start_ids, tf.bool),
        )
        invariants = tf.nest.map_structure(lambda leaf: leaf.shape, begin._replace(state=()))
        wide = tf.TensorShape([None, None])
        past = tf.nest.map_structure(_any_size, begin.past)
        invariants = invariants._replace(ids=wide, scores=wide, past=past, state=known)
        tokens, parents = (
            tf.TensorArray(
                tf.int32,
                0 if self.room is None else self.room + 1,
                dynamic_size=self.room is None,
                clear_after_read=False,
                element_shape=wide,
            )
            for _ in range(2)
        )

        def step(step: Any, tokens: Any, parents: Any, now: _LoopState) -> tuple[Any, ...]:
            parent, after = self._step(step, now, known)
            return step + 1, tokens.write(step, after.ids), parents.write(step, parent), after

        steps, tokens, parents, last = tf.while_loop(
            lambda step, _, __, now: (step <= longest) & ~tf.reduce_all(now.done),
            step,
            (0, tokens, parents, begin),
            shape_invariants=(
                tf.TensorShape([]),
                tf.TensorShape(None),
                tf.TensorShape(None),
                invariants,
            ),
        )
        return steps, tokens, parents, last.finished

    def _step(self, step: Any, now: _LoopState, known: Any) -> tuple[Any, _LoopState]:
        """One more token: the parent of each new beam, int32[batch, beams], and the loop state."""
        ids = tf.reshape(now.ids, [-1, 1])
        logits, state = self.decode_step(ids, now.state, memory=self.memory)
        scores, ids = self._continuations(step, logits, now)
        # [batch, width * 2 * beams] → the best 2 * beams of all, of which half do not end
        rank = tf.concat(
            [tf.where(now.greedy[:, None], -IMPOSSIBLE, scores[:, :1]), scores[:, 1:]], 1
        )
        rank, chosen = tf.math.top_k(rank, 2 * self.beams)
        scores, ids = _pick(scores, chosen), _pick(ids, chosen)
        parent = chosen // (2 * self.beams)
        ends = ids == self.end_id
        finished = self._finish(step, now, tf.where(ends, scores, IMPOSSIBLE), parent)

        _, going_on = tf.math.top_k(tf.where(ends, 2 * IMPOSSIBLE, rank), self.beams)
        scores = _pick(tf.where(ends, IMPOSSIBLE, scores), going_on)
        parent = _pick(parent, going_on)
        greedy = now.greedy & ~ends[:, 0]
        ids = _pick(ids, going_on)
        past = tf.nest.map_structure(lambda leaf: _pick(leaf, parent), now.past)
        after = _LoopState(
            ids=ids,
            scores=scores,
            past=self.rules.after(past, step, ids),
            state=with_shapes(self._of_parents(state, parent, now), known),
            greedy=greedy,
            finished=finished,
            done=now.done | self._settled(scores, greedy, finished),
        )
        return parent, after

    def _continuations(self, step: Any, logits: Any, now: _LoopState) -> tuple[Any, Any]:
        """The 2 · beams best continuations of each beam, [batch, width * 2 * beams].

        No other can be among the 2 · beams best of all. At the limit there is only EOS.
        """
        count, scores = 2 * self.beams, now.scores
        logits = self.rules.unrepeated(logits, now.past, step)
        values, ids, largest = self.rules.likeliest(logits, now.past, count, self.end_id)
        total = self.rules.total(logits, largest)
        missing = [[0, 0], [0, count - values.shape[-1]]]
        values = tf.pad(values, missing, constant_values=IMPOSSIBLE)
        ids = tf.pad(ids, missing, constant_values=PAD)
        end = logits[:, self.end_id, None]
        end = tf.pad(end, [[0, 0], [0, count - 1]], constant_values=IMPOSSIBLE)
        last = tf.repeat(step >= self.limit, tf.shape(scores)[1])[:, None]
        values, ids = tf.where(last, end, values), tf.where(last, self.end_id, ids)
        values += tf.reshape(scores, [-1, 1]) - total[:, None]
        shape = [tf.shape(scores)[0], tf.shape(scores)[1] * count]
        return tf.reshape(values, shape), tf.reshape(ids, shape)

    def _finish(self, step: Any, now: _LoopState, scores: Any, beams: Any) -> _Finished:
        """The best of the sequences finished before and of those that EOS finishes now."""
        scores, beams = scores[:, : self.beams], beams[:, : self.beams]
        valid = possible(scores) & ~now.done[:, None]
        scores = tf.where(valid, scores / penalty(step + 1, self.length_penalty), IMPOSSIBLE)
        new = _Finished(scores, tf.fill(tf.shape(beams), step), beams)
        both = tf.nest.map_structure(lambda *two: tf.concat(two, axis=1), now.finished, new)
        best, order = tf.math.top_k(both.scores, self.beams)
        return _Finished(best, _pick(both.lengths, order), _pick(both.beams, order))

    def _settled(self, scores: Any, greedy: Any, finished: _Finished) -> Any:
        """bool[batch]: whether the finished sequences are the answer, whatever the beams become.

        Log P only falls, so a beam can end with no better score than its log P now has at the
        longest length.
        """
        bounds = tf.where(
            possible(scores),
            scores / penalty(self.limit + 1, self.length_penalty)[:, None],
            -float("inf"),
        )
        beaten = tf.reduce_max(bounds, axis=1) <= finished.scores[:, self.n_best - 1]
        greedy_beaten = ~greedy | (bounds[:, 0] <= finished.scores[:, 0])
        return beaten | (possible(finished.scores[:, -1]) & greedy_beaten)

    def _of_parents(self, state: Any, parent: Any, now: _LoopState) -> Any:
        """The state of the new beams, each that of its parent."""
        if self.beams == 1:
            return state
        batch, width = tf.unstack(tf.shape(now.ids))
        rows = tf.reshape(parent + width * tf.range(batch)[:, None], [-1])
        return self.reorder(state, rows)


def _any_size(values: Any) -> Any:
    return tf.TensorShape([None] * values.shape.rank)


def _pick(values: Any, places: Any) -> Any:
    """[batch, many], int32[batch, few] → [batch, few]."""
    return tf.gather(values, places, batch_dims=1)


def _trace_back(tokens: Any, parents: Any, steps: Any, finished: _Finished, time: Any) -> Any:
    """int32[batch, n, time], the tokens of finished sequences, found from last to first."""
    lengths = finished.lengths
    shape = tf.concat([[time], tf.shape(lengths)], axis=0)
    ids = tf.TensorArray(tf.int32, time, element_shape=lengths.shape)
    ids = ids.unstack(tf.fill(shape, PAD))  # an empty batch has no step

    def back(step: Any, beams: Any, ids: Any) -> tuple[Any, Any, Any]:
        inside = step < lengths
        ids = ids.write(step, tf.where(inside, _pick(tokens.read(step), beams), PAD))
        return step - 1, tf.where(inside, _pick(parents.read(step), beams), beams), ids

    begin = (tf.minimum(time, steps) - 1, finished.beams, ids)
    ids = tf.while_loop(lambda step, *_: step >= 0, back, begin)[-1]
    return tf.transpose(ids.stack(), [1, 2, 0])
