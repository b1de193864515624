"""A convolution before the backbone: it sees neighbours together and shortens the sequence."""

from typing import Any

import keras
from keras import ops


@keras.saving.register_keras_serializable("textapps")
class Stem(keras.layers.Layer):
    """One convolution over time, of `kernel` positions every `stride` positions, then gelu.

    Output j is centred on input j · `stride`; what lies beyond the ends or in the padding counts
    as zeros, so that padding never changes an answer. A backbone behind a stride of 2 has half
    the steps to run.
    """

    def __init__(self, units: int, kernel: int, stride: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.convolution = keras.layers.Conv1D(
            units, kernel, stride, activation="gelu", dtype=self.dtype_policy, name="convolution"
        )
        self.units = units
        self.kernel = kernel
        self.stride = stride
        self.supports_masking = True

    def build(self, inputs_shape: Any) -> None:
        """Creates the kernel."""
        self.convolution.build(inputs_shape)
        self.built = True

    def call(self, inputs: Any, mask: Any) -> tuple[Any, Any]:
        """float[batch, time, width], bool[batch, time] → the same of ceil(time / stride) steps."""
        before = (self.kernel - 1) // 2
        after = self.kernel - 1 - before + self.stride - 1
        inputs = ops.where(mask[:, :, None], inputs, 0)
        outputs = self.convolution(ops.pad(inputs, ((0, 0), (before, after), (0, 0))))
        mask = mask[:, :: self.stride]
        return outputs[:, : ops.shape(mask)[1]], mask

    def compute_mask(self, inputs: Any, previous_mask: Any) -> None:
        """The mask is one of the outputs."""

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {
            **super().get_config(),
            "units": self.units,
            "kernel": self.kernel,
            "stride": self.stride,
        }
