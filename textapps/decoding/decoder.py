"""Generating text with a causal language model as one loop in the graph."""

from typing import Any, NamedTuple, Protocol

import tensorflow as tf

from textapps.core.tokens import PAD
from textapps.decoding.options import Options, is_plain
from textapps.decoding.random import uniforms
from textapps.decoding.sampling import sample_token
from textapps.decoding.stop import advance_match, matched_length

# Characters between two calls of `begin_decode`. Each step looks through all of them, and each
# call moves the cache.
ROOM = 32
# Characters of a seed text that are read in one call. Attention over all of a long text at once
# would take memory in proportion to the square of its length.
PROMPT_CHUNK = 512


class DecoderModel(Protocol):
    """The language model that a `Decoder` asks."""

    def decode_step(self, ids: Any, state: Any, mask: Any = None) -> tuple[Any, Any]:
        """int32[batch, time], state, bool[batch, time] → logits after the last valid, state."""

    def initial_state(self, batch: Any) -> Any:
        """A tuple of dicts of tensors, batch-major, for `batch` rows without a past."""

    def begin_decode(self, state: Any, room: int) -> Any:
        """The state for at most `room` calls of one character each; see `Backbone`."""

    def end_decode(self, state: Any) -> Any:
        """The state that any call takes, from one that `begin_decode` made."""


class DecodingState(NamedTuple):
    """The state of each text between two calls; every leaf is batch-major.

    logits    float32[batch, vocabulary] of the next character
    backbone  the state of the model
    position  int32[batch], how many characters have been generated
    own       what the decoder itself remembers:
              seen     bool[batch, vocabulary], the characters of seed and text
              stop     int32[batch, stop_length], and
              matched  bool[batch, stop_length], only with a stop text: see `advance_match`
    """

    logits: Any
    backbone: Any
    position: Any
    own: dict[str, Any]


class _LoopState(NamedTuple):
    """What a step of the loop changes.

    `own` holds what the options need: `seen`, unless they are plain; with a stop text `matched` and
    `count`, int32[batch], the characters up to the end of its first occurrence.
    """

    logits: Any
    backbone: Any
    own: dict[str, Any]


