"""A convolution before the backbone: it combines neighbours and shortens the sequence."""

from typing import Any

import keras
from keras import ops

KINDS = ("full", "separable", "grid")


@keras.saving.register_keras_serializable("textapps")
class Stem(keras.layers.Layer):
    """One convolution over time, of `kernel` positions every `stride` positions.

    Padding and positions beyond the ends count as zeros, so padding never changes an output. A
    backbone behind a stride of 2 has half as many steps to run.

    Not causal: output j is centred on input j · `stride`, and the state is (). Causal: output j
    sees nothing after input j · `stride`, and the law of the backbone holds: chunks of any lengths
    give the outputs of one call. The state holds the last inputs, and the number of inputs since
    the last output modulo `stride`:

        past   float[batch, kernel - 1, width]
        phase  int32[batch]

    Args:
        units: the width of the outputs; for kind "grid", the number of channels.
        kind: "full" sees all features at once. "separable" convolves each feature by itself, then
            combines the features of each position (Chollet 2017, section 2). "grid" also slides
            over the features, with a stride of 2; its outputs are ceil(width / 2) · units wide.
        causal: see above.
        activation: its name in Keras.
        normalization: before the activation: "batch", "layer" or "none". Batch statistics include
            the padding, so "batch" is for sequences of one length.
    """

    def __init__(
        self,
        units: int,
        kernel: int,
        stride: int,
        *,
        kind: str = "full",
        causal: bool = False,
        activation: str = "gelu",
        normalization: str = "none",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        policy = self.dtype_policy
        plain = normalization == "none"
        options: dict[str, Any] = {"use_bias": plain, "dtype": policy, "name": "convolution"}
        options["activation"] = activation if plain else None
        if kind == "grid":
            self.convolution = keras.layers.Conv2D(units, kernel, (stride, 2), **options)
        elif kind == "separable":
            self.convolution = keras.layers.SeparableConv1D(units, kernel, stride, **options)
        else:
            self.convolution = keras.layers.Conv1D(units, kernel, stride, **options)
        self.norm = _normalization(normalization, dtype=policy, name="norm")
        self.activate = keras.layers.Activation(activation, dtype=policy, name="activation")
        self.units = units
        self.kernel = kernel
        self.stride = stride
        self.kind = kind
        self.causal = causal
        self.activation = activation
        self.normalization = normalization
        self.width: int = 0  # of the inputs, known when built
        self.supports_masking = True

    @property
    def outputs_width(self) -> int:
        """Features of an output."""
        return self.units * -(-self.width // 2) if self.kind == "grid" else self.units

    def build(self, inputs_shape: Any) -> None:
        """Creates the kernel."""
        self.width = inputs_shape[-1]
        grid = self.kind == "grid"
        self.convolution.build((None, None, None, 1) if grid else inputs_shape)
        if self.norm is not None:
            self.norm.build((None, None, None, self.units) if grid else (None, None, self.units))
        self.built = True

    def initial_state(self, batch: Any) -> Any:
        """The state at the start of `batch` sequences: zeros, () when not causal."""
        if not self.causal:
            return ()
        past = ops.zeros((batch, self.kernel - 1, self.width), self.compute_dtype)
        return {"past": past, "phase": ops.zeros((batch,), "int32")}

    def call(
        self, inputs: Any, mask: Any = None, state: Any = None, training: bool | None = None
    ) -> tuple[Any, Any, Any]:
        """The outputs for a sequence, or for its next chunk.

        Args:
            inputs: float[batch, time, width].
            mask: bool[batch, time], padding on the right; None: everything is valid.
            state: None at the start.

        Returns:
            float[batch, steps, outputs_width] with ceil(time / stride) steps; bool[batch, steps],
            which of them are valid, or None if all are; the new state.
        """
        time = ops.shape(inputs)[1]
        if mask is not None:
            inputs = ops.where(mask[:, :, None], inputs, 0)
        if self.causal:
            return self._causal(inputs, mask, state, training)
        steps = -(-time // self.stride)
        before = (self.kernel - 1) // 2
        after = self.kernel - 1 - before + self.stride - 1
        outputs = self._convolved(ops.pad(inputs, ((0, 0), (before, after), (0, 0))), training)
        return outputs[:, :steps], None if mask is None else mask[:, :: self.stride], ()

    def _causal(
        self, inputs: Any, mask: Any, state: Any, training: bool | None
    ) -> tuple[Any, Any, Any]:
        rows, time = ops.shape(inputs)[:2]
        past, stride = self.kernel - 1, self.stride
        fresh = state is None
        state = self.initial_state(rows) if fresh else state
        known = ops.concatenate([state["past"], inputs], axis=1)
        if mask is None and (fresh or stride == 1):  # all rows have outputs at the same positions
            phase = (state["phase"] + time) % stride
            outputs = self._convolved(known, training)
            return outputs, None, {"past": known[:, time:], "phase": phase}
        if mask is None:
            mask = ops.ones((rows, time), "bool")
        there = ops.sum(ops.cast(mask, "int32"), axis=1)
        first = -state["phase"] % stride  # the first input of the chunk at which an output ends
        aligned = known if fresh else _from(known, first, past + time)
        outputs = self._convolved(aligned, training)
        count = (there - first + stride - 1) // stride
        new = {
            "past": _from(known, there, past),
            "phase": ops.cast((state["phase"] + there) % stride, "int32"),
        }
        return outputs, ops.arange(ops.shape(outputs)[1])[None, :] < count[:, None], new

    def _convolved(self, inputs: Any, training: bool | None) -> Any:
        """float[batch, any, width] → float[batch, steps, outputs_width], without padding.

        At least one row and one output are computed. Without an output, Keras refuses a
        convolution of known shape, and oneDNN gives the result the shape of the inputs.
        """
        rows, time = ops.shape(inputs)[:2]
        steps = _at_least((time - self.kernel) // self.stride + 1, 0)
        some, enough = _at_least(rows, 1), _at_least(time, self.kernel)
        inputs = ops.pad(inputs, ((0, some - rows), (0, enough - time), (0, 0)))
        inputs = ops.reshape(inputs, (some, enough, self.width))  # `pad` has lost its static shape
        if self.kind == "grid":
            before = (self.kernel - 1) // 2
            after = self.kernel - 1 - before
            x = ops.pad(inputs, ((0, 0), (0, 0), (before, after)))[..., None]
        else:
            x = inputs
        x = self.convolution(x)
        if self.norm is not None:
            x = self.activate(self.norm(x, training=training))
        if self.kind == "grid":
            x = ops.reshape(x, (*ops.shape(x)[:2], self.outputs_width))
        return x[:rows, :steps]

    def compute_mask(self, inputs: Any, previous_mask: Any) -> None:
        """The mask is one of the outputs."""

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {
            **super().get_config(),
            "units": self.units,
            "kernel": self.kernel,
            "stride": self.stride,
            "kind": self.kind,
            "causal": self.causal,
            "activation": self.activation,
            "normalization": self.normalization,
        }


def _normalization(kind: str, **options: Any) -> Any:
    if kind == "batch":
        # A mean over about the last hundred steps, because training is short.
        return keras.layers.BatchNormalization(momentum=0.97, **options)
    return keras.layers.LayerNormalization(epsilon=1e-6, **options) if kind == "layer" else None


def _at_least(size: Any, least: int) -> Any:
    return max(size, least) if isinstance(size, int) else ops.maximum(size, least)


def _from(x: Any, first: Any, size: Any) -> Any:
    """`size` positions of each row from int32[batch] on; beyond the end, the last one repeated."""
    if isinstance(size, int) and size == 0:  # which Keras cannot take from an empty batch
        return x[:, :0]
    places = ops.minimum(first[:, None] + ops.arange(size)[None, :], ops.shape(x)[1] - 1)
    return ops.take_along_axis(x, places[:, :, None], axis=1)
