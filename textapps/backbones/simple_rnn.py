"""The mixer of the backbone simple_rnn."""

from collections.abc import Callable
from typing import Any

import keras

from textapps.backbones.recurrence import Derivative, Tensors
from textapps.backbones.recurrent import RecurrentMixer


@keras.saving.register_keras_serializable("textapps")
class SimpleRNN(RecurrentMixer):
    """The simple recurrent network (Elman 1990): h' = tanh(x W + h U + b)."""

    def make_layer(self, units: int, **options: Any) -> Any:
        """See `RecurrentMixer`."""
        return keras.layers.SimpleRNN(units, **options)

    def make_steps(self, activation: Any, derivative: Derivative) -> "SimpleRNNSteps":
        """See `RecurrentMixer`."""
        return SimpleRNNSteps(activation, derivative)


class SimpleRNNSteps:
    """h' = f(inputs + products)."""

    kept: tuple[int, ...] = (1,)
    shared = True
    scales: tuple[float, ...] = (1.0,)

    def __init__(self, activation: Callable[[Any], Any], derivative: Derivative) -> None:
        self.activation = activation
        self.derivative = derivative

    def forward(self, inputs: Any, products: Any, state: Tensors) -> tuple[Tensors, Tensors]:
        """See `Steps`."""
        h = self.activation(inputs + products)
        return (h,), (h,)

    def backward(self, gradients: Tensors, kept: Tensors) -> tuple[Any, Any, Tensors]:
        """See `Steps`."""
        d = self.derivative(kept[0], gradients[0])
        return d, d, (None,)