class Decoder:
    """Continues a batch of texts by sampling, in one `tf.while_loop`.

    A text depends on its seed text, its options and its random seed only: not on its neighbours in
    the batch, and not on how it is cut into calls of `advance`.

    Args:
        model: its state follows the chunk law of `Backbone`.
        vocabulary_size: of its logits; ids 0 and 1, padding and unknown, are never generated.
    """

    def __init__(self, model: DecoderModel, vocabulary_size: int) -> None:
        self.model = model
        self.vocabulary_size = vocabulary_size

    def start(self, ids: Any, lengths: Any, stop: Any = None) -> DecodingState:
        """Reads the seed texts: the prefill.

        Args:
            ids: int32[batch, time], padded on the right.
            lengths: int32[batch], at least 1.
            stop: int32[stop_length], at least one id. A text ends before the first occurrence
                that lies in its generated part. None for no stop text.
        """
        batch, time = tf.unstack(tf.shape(ids))
        backbone = self.model.initial_state(batch)
        logits = tf.zeros([batch, self.vocabulary_size])

        def read(begin: Any, logits: Any, backbone: Any) -> tuple[Any, Any, Any]:
            chunk = ids[:, begin : begin + PROMPT_CHUNK]
            mask = begin + tf.range(tf.shape(chunk)[1]) < lengths[:, None]
            new = self.model.decode_step(chunk, backbone, mask)
            logits = tf.where(begin < lengths[:, None], new[0], logits)
            return begin + PROMPT_CHUNK, logits, _like(new[1], backbone)

        _, logits, backbone = tf.while_loop(
            lambda begin, *_: begin < time,
            read,
            (0, logits, backbone),
            shape_invariants=tf.nest.map_structure(_shape, (0, logits, backbone)),
        )
        seen = tf.zeros([batch, self.vocabulary_size], tf.bool)
        own = {"seen": _add_seen(seen, ids, lengths)}
        if stop is not None:
            own["stop"] = tf.tile(stop[None, :], [batch, 1])
            own["matched"] = tf.zeros_like(own["stop"], tf.bool)
        return DecodingState(logits, backbone, tf.zeros([batch], tf.int32), own)

    def advance(
        self,
        state: DecodingState,
        options: Options,
        length: Any,
        steps: Any = None,
        *,
        plain: bool | None = None,
        final: Any = True,
    ) -> tuple[Any, Any, DecodingState]:
        """Generates `length` more characters, fewer in a row that reaches its stop text.

        Unless the call is `final`, characters at the end that may begin the stop text are held
        back and come first in the result of the next call, so that no character is ever taken
        back. A row that has reached its stop text gives no more characters; the rest of its state
        has no meaning.

        Args:
            length: int32[batch]; more than `steps` counts as `steps`.
            steps: the width of the result, for XLA an int. None takes the largest length, or 1.
            plain: `is_plain(options)`, where it is known; that saves the graph a second loop.
            final: bool, bool[] or bool[batch]: whether the text ends with this call.

        Returns:
            int32[batch, width], padded with 0 on the right; the number of characters,
            int32[batch]; the next state. The width is `steps`; with a stop text it is larger by
            the length of that text less one.
        """
        steps = tf.maximum(tf.reduce_max(length), 1) if steps is None else steps
        length = tf.minimum(length, steps)

        def loop(plain: bool) -> Any:
            return self._loop(state, options, length, steps, plain)

        if plain is None:
            ids, now = tf.cond(is_plain(options), lambda: loop(True), lambda: loop(False))
        else:
            ids, now = loop(plain)
        count = lengths = now.own.get("count", length)
        own = {**state.own, "seen": _add_seen(state.own["seen"], ids, count)}
        if "stop" in own:
            own["matched"] = now.own["matched"]
            ids, lengths = _held_back(state.own, own["matched"], ids, count, final)
        ids = tf.where(tf.range(tf.shape(ids)[1]) < lengths[:, None], ids, PAD)
        return ids, lengths, DecodingState(now.logits, now.backbone, state.position + count, own)

    def _loop(
        self, state: DecodingState, options: Options, length: Any, steps: Any, plain: bool
    ) -> Any:
        """int32[batch, steps], and the loop state of each row after its own length.

        Rows of unequal lengths run on together, and the state of a row at its end is kept. The
        outer loop goes from one end to the next, at most `ROOM` steps, so that the inner one need
        not look for ends.
        """
        numbers = tf.transpose(uniforms(options["random_seed"], state.position, steps))
        stop, batch = state.own.get("stop"), tf.shape(length)[0]
        ids = tf.TensorArray(tf.int32, steps, element_shape=length.shape)
        # All are written beforehand, because the loop may end early.
        ids = ids.unstack(tf.zeros([steps, batch], tf.int32))
        own = {} if plain else {"seen": state.own["seen"]}
        if stop is not None:
            own |= {"matched": state.own["matched"], "count": tf.zeros_like(length)}
        begin = _LoopState(state.logits, state.backbone, own)

        def goes_on(step: Any, now: _LoopState) -> Any:
            active = step < length
            return tf.reduce_any(active if stop is None else active & ~now.own["matched"][:, -1])

        def character(step: Any, ids: Any, now: _LoopState) -> tuple[Any, Any, _LoopState]:
            new = sample_token(now.logits, numbers[step], options, now.own.get("seen"))
            logits, backbone = self.model.decode_step(new[:, None], now.backbone)
            own = dict(now.own)
            if not plain:
                own["seen"] |= tf.one_hot(new, self.vocabulary_size, True, False, dtype=tf.bool)
            if stop is not None:
                own["count"] += tf.cast(~own["matched"][:, -1], tf.int32)
                own["matched"] = advance_match(own["matched"], stop, new)
            after = _LoopState(logits, _like(backbone, now.backbone), own)
            return step + 1, ids.write(step, new), after

        def stretch(step: Any, ids: Any, now: _LoopState, ended: _LoopState) -> tuple[Any, ...]:
            active = step < length
            until = tf.minimum(tf.reduce_min(tf.where(active, length, steps)), step + ROOM)
            now = now._replace(backbone=self.model.begin_decode(now.backbone, ROOM))
            step, ids, now = tf.while_loop(
                lambda step, _, now: (step < until) & goes_on(step, now),
                character,
                (step, ids, now),
                parallel_iterations=1,
            )
            backbone = _like(self.model.end_decode(now.backbone), ended.backbone)
            now = now._replace(backbone=backbone)
            ended = tf.nest.map_structure(lambda new, old: _where(active, new, old), now, ended)
            return step, ids, now, ended

        _, ids, _, ended = tf.while_loop(
            lambda step, _, now, __: goes_on(step, now), stretch, (0, ids, begin, begin)
        )
        ended.own.pop("seen", None)  # `advance` finds it without a loop
        return tf.transpose(ids.stack()), ended


def _held_back(
    before: dict[str, Any], matched: Any, ids: Any, count: Any, final: Any
) -> tuple[Any, Any]:
    """What the call before held back, then what is new, less what is held back now.

    What is held back is always the beginning of the stop text, so the state need not hold it.
    """
    stop, earlier = before["stop"], matched_length(before["matched"])
    kept = tf.where(final & ~matched[:, -1], 0, matched_length(matched))
    size = tf.shape(stop)[1]
    together = tf.concat([stop, ids], axis=1)
    columns = tf.range(size - 1 + tf.shape(ids)[1])[None, :]
    skipped = tf.where(columns < earlier[:, None], 0, size - earlier[:, None])
    columns = tf.minimum(columns + skipped, tf.shape(together)[1] - 1)
    return tf.gather(together, columns, batch_dims=1), earlier + count - kept


def _add_seen(seen: Any, ids: Any, lengths: Any) -> Any:
    """bool[batch, vocabulary] with the first `lengths` of int32[batch, time] added."""
    time = tf.shape(ids)[1]
    rows = tf.repeat(tf.range(tf.shape(ids)[0]), time)
    places = tf.stack([rows, tf.reshape(ids, [-1])], axis=1)
    valid = tf.reshape(tf.range(time) < lengths[:, None], [-1])
    counts = tf.scatter_nd(places, tf.cast(valid, tf.int32), tf.shape(seen))
    return seen | (counts > 0)


def _where(rows: Any, new: Any, old: Any) -> Any:
    """Tensors [batch, …]: `new` in the rows of bool[batch], else `old`."""
    return tf.where(tf.reshape(rows, [-1] + [1] * (new.shape.rank - 1)), new, old)


def _shape(tensor: Any) -> Any:
    return tf.convert_to_tensor(tensor).shape


def _like(new: Any, old: Any) -> Any:
    """`new` with the static shapes of `old`, as a loop wants it."""

    def alike(new: Any, old: Any) -> Any:
        return new if new.shape == old.shape else tf.ensure_shape(new, old.shape)

    return tf.nest.map_structure(alike, new, old)
