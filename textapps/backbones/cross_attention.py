"""A decoder's attention to the outputs of an encoder, by one of four score functions."""

from typing import Any

import keras
from keras import ops

from textapps.backbones.attention import (
    attention_weights,
    masked_softmax,
    merge_heads,
    split_heads,
)


class CrossAttention(keras.layers.Layer):
    """What the four have in common.

    `prepare_memory` does once what does not depend on the inputs. Its result, the memory, is a
    dict of batch-major tensors that `call` reads. The inputs may have several times as many rows
    as the memory: then equally many successive rows share one row of it without a copy, as the
    beams of a sentence do.

    Args:
        units: width of inputs and outputs.
        heads: of `multi-head`; the others have one.
        memory_units: width of the encoder's outputs.
    """

    def __init__(self, units: int, heads: int, memory_units: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.output_projection = self._dense(units, "output")
        self.units = units
        self.heads = heads
        self.memory_units = memory_units
        self.supports_masking = True

    def prepare_memory(self, encoder_outputs: Any, mask: Any = None) -> dict[str, Any]:
        """float[batch, source, memory_units], bool[batch, source] → this block's memory.

        Without a mask everything is valid. Padding has values of zero, so that a source with
        nothing but padding adds nothing.
        """
        raise NotImplementedError

    def weights_of(self, inputs: Any, memory: Any) -> Any:
        """The weight that each position gives to each position of the source; their sum is 1.

        Args:
            inputs: float[batch, time, units], with as many rows as the memory.

        Returns:
            float32[batch, heads, time, source]; None for attention "none".
        """
        raise NotImplementedError

    def call(self, inputs: Any, memory: Any) -> Any:
        """float[rows, time, units] or float[rows, units], and the memory → the same shape."""
        values = memory["values"]
        weights = self.weights_of(fold(inputs, values), memory)
        mixed = merge_heads(ops.matmul(ops.cast(weights, values.dtype), values))
        return unfold(self.output_projection(mixed), inputs)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {
            **super().get_config(),
            "units": self.units,
            "heads": self.heads,
            "memory_units": self.memory_units,
        }

    def _dense(self, units: int, name: str) -> Any:
        return keras.layers.Dense(units, use_bias=False, dtype=self.dtype_policy, name=name)


@keras.saving.register_keras_serializable("textapps")
class MultiHeadAttention(CrossAttention):
    """Scaled dot products in several heads (Vaswani et al. 2017, section 3.2.2).

    Memory: keys, values float[batch, heads, source, units / heads]; mask bool[batch, source].
    """

    def __init__(self, units: int, heads: int, memory_units: int, **kwargs: Any) -> None:
        super().__init__(units, heads, memory_units, **kwargs)
        self.query = self._dense(units, "query")
        self.key_value = self._dense(2 * units, "key_value")

    def build(self, inputs_shape: Any) -> None:
        """Creates the projections of inputs and memory."""
        self.query.build(inputs_shape)
        self.key_value.build((None, None, self.memory_units))
        self.output_projection.build((None, None, self.units))
        self.built = True

    def prepare_memory(self, encoder_outputs: Any, mask: Any = None) -> dict[str, Any]:
        """See `CrossAttention`."""
        encoder_outputs, mask = without_padding(encoder_outputs, mask)
        keys, values = ops.split(self.key_value(encoder_outputs), 2, axis=-1)
        keys, values = split_heads(keys, self.heads), split_heads(values, self.heads)
        return {"keys": keys, "values": values, "mask": mask}

    def weights_of(self, inputs: Any, memory: Any) -> Any:
        """See `CrossAttention`."""
        queries = split_heads(self.query(inputs), self.heads)
        return attention_weights(queries, memory["keys"], memory["mask"][:, None, None, :])


@keras.saving.register_keras_serializable("textapps")
class DotAttention(CrossAttention):
    """q · W k, the score "general" of Luong et al. 2015 (section 3.1), in one head.

    W is the projection of the query; keys and values are the encoder's outputs as they are. The
    score is divided by the square root of their width. W could learn that, but scores of
    normalised vectors would first put almost all weight on one position, where little is learned.

    Memory: values float[batch, 1, source, memory_units]; mask bool[batch, source].
    """

    def __init__(self, units: int, heads: int, memory_units: int, **kwargs: Any) -> None:
        super().__init__(units, heads, memory_units, **kwargs)
        self.query = self._dense(memory_units, "query")

    def build(self, inputs_shape: Any) -> None:
        """Creates the projections."""
        self.query.build(inputs_shape)
        self.output_projection.build((None, None, self.memory_units))
        self.built = True

    def prepare_memory(self, encoder_outputs: Any, mask: Any = None) -> dict[str, Any]:
        """See `CrossAttention`."""
        values, mask = without_padding(ops.cast(encoder_outputs, self.compute_dtype), mask)
        return {"values": values[:, None], "mask": mask}

    def weights_of(self, inputs: Any, memory: Any) -> Any:
        """See `CrossAttention`."""
        queries = self.query(inputs)[:, None]
        return attention_weights(queries, memory["values"], memory["mask"][:, None, None, :])


@keras.saving.register_keras_serializable("textapps")
class AdditiveAttention(CrossAttention):
    """v · tanh(W q + U k) of Bahdanau et al. 2015 (appendix A.1.2), in one head.

    Memory: keys float[batch, source, units], already U k; values float[batch, 1, source,
    memory_units], the encoder's outputs as they are; mask bool[batch, source].
    """

    def __init__(self, units: int, heads: int, memory_units: int, **kwargs: Any) -> None:
        super().__init__(units, heads, memory_units, **kwargs)
        self.query = self._dense(units, "query")
        self.key = self._dense(units, "key")
        self.score = self._dense(1, "score")

    def build(self, inputs_shape: Any) -> None:
        """Creates the projections of inputs and memory."""
        self.query.build(inputs_shape)
        self.key.build((None, None, self.memory_units))
        self.score.build((None, None, None, self.units))
        self.output_projection.build((None, None, self.memory_units))
        self.built = True

    def prepare_memory(self, encoder_outputs: Any, mask: Any = None) -> dict[str, Any]:
        """See `CrossAttention`."""
        values, mask = without_padding(ops.cast(encoder_outputs, self.compute_dtype), mask)
        return {"keys": self.key(values), "values": values[:, None], "mask": mask}

    def weights_of(self, inputs: Any, memory: Any) -> Any:
        """See `CrossAttention`."""
        # float[batch, time, source, units]
        hidden = ops.tanh(self.query(inputs)[:, :, None] + memory["keys"][:, None])
        scores = ops.cast(self.score(hidden)[..., 0], "float32")
        return masked_softmax(scores, memory["mask"][:, None])[:, None]


@keras.saving.register_keras_serializable("textapps")
class NoAttention(CrossAttention):
    """Gives every position the same vector: the mean of the source's valid outputs.

    Before there was attention, decoders had one such summary at every step (Cho et al. 2014,
    section 2.2).

    Memory: summary float[batch, units].
    """

    def build(self, inputs_shape: Any) -> None:
        """Creates the projection of the summary."""
        self.output_projection.build((None, self.memory_units))
        self.built = True

    def prepare_memory(self, encoder_outputs: Any, mask: Any = None) -> dict[str, Any]:
        """See `CrossAttention`."""
        valid, mask = without_padding(ops.cast(encoder_outputs, "float32"), mask)
        count = ops.sum(ops.cast(mask, "float32"), axis=1, keepdims=True)
        mean = ops.sum(valid, axis=1) / ops.maximum(count, 1)
        return {"summary": self.output_projection(mean)}

    def weights_of(self, inputs: Any, memory: Any) -> None:
        """None, because there are no weights."""

    def call(self, inputs: Any, memory: Any) -> Any:
        """float[rows, time, units] and the memory → float[rows, time, units]."""
        summary = memory["summary"]
        everywhere = ops.zeros_like(fold(inputs, summary)) + summary[:, None]
        return unfold(everywhere, inputs)


CROSS_ATTENTIONS = {
    "multi-head": MultiHeadAttention,
    "dot": DotAttention,
    "additive": AdditiveAttention,
    "none": NoAttention,
}


def without_padding(encoder_outputs: Any, mask: Any) -> tuple[Any, Any]:
    """float[batch, source, width] with zeros where the mask is False, and the mask itself."""
    if mask is None:
        return encoder_outputs, ops.ones(ops.shape(encoder_outputs)[:2], "bool")
    return ops.where(mask[:, :, None], encoder_outputs, 0), mask


def fold(inputs: Any, memory: Any) -> Any:
    """float[rows, time, units] → float[batch, rows / batch · time, units], with a memory's batch.

    For attention, the rows that share a memory are just more positions.
    """
    batch, rows = ops.shape(memory)[0], ops.shape(inputs)[0]
    time = 1 if len(inputs.shape) == 2 else ops.shape(inputs)[1]
    if (
        len(inputs.shape) == 3
        and isinstance(rows, int)
        and isinstance(batch, int)
        and rows == batch
    ):
        return inputs
    together = time * (rows // ops.maximum(batch, 1))  # the batch may be empty
    return ops.reshape(inputs, (batch, together, inputs.shape[-1]))


def unfold(outputs: Any, inputs: Any) -> Any:
    """Undoes `fold`: the outputs with rows and time of the inputs."""
    return ops.reshape(outputs, (*ops.shape(inputs)[:-1], outputs.shape[-1]))
