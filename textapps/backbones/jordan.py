"""The mixer of the backbone jordan."""

from typing import Any, ClassVar

import keras
import tensorflow as tf
from keras import ops

from textapps.backbones.recurrence import DERIVATIVES, Output
from textapps.backbones.simple_rnn import SimpleRNN


@keras.saving.register_keras_serializable("textapps")
class Jordan(SimpleRNN):
    """The recurrent network of Jordan 1986: its output is fed back, not its hidden layer.

    h = f(x W + y U + b)        y' = f(h V + c)

    The state is the output of the position before, y; the outputs are y'. There are no weights
    from an old hidden layer to a new one: what the output does not show is forgotten. The hidden
    layer is as wide as the output. docs/decisions/2026-11-29-jordan.md has the reasons.
    """

    leaves: ClassVar = ("y",)

    def make_layer(self, units: int, **options: Any) -> Any:
        """See `RecurrentMixer`."""
        shared = {name: options[name] for name in ("activation", "dtype")}
        cell = JordanCell(units, **shared, name="jordan_cell")
        del options["activation"]
        return keras.layers.RNN(cell, **options)

    def output_layer(self, cell: Any) -> Output:
        """See `RecurrentMixer`."""
        return Output(
            kernel=tf.convert_to_tensor(cell.output_kernel),
            bias=tf.convert_to_tensor(cell.output_bias),
            activation=cell.activation,
            derivative=DERIVATIVES[self.activation or "tanh"],
        )


class JordanCell(keras.layers.SimpleRNNCell):
    """Keras's simple cell, which reads the last output, with an output layer behind it."""

    def build(self, input_shape: Any) -> None:
        """Creates the weights."""
        super().build(input_shape)
        # On the way back through time a gradient passes U and V: both are orthogonal at the start,
        # and so is their product, as the one matrix of Keras's simple cell is.
        self.output_kernel = self.add_weight(
            shape=(self.units, self.units), initializer="orthogonal", name="output_kernel"
        )
        self.output_bias = self.add_weight(
            shape=(self.units,), initializer="zeros", name="output_bias"
        )

    def call(self, sequence: Any, states: Any, training: bool = False) -> tuple[Any, list[Any]]:
        """float[batch, width], [float[batch, units]] → the output float[batch, units], twice."""
        h, _ = super().call(sequence, states, training)
        y = self.activation(ops.matmul(h, self.output_kernel) + self.output_bias)
        return y, [y]
