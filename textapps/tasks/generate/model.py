"""Character ids to logits of the next character."""

from typing import Any

import keras
import tensorflow as tf
from keras import ops

from textapps.backbones.backbone import Backbone
from textapps.core.tokens import PAD
from textapps.tasks.generate.config import GenerateConfig
from textapps.tasks.generate.ngram_path import LEAF, NgramPath
from textapps.training.carried import CarriedState


class LanguageModel(keras.Model):
    """Embedding → causal backbone → logits of the next character.

    The state of the backbone serves three uses: chunks of a stream in training, a whole prompt,
    and one character after another (`decode_step`).

    Called as a Keras model it takes chunks of streams, {"ids": int32[streams, chunk],
    "start": bool[streams]}, returns float32[streams, chunk, vocabulary], and keeps the state of
    each stream for the next call; where `start` is true, the stream begins with no state. Training
    and evaluation each have their own states. Back-propagation ends at the start of the chunk.

    Args:
        vocabulary_size: one more than the largest id; padding, id 0, is never predicted.
        streams: rows of a training and of an evaluation batch; None for neither.
        ngrams: answers too, but not in training; the state then has a block for it, the last one.
    """

    def __init__(
        self,
        config: GenerateConfig,
        vocabulary_size: int,
        streams: tuple[int, int] | None = None,
        ngrams: NgramPath | None = None,
    ) -> None:
        super().__init__(name="generate")
        units = config.backbone.units
        self.embedding = keras.layers.Embedding(vocabulary_size, units, name="embedding")
        self.input_dropout = keras.layers.Dropout(config.model.input_dropout, name="input_dropout")
        self.backbone = Backbone(config.backbone, name="backbone")
        self.head_dropout = keras.layers.Dropout(config.model.head_dropout, name="head_dropout")
        self.head = keras.layers.Dense(vocabulary_size, dtype="float32", name="head")
        self.ngrams, self._share = ngrams, config.model.ngram_share
        self.carried: tuple[CarriedState, ...] = ()
        if streams is not None:
            training, evaluation = streams
            self.carried = (
                CarriedState(
                    self.backbone.initial_state(training), saved=True, name="training_state"
                ),
                CarriedState(self.initial_state(evaluation), saved=False, name="evaluation_state"),
            )
        self._units = units

    def build(self, inputs_shape: Any = None) -> None:
        """Creates all weights without tracing a graph."""
        self.embedding.build((None, None))
        self.backbone.build((None, None, self._units))
        self.head.build((None, None, self._units))
        self.built = True

    def call(self, inputs: Any, training: bool | None = None) -> Any:
        """See the class."""
        carried = self.carried[0 if training else 1]
        state = carried.read(inputs["start"])
        if training:
            logits, state = self._of_backbone(inputs["ids"], state, training=True)
        else:
            logits, state = self.read(inputs["ids"], state)
        carried.write(state)
        return logits

    def read(self, ids: Any, state: Any = None, mask: Any = None) -> tuple[Any, Any]:
        """The logits of what follows each position, and the state after all of them.

        Args:
            ids: int32[batch, time].
            state: as `initial_state`'s; None at the start.
            mask: bool[batch, time], padding on the right; None: everything is valid.

        Returns:
            float32[batch, time, vocabulary], state.
        """
        state, contexts = self.split(state)
        logits, state = self._of_backbone(ids, state, mask)
        if self.ngrams is None:
            return logits, state
        after, contexts = self._advanced(self.ngrams, ids, contexts, mask)
        return self.mixed(logits, self.ngrams.chances(after)), (*state, {LEAF: contexts})

    def decode_step(self, ids: Any, state: Any = None, mask: Any = None) -> tuple[Any, Any]:
        """As `read`, with the logits of the last valid position only, float32[batch, vocabulary].

        The logits of a row without a valid position mean nothing.
        """
        state, contexts = self.split(state)
        x, state = self.backbone(self.embedding(ids), state, mask=mask)
        if mask is None:
            last = x[:, -1]
        else:
            ends = ops.maximum(ops.sum(ops.cast(mask, "int32"), axis=1) - 1, 0)
            last = ops.take_along_axis(x, ends[:, None, None], axis=1)[:, 0]
        logits = self.logits(last)
        if self.ngrams is None:
            return logits, state
        _, contexts = self._advanced(self.ngrams, ids, contexts, mask)
        return self.mixed(logits, self.ngrams.chances(contexts)), (*state, {LEAF: contexts})

    def initial_state(self, batch: Any) -> Any:
        """The state before the first character of `batch` texts."""
        state = self.backbone.initial_state(batch)
        if self.ngrams is None:
            return state
        return (*state, {LEAF: self.ngrams.initial_state(batch)})

    def split(self, state: Any) -> tuple[Any, Any]:
        """The state of the backbone, and that of the n-grams, None if there are none."""
        if self.ngrams is None or state is None:
            return state, None
        *backbone, own = state
        return tuple(backbone), own[LEAF]

    def begin_decode(self, state: Any, room: int) -> Any:
        """The state for up to `room` calls of `decode_step`, of one character each."""
        backbone, _ = self.split(state)
        return (*self.backbone.begin_decode(backbone, room), *state[len(backbone) :])

    def end_decode(self, state: Any) -> Any:
        """The state in the form that every call takes."""
        backbone, _ = self.split(state)
        return (*self.backbone.end_decode(backbone), *state[len(backbone) :])

    def nats(self, targets: Any, logits: Any) -> Any:
        """Cross-entropy: int32[batch, time], logits → float32[batch, time], in nats."""
        return keras.losses.sparse_categorical_crossentropy(targets, logits, from_logits=True)

    def logits(self, x: Any) -> Any:
        """The backbone's outputs float[…, units] → float32[…, vocabulary]; PAD never follows.

        Without the n-grams.
        """
        return _never_padding(self.head(x))

    def mixed(self, logits: Any, chances: Any) -> Any:
        """The logits of the backbone together with probabilities by n-grams, of equal shapes.

        They are of the size of the backbone's, as a repetition penalty goes by their signs.
        """
        own = ops.softmax(logits, axis=-1)
        mixed = ops.log((1 - self._share) * own + self._share * chances)
        return _never_padding(mixed + ops.logsumexp(logits, axis=-1, keepdims=True))

    def _of_backbone(
        self, ids: Any, state: Any, mask: Any = None, training: bool | None = None
    ) -> tuple[Any, Any]:
        """As `read`, without the n-grams, whose state is not in that given."""
        x = self.input_dropout(self.embedding(ids), training=training)
        x, state = self.backbone(x, state, mask=mask, training=training)
        return self.logits(self.head_dropout(x, training=training)), state

    def _advanced(self, ngrams: NgramPath, ids: Any, contexts: Any, mask: Any) -> tuple[Any, Any]:
        """The state of the n-grams after each position, and after the last valid one."""
        batch, time = tf.unstack(tf.shape(ids))
        if contexts is None:
            contexts = ngrams.initial_state(batch)
        after = ngrams.advance(ids, contexts)
        lengths = tf.fill([batch], time)
        if mask is not None:
            lengths = tf.reduce_sum(tf.cast(mask, tf.int32), axis=1)
        known = tf.concat([contexts[:, None], after], axis=1)
        return after, tf.gather(known, lengths, batch_dims=1)


def _never_padding(logits: Any) -> Any:
    return ops.where(ops.arange(logits.shape[-1]) == PAD, -1e9, logits)
