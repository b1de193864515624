"""The mixer of the backbone lstm."""

from collections.abc import Callable
from typing import Any, ClassVar

import keras
import tensorflow as tf

from textapps.backbones.recurrence import Derivative, Tensors
from textapps.backbones.recurrent import RecurrentMixer


@keras.saving.register_keras_serializable("textapps")
class LSTM(RecurrentMixer):
    """Long short-term memory (Hochreiter and Schmidhuber 1997; forget gate: Gers et al. 2000).

    i, f, g, o = split(x W + h U + b)
    c' = σ(f) c + σ(i) tanh(g)        h' = σ(o) tanh(c')
    """

    options: ClassVar = (*RecurrentMixer.options, "recurrent_activation")
    leaves: ClassVar = ("h", "c")

    def make_layer(self, units: int, **options: Any) -> Any:
        """See `RecurrentMixer`."""
        return keras.layers.LSTM(units, **options)

    def make_steps(self, activation: Any, derivative: Derivative) -> "LSTMSteps":
        """See `RecurrentMixer`."""
        steps = TanhLSTMSteps if (self.activation or "tanh") == "tanh" else LSTMSteps
        return steps(activation, derivative)


class LSTMSteps:
    """i, f, g, o = inputs + products; c' = σ(f) c + σ(i) tanh(g); h' = σ(o) tanh(c')."""

    kept: tuple[int, ...] = (1, 1, 1, 1, 1, 1)
    shared = True
    scales: tuple[float, ...] = (1.0, 1.0, 1.0, 1.0)

    def __init__(self, activation: Callable[[Any], Any], derivative: Derivative) -> None:
        self.activation = activation
        self.derivative = derivative

    def forward(self, inputs: Any, products: Any, state: Tensors) -> tuple[Tensors, Tensors]:
        """See `Steps`."""
        _, c = state
        gates = inputs + products
        i, f, g, o = tf.split(gates, 4, axis=1)
        i, f, g, o = tf.sigmoid(i), tf.sigmoid(f), self.activation(g), tf.sigmoid(o)
        new = f * c + i * g
        shown = self.activation(new)
        return (o * shown, new), (i, f, g, o, c, shown)

    def backward(self, gradients: Tensors, kept: Tensors) -> tuple[Any, Any, Tensors]:
        """See `Steps`."""
        dh, dc = gradients
        i, f, g, o, c, shown = kept
        dc = dc + self.derivative(shown, dh * o)
        d = tf.concat(
            [
                tf.raw_ops.SigmoidGrad(y=i, dy=dc * g),
                tf.raw_ops.SigmoidGrad(y=f, dy=dc * c),
                self.derivative(g, dc * i),
                tf.raw_ops.SigmoidGrad(y=o, dy=dh * shown),
            ],
            axis=1,
        )
        return d, d, (None, dc * f)


class TanhLSTMSteps(LSTMSteps):
    """The same for tanh: with tanh(g) = 2 σ(2 g) - 1, all gates are one sigmoid of one tensor."""

    kept: tuple[int, ...] = (4, 1, 1)
    scales: tuple[float, ...] = (1.0, 1.0, 2.0, 1.0)

    def forward(self, inputs: Any, products: Any, state: Tensors) -> tuple[Tensors, Tensors]:
        """See `Steps`."""
        _, c = state
        gates = tf.sigmoid(inputs + products)
        i, f, g, o = tf.split(gates, 4, axis=1)
        new = f * c + i * (g + g - 1)
        shown = tf.tanh(new)
        return (o * shown, new), (gates, c, shown)

    def backward(self, gradients: Tensors, kept: Tensors) -> tuple[Any, Any, Tensors]:
        """See `Steps`."""
        dh, dc = gradients
        gates, c, shown = kept
        i, f, g, o = tf.split(gates, 4, axis=1)
        dc = dc + tf.raw_ops.TanhGrad(y=shown, dy=dh * o)
        d = tf.concat([dc * (g + g - 1), dc * c, dc * (i + i), dh * shown], axis=1)
        d = tf.raw_ops.SigmoidGrad(y=gates, dy=d)
        return d, d, (None, dc * f)
