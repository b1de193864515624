"""Source and target ids to logits of the next target token."""

from typing import Any

import keras
from keras import ops

from textapps.backbones.backbone import Backbone
from textapps.core.tokens import BOS, EOS, PAD
from textapps.decoding.hypotheses import IMPOSSIBLE
from textapps.tasks.translate.config import TranslateConfig


class TranslationModel(keras.Model):
    """Embedding → bidirectional encoder; embedding → decoder with attention to it → logits.

    Called as a Keras model it takes {"source": int32[batch, source_time], "target":
    int32[batch, time]}, padded with 0, and returns float32[batch, time, vocabulary], the logits of
    what follows each position of the target. In decoding, `encode_source` reads the source once
    and `decode_step` predicts one token after the other.

    With `config.model.simcut`, training returns float32[2, batch, time, vocabulary]: the logits
    without and with embeddings that are cut off, which `TokenLoss` brings together.

    Args:
        source_size, target_size: of the vocabularies; the ids before EOS are never predicted.
        joint: whether both are one vocabulary.
    """

    def __init__(
        self, config: TranslateConfig, source_size: int, target_size: int, joint: bool
    ) -> None:
        super().__init__(name="translate")
        units = config.backbone.units
        layers = config.model.encoder_layers or config.backbone.layers
        encoder = config.backbone.model_copy(update={"layers": layers})
        self.tied = config.model.tied
        # Scaled up in `_embed`, because it is also the last layer.
        small = keras.initializers.RandomNormal(stddev=units**-0.5)
        self.target_embedding = keras.layers.Embedding(
            target_size, units, embeddings_initializer=small, name="target_embedding"
        )
        self.source_embedding = self.target_embedding
        if not (joint and self.tied):
            self.source_embedding = keras.layers.Embedding(
                source_size, units, embeddings_initializer=small, name="source_embedding"
            )
        self.embedding_dropout = keras.layers.Dropout(
            config.model.embedding_dropout, name="embedding_dropout"
        )
        self.cutoff: Any = None
        if config.model.simcut:
            # It leaves out whole tokens, and without the factor of a dropout.
            self.cutoff = keras.layers.Dropout(
                config.model.cutoff, noise_shape=(None, None, 1), name="cutoff"
            )
        self.encoder = Backbone(encoder, causal=False, name="encoder")
        self.decoder = Backbone(config.backbone, memory_units=units, name="decoder")
        self.head = None
        if not self.tied:
            self.head = keras.layers.Dense(target_size, dtype="float32", name="head")
        self.units = units

    def build(self, inputs_shape: Any = None) -> None:
        """Creates all weights without tracing a graph."""
        self.target_embedding.build((None, None))
        if self.source_embedding is not self.target_embedding:
            self.source_embedding.build((None, None))
        self.encoder.build((None, None, self.units))
        self.decoder.build((None, None, self.units))
        if self.head is not None:
            self.head.build((None, None, self.units))
        self.built = True

    def call(self, inputs: Any, training: bool | None = None) -> Any:
        """See the class."""
        source, target = inputs["source"], inputs["target"]
        twice = bool(training) and self.cutoff is not None
        if twice:
            source, target = (ops.concatenate([ids, ids]) for ids in (source, target))
        x = self._embed(self.source_embedding, source, training, twice)
        memory = self.encode_embedded(x, source != PAD, training)
        x = self._embed(self.target_embedding, target, training, twice)
        x, _ = self.decoder(x, mask=target != PAD, memory=memory, training=training)
        logits = self._logits(x)
        return ops.reshape(logits, (2, -1, *ops.shape(logits)[1:])) if twice else logits

    def encode_source(self, source: Any) -> Any:
        """int32[batch, source_time] → the decoder's memory, projected once for all steps.

        A row without a token has an empty memory.
        """
        return self.encode_embedded(self.embed_source(source), source != PAD)

    def embed_source(self, source: Any) -> Any:
        """int32[batch, source_time] → float[batch, source_time, units], without dropout."""
        return self._embed(self.source_embedding, source, training=False)

    def encode_embedded(self, x: Any, mask: Any, training: bool | None = None) -> Any:
        """As `encode_source`, of embedded tokens and bool[batch, source_time]."""
        x, _ = self.encoder(x, mask=mask, training=training)
        return self.decoder.prepare_memory(x, mask)

    def logits_at(self, target: Any, memory: Any, at: Any) -> Any:
        """The logits of what follows one position of each row of the target, without dropout.

        Args:
            target: int32[batch, time], BOS first.
            memory: of `encode_source`.
            at: int32[batch], the positions.

        Returns:
            float32[batch, vocabulary].
        """
        x, _ = self.decoder(self._embed(self.target_embedding, target, False), memory=memory)
        x = ops.take_along_axis(x, at[:, None, None], axis=1)
        return self._logits(x)[:, 0]

    def decode_step(
        self,
        ids: Any,
        state: Any = None,
        mask: Any = None,
        memory: Any = None,
        table: Any = None,
    ) -> tuple[Any, Any]:
        """The logits of what follows int32[batch, time], float32[batch, vocabulary], and the state.

        Decoded tokens have no padding: `mask` must be None. `table` is `output_table()`, which a
        loop computes before its first step.
        """
        x = self._embed(self.target_embedding, ids, training=False)
        x, state = self.decoder(x, state, memory=memory)
        x = x[:, -1]
        if table is not None:
            x = ops.concatenate([x, ops.ones_like(x[:, :1])], axis=1)
            return ops.cast(ops.matmul(x, table), "float32"), state
        logits = self._logits(x)
        return logits + _never(logits.shape[-1]), state

    def attention_weights(self, source: Any, target: Any) -> Any:
        """The attention of an answer to its source, in the last block, as the mean of the heads.

        Args:
            source: int32[batch, source_time] with EOS.
            target: int32[batch, target_time] without EOS.

        Returns:
            float32[batch, target_time + 1, source_time]; the row after the last token is for EOS,
            rows after that mean nothing. None if the decoder has no attention.
        """
        ids = ops.pad(target, [(0, 0), (1, 0)], constant_values=BOS)
        x = self._embed(self.target_embedding, ids, training=False)
        return self.decoder.attention_weights(x, memory=self.encode_source(source))

    def search_state(self, batch: Any, beams: int, room: int | None = None) -> Any:
        """The decoder's state before the first token: see `Backbone.search_state`."""
        return self.decoder.search_state(batch, beams, room)

    def output_table(self) -> Any:
        """float[units + 1, vocabulary], the tied last layer; None if it is not tied.

        Computed in every step, it would take longer than the rest of the step for one sentence.
        The last row is added to all logits; it rules out the ids that are never predicted.
        """
        if self.head is not None:
            return None
        table = ops.transpose(self.target_embedding.embeddings)
        table = ops.concatenate([table, _never(table.shape[1])[None]], axis=0)
        return ops.cast(table, self.compute_dtype)

    def _embed(self, embedding: Any, ids: Any, training: bool | None, twice: bool = False) -> Any:
        """The embedded tokens; `twice`: without some of them in the second half of the rows."""
        x = embedding(ids) * self.units**0.5
        if twice:
            whole, other = ops.split(x, 2)
            other = self.cutoff(other, training=training) * (1 - self.cutoff.rate)
            x = ops.concatenate([whole, other])
        return self.embedding_dropout(x, training=training)

    def _logits(self, x: Any) -> Any:
        if self.head is not None:
            return self.head(x)
        table = ops.cast(self.target_embedding.embeddings, self.compute_dtype)
        return ops.cast(ops.matmul(x, ops.transpose(table)), "float32")


def _never(vocabulary_size: int) -> Any:
    """float32[vocabulary], to be added to logits: it rules out the ids before EOS."""
    return ops.where(ops.arange(vocabulary_size) < EOS, IMPOSSIBLE, 0.0)
