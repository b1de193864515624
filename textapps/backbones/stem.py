"""A convolution before the backbone: it sees neighbours together and shortens the sequence."""

from typing import Any

import keras
from keras import ops

KINDS = ("full", "separable", "grid")


@keras.saving.register_keras_serializable("textapps")
class Stem(keras.layers.Layer):
    """One convolution over time, of `kernel` positions every `stride` positions.

    What lies beyond the ends or in the padding counts as zeros, so that padding never changes an
    answer. A backbone behind a stride of 2 has half the steps to run.

    Not causal: output j is centred on input j · `stride`, and the state is (). Causal: it sees
    nothing after input j · `stride`, and cutting a sequence into chunks of any lengths, the state
    passed along, gives the outputs of one call, as the backbone does. The state holds the last
    inputs, and how many inputs there were since the last output, modulo `stride`:

        past   float[batch, kernel - 1, width]
        phase  int32[batch]

    Args:
        units: the width of the outputs; of kind "grid", channels.
        kind: "full" sees all features at once. "separable" sees each feature by itself and then
            all of them at one position (Chollet 2017, section 2). "grid" slides over features as
            over time, at every other feature: ceil(width / 2) · units is the outputs' width.
        causal: see above.
        activation: Keras's name of it.
        normalization: before the activation: "batch", "layer" or "none". The statistics of a
            batch count its padding too, so "batch" is for sequences of one length.
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
        """The outputs for inputs, or for the next chunk of them.

        Args:
            inputs: float[batch, time, width].
            mask: bool[batch, time], padding on the right; None: everything is valid.
            state: None at the start.

        Returns:
            float[batch, steps, outputs_width] of ceil(time / stride) steps; bool[batch, steps],
            which are valid, or None if all are; the new state.
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
        if mask is None and (fresh or stride == 1):  # every row has its outputs at the same places
            phase = (state["phase"] + time) % stride
            outputs = self._convolved(known, training)
            return outputs, None, {"past": known[:, time:], "phase": phase}
        if mask is None:
            mask = ops.ones((rows, time), "bool")
        there = ops.sum(ops.cast(mask, "int32"), axis=1)
        first = -state["phase"] % stride  # the chunk's first input that an output ends at
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

        One row and one output are computed at least: without an output Keras refuses a convolution
        of known shape, and oneDNN gives one of unknown shape that of its inputs.
        """
        rows, time = ops.shape(inputs)[:2]
        steps = _at_least((time - self.kernel) // self.stride + 1, 0)
        some, enough = _at_least(rows, 1), _at_least(time, self.kernel)
        inputs = ops.pad(inputs, ((0, some - rows), (0, enough - time), (0, 0)))
        inputs = ops.reshape(inputs, (some, enough, self.width))  # its static shape was lost
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
        # Training is short: a mean over the last hundred steps or so.
        return keras.layers.BatchNormalization(momentum=0.97, **options)
    return keras.layers.LayerNormalization(epsilon=1e-6, **options) if kind == "layer" else None


def _at_least(size: Any, least: int) -> Any:
    return max(size, least) if isinstance(size, int) else ops.maximum(size, least)


def _from(x: Any, first: Any, size: Any) -> Any:
    """`size` positions of each row from int32[batch] on; beyond the end, the last one again."""
    if isinstance(size, int) and size == 0:  # which Keras cannot take from an empty batch
        return x[:, :0]
    places = ops.minimum(first[:, None] + ops.arange(size)[None, :], ops.shape(x)[1] - 1)
    return ops.take_along_axis(x, places[:, :, None], axis=1)
