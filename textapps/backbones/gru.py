"""The mixer of the backbone gru."""

from collections.abc import Callable
from typing import Any, ClassVar

import keras
import tensorflow as tf

from textapps.backbones.recurrence import Derivative, Tensors
from textapps.backbones.recurrent import RecurrentMixer


@keras.saving.register_keras_serializable("textapps")
class GRU(RecurrentMixer):
    """The gated recurrent unit (Cho et al. 2014), with the reset gate after the matrix product.

    That is the form which Keras and cuDNN compute:

        z = σ(x Wz + h Uz + bz)      r = σ(x Wr + h Ur + br)
        h' = z h + (1 - z) tanh(x Wh + bh + r (h Uh + ch))
    """

    options: ClassVar = (*RecurrentMixer.options, "recurrent_activation")

    def make_layer(self, units: int, **options: Any) -> Any:
        """See `RecurrentMixer`."""
        return keras.layers.GRU(units, **options)

    def make_steps(self, activation: Any, derivative: Derivative) -> "GRUSteps":
        """See `RecurrentMixer`."""
        return GRUSteps(activation, derivative)


class GRUSteps:
    """z, r, g from both; h' = z h + (1 - z) tanh(g of inputs + r (g of products))."""

    kept: tuple[int, ...] = (1, 1, 1, 1, 1)
    shared = False
    scales: tuple[float, ...] = (1.0, 1.0, 1.0)

    def __init__(self, activation: Callable[[Any], Any], derivative: Derivative) -> None:
        self.activation = activation
        self.derivative = derivative

    def forward(self, inputs: Any, products: Any, state: Tensors) -> tuple[Tensors, Tensors]:
        """See `Steps`."""
        (h,) = state
        z, r, g = tf.split(inputs, 3, axis=1)
        z_past, r_past, past = tf.split(products, 3, axis=1)
        z, r = tf.sigmoid(z + z_past), tf.sigmoid(r + r_past)
        candidate = self.activation(g + r * past)
        difference = h - candidate
        return (candidate + z * difference,), (z, r, past, candidate, difference)

    def backward(self, gradients: Tensors, kept: Tensors) -> tuple[Any, Any, Tensors]:
        """See `Steps`."""
        (dh,) = gradients
        z, r, past, candidate, difference = kept
        kept_part = dh * z
        d_candidate = self.derivative(candidate, dh - kept_part)
        dz = tf.raw_ops.SigmoidGrad(y=z, dy=dh * difference)
        dr = tf.raw_ops.SigmoidGrad(y=r, dy=d_candidate * past)
        d_inputs = tf.concat([dz, dr, d_candidate], axis=1)
        d_products = tf.concat([dz, dr, d_candidate * r], axis=1)
        return d_inputs, d_products, (kept_part,)
