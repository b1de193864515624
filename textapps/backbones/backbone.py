"""The backbone: a stateful map over chunks of a sequence."""

from typing import Any

import keras
from keras import ops

from textapps.backbones.block import Block
from textapps.backbones.config import BackboneConfig
from textapps.backbones.registry import mixer_class
from textapps.core.errors import ConfigurationError


@keras.saving.register_keras_serializable("textapps")
class Backbone(keras.layers.Layer):
    """A stack of equal blocks, `outputs, state = backbone(inputs, state, mask, memory)`.

        inputs   float[batch, time, units]     outputs  float[batch, time, units]
        state    one entry a block, every leaf batch-major; zeros = None = start of sequence
        mask     bool[batch, time], padding (False) on the right; None: everything is valid
        memory   what `prepare_memory` made of an encoder's outputs; None without `memory_units`.
                 Its batch may be smaller: then equally many successive rows share one row of it

    The law of a causal backbone: cutting a sequence into chunks of any lengths, zero included, and
    passing the state along gives the same outputs as one call. A masked position leaves the state
    as it was. Outputs at masked positions have no meaning.

    Args:
        config: kind, sizes and options.
        causal: False lets every position see the whole sequence: an RNN reads each way with half
            of the units, the transformer's attention is unmasked. The state is then ().
        memory_units: width of an encoder's outputs; None leaves cross-attention out.

    Raises:
        ConfigurationError: the sizes do not fit together.

    >>> import numpy as np
    >>> backbone = Backbone(BackboneConfig(kind="gru", units=6, layers=2))
    >>> x = np.ones((3, 5, 6), "float32")
    >>> whole, _ = backbone(x)
    >>> first, state = backbone(x[:, :2])
    >>> second, _ = backbone(x[:, 2:], state)
    >>> bool(np.allclose(whole[:, 2:], second, atol=1e-5))
    True
    """

    def __init__(
        self,
        config: BackboneConfig,
        *,
        causal: bool = True,
        memory_units: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        mixer_class(config.kind).check(config, causal)
        many_heads = memory_units is not None and config.attention == "multi-head"
        if many_heads and config.units % config.heads:
            raise ConfigurationError(
                f"backbone.units {config.units} must be a multiple of heads ({config.heads})"
            )
        self.blocks = [
            Block(config, causal, memory_units, dtype=self.dtype_policy, name=f"block_{index}")
            for index in range(config.layers)
        ]
        self.norm = None
        if config.normalization == "layer":
            self.norm = keras.layers.LayerNormalization(
                epsilon=1e-6, dtype=self.dtype_policy, name="norm"
            )
        self.config = config
        self.causal = causal
        self.memory_units = memory_units
        self.supports_masking = True

    def build(self, inputs_shape: Any) -> None:
        """Creates all weights.

        Raises:
            ValueError: the inputs are not `units` wide.
        """
        if inputs_shape[-1] != self.config.units:
            raise ValueError(
                f"the backbone takes inputs {self.config.units} wide, not {inputs_shape[-1]}"
            )
        for block in self.blocks:
            block.build(inputs_shape)
        if self.norm is not None:
            self.norm.build(inputs_shape)
        self.built = True

    def call(
        self,
        inputs: Any,
        state: Any = None,
        mask: Any = None,
        memory: Any = None,
        training: bool | None = None,
    ) -> tuple[Any, Any]:
        """See the class."""
        if self.causal and state and mask is None and not training and inputs.shape[1] == 1:
            return self._step(inputs, state, memory)
        x, states = inputs, []
        for index, block in enumerate(self.blocks):
            x, block_state = block(
                x,
                state=state[index] if state else None,
                mask=mask,
                memory=memory[index] if memory else None,
                training=training,
            )
            states.append(block_state)
        outputs = x if self.norm is None else self.norm(x)
        return outputs, tuple(states) if self.causal else ()

    def _step(self, inputs: Any, state: Any, memory: Any) -> tuple[Any, Any]:
        """As `call`, for one position."""
        x, states, tables = inputs[:, 0], [], self.blocks[0].mixer.tables(state[0])
        for index, block in enumerate(self.blocks):
            part = memory[index] if memory else None
            x, block_state = block.step(x, state[index], part, tables)
            states.append(block_state)
        outputs = x if self.norm is None else self.norm(x)
        return outputs[:, None], tuple(states)

    @property
    def compiled_from(self) -> int:
        """The number of decoding steps from which compiling the loop with XLA saves time."""
        return mixer_class(self.config.kind).compiled_from

    def initial_state(self, batch: Any) -> Any:
        """The state at the start of `batch` sequences: zeros, () when not causal."""
        if not self.causal:
            return ()
        return tuple(block.mixer.initial_state(batch) for block in self.blocks)

    def search_state(self, batch: Any, beams: int, room: int | None = None) -> Any:
        """The state at the start of `batch` searches, each with up to `beams` rows.

        With `room` for a number of positions, each has `beams` rows from the start, and all arrays
        keep their sizes, as XLA needs it.

        A search reads one position at a time, without padding. Between two positions `reorder` may
        replace its rows by others of the same search, equally many for each search.
        """
        return tuple(block.mixer.search_state(batch, beams, room) for block in self.blocks)

    def reorder(self, state: Any, rows: Any) -> Any:
        """The state of a search whose row i goes on from what row int32[rows][i] has read."""
        blocks = zip(self.blocks, state, strict=True)
        return tuple(block.mixer.reorder(each, rows) for block, each in blocks)

    def begin_decode(self, state: Any, room: int) -> Any:
        """The state for at most `room` calls of one position each, without padding.

        It makes decoding loops faster. After the loop, `end_decode` turns it back.
        """
        blocks = zip(self.blocks, state, strict=True)
        return tuple(block.mixer.begin_decode(each, room) for block, each in blocks)

    def end_decode(self, state: Any) -> Any:
        """The state that any call takes, from one that `begin_decode` made."""
        blocks = zip(self.blocks, state, strict=True)
        return tuple(block.mixer.end_decode(each) for block, each in blocks)

    def prepare_memory(self, encoder_outputs: Any, mask: Any = None) -> Any:
        """Projects an encoder's outputs, once, to what every decoding step reads.

        Args:
            encoder_outputs: float[batch, source, memory_units].
            mask: bool[batch, source]; None: everything is valid.

        Returns:
            A dict of batch-major tensors for each block, see the classes in `cross_attention`;
            None without `memory_units`.
        """
        if self.memory_units is None:
            return None
        return tuple(
            block.cross_attention.prepare_memory(encoder_outputs, mask) for block in self.blocks
        )

    def attention_weights(
        self, inputs: Any, state: Any = None, mask: Any = None, memory: Any = None, block: int = -1
    ) -> Any:
        """The attention of one block to the memory, as the mean of its heads.

        Args:
            inputs: as `state`, `mask` and `memory`, see `call`; here with one row of memory for
                each row.
            block: its index, from the end if negative.

        Returns:
            float32[batch, time, source]; None for attention "none".
        """
        x, chosen = ops.cast(inputs, self.compute_dtype), self.blocks[block]
        for index, each in enumerate(self.blocks):
            part = {"state": state[index] if state else None, "memory": memory[index]}
            if each is chosen:
                break
            x, _ = each(x, mask=mask, **part)
        weights = chosen.attention_weights(x, mask=mask, **part)
        return None if weights is None else ops.mean(weights, axis=1)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {
            **super().get_config(),
            "config": self.config.model_dump(),
            "causal": self.causal,
            "memory_units": self.memory_units,
        }

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> "Backbone":
        """The backbone whose `get_config` this is."""
        return cls(**{**config, "config": BackboneConfig(**config["config"])})
