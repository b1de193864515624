"""Character ids to logits of the next character."""

from typing import Any

import keras
from keras import ops

from textapps.backbones.backbone import Backbone
from textapps.core.tokens import PAD
from textapps.tasks.generate.config import GenerateConfig
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
    """

    def __init__(
        self,
        config: GenerateConfig,
        vocabulary_size: int,
        streams: tuple[int, int] | None = None,
    ) -> None:
        super().__init__(name="generate")
        units = config.backbone.units
        self.embedding = keras.layers.Embedding(vocabulary_size, units, name="embedding")
        self.input_dropout = keras.layers.Dropout(config.model.input_dropout, name="input_dropout")
        self.backbone = Backbone(config.backbone, name="backbone")
        self.head_dropout = keras.layers.Dropout(config.model.head_dropout, name="head_dropout")
        self.head = keras.layers.Dense(vocabulary_size, dtype="float32", name="head")
        self.carried: tuple[CarriedState, ...] = ()
        if streams is not None:
            self.carried = tuple(
                CarriedState(self.backbone.initial_state(rows), saved=saved, name=name)
                for rows, saved, name in zip(
                    streams, (True, False), ("training_state", "evaluation_state"), strict=True
                )
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
        logits, state = self.read(inputs["ids"], carried.read(inputs["start"]), training=training)
        carried.write(state)
        return logits

    def read(
        self, ids: Any, state: Any = None, mask: Any = None, training: bool | None = None
    ) -> tuple[Any, Any]:
        """The logits of what follows each position, and the state after all of them.

        Args:
            ids: int32[batch, time].
            state: as `Backbone`'s; None at the start.
            mask: bool[batch, time], padding on the right; None: everything is valid.

        Returns:
            float32[batch, time, vocabulary], state.
        """
        x = self.input_dropout(self.embedding(ids), training=training)
        x, state = self.backbone(x, state, mask=mask, training=training)
        return self.logits(self.head_dropout(x, training=training)), state

    def decode_step(self, ids: Any, state: Any = None, mask: Any = None) -> tuple[Any, Any]:
        """As `read`, with the logits of the last valid position only, float32[batch, vocabulary].

        The logits of a row without a valid position mean nothing.
        """
        x, state = self.backbone(self.embedding(ids), state, mask=mask)
        if mask is None:
            last = x[:, -1]
        else:
            ends = ops.maximum(ops.sum(ops.cast(mask, "int32"), axis=1) - 1, 0)
            last = ops.take_along_axis(x, ends[:, None, None], axis=1)[:, 0]
        return self.logits(last), state

    def initial_state(self, batch: Any) -> Any:
        """The state before the first character of `batch` texts."""
        return self.backbone.initial_state(batch)

    def begin_decode(self, state: Any, room: int) -> Any:
        """The state for up to `room` calls of `decode_step`, of one character each."""
        return self.backbone.begin_decode(state, room)

    def end_decode(self, state: Any) -> Any:
        """The state in the form that every call takes."""
        return self.backbone.end_decode(state)

    def nats(self, targets: Any, logits: Any) -> Any:
        """Cross-entropy: int32[batch, time], logits → float32[batch, time], in nats."""
        return keras.losses.sparse_categorical_crossentropy(targets, logits, from_logits=True)

    def logits(self, x: Any) -> Any:
        """The backbone's outputs float[…, units] → float32[…, vocabulary]; PAD never follows."""
        logits = self.head(x)
        never = ops.arange(logits.shape[-1]) == PAD
        return ops.where(never, -1e9, logits)
