"""Recurrent cells of Keras as mixers: what simple_rnn, jordan, lstm and gru share."""

from collections.abc import Callable
from typing import Any, ClassVar

import keras
import tensorflow as tf
from keras import ops

from textapps.backbones.config import BackboneConfig
from textapps.backbones.mixer import Mixer
from textapps.backbones.recurrence import DERIVATIVES, Derivative, Output, Steps, recur
from textapps.core.errors import ConfigurationError


class RecurrentMixer(Mixer):
    """A recurrent cell run over chunks; a subclass says which cell, in `make_layer`.

    Causal: one cell of `units`; the state is float[batch, units] for each of `leaves`. Not causal:
    two cells of `units` / 2, one for each direction. Keras's cells hold the weights. A sequence
    runs through them by Keras's loop, so that exports hold stock operations only, and in training
    by `recur`, whose numbers are the same and whose gradients take less time in most sizes.

    Recurrent dropout leaves out weights, not features (Merity et al. 2018, section 2): the same
    ones at all positions of a training step.
    """

    options: ClassVar[tuple[str, ...]] = ("activation", "recurrent_dropout")
    leaves: ClassVar[tuple[str, ...]] = ("h",)

    def __init__(
        self,
        units: int,
        causal: bool = True,
        activation: str | None = None,
        recurrent_activation: str | None = None,
        recurrent_dropout: float = 0.0,
        **kwargs: Any,
    ) -> None:
        super().__init__(units, causal, **kwargs)
        self.activation = activation
        self.recurrent_activation = recurrent_activation
        width = units if causal else units // 2
        self.forward = self._layer(width, "forward")
        self.backward: Any = None if causal else self._layer(width, "backward")
        derivative = DERIVATIVES.get(activation or "tanh")
        known = derivative is not None and (recurrent_activation or "sigmoid") == "sigmoid"
        self._steps: Steps | None = None
        if derivative is not None and known and self.compute_dtype == "float32":
            self._steps = self.make_steps(keras.activations.get(activation or "tanh"), derivative)
        if recurrent_dropout and self._steps is None:
            raise ConfigurationError(
                "backbone.recurrent_dropout needs full precision, one of the activations "
                f"{', '.join(DERIVATIVES)}, and sigmoid gates"
            )
        self.recurrent_dropout = recurrent_dropout
        self.dropout = keras.layers.Dropout(recurrent_dropout, name="recurrent_dropout")

    @classmethod
    def check(cls, config: BackboneConfig, causal: bool) -> None:
        """See `Mixer`."""
        if not causal and config.units % 2:
            raise ConfigurationError(
                f"backbone.units {config.units} must be even, because a {config.kind} that reads "
                "both ways spends half of them on each"
            )

    def make_layer(self, units: int, **options: Any) -> Any:
        """The recurrent layer of Keras whose `cell` has the weights."""
        raise NotImplementedError

    def make_steps(self, activation: Callable[[Any], Any], derivative: Derivative) -> Steps:
        """The same cell for `recur`, with this activation and its derivative."""
        raise NotImplementedError

    def output_layer(self, cell: Any) -> Output | None:
        """The layer of `cell` whose output is fed back, for `recur`; None for none."""
        return None

    def run(
        self,
        layer: Any,
        inputs: Any,
        initial: list[Any] | None = None,
        mask: Any = None,
        training: bool | None = None,
    ) -> tuple[Any, list[Any]]:
        """Runs a sequence through the cell of `layer`, first position first.

        Args:
            inputs: float[batch, time, width], at least one position.
            initial: float[batch, units] of each leaf; None for zeros.
            mask: bool[batch, time], at masked positions the state stays; None: all are valid.

        Returns:
            The outputs float[batch, time, units] and what each leaf is at the end.
        """
        if training and self._steps is not None:
            return self._recur(self._steps, layer.cell, inputs, initial, mask)
        outputs, *last = layer(inputs, initial_state=initial, mask=mask)
        return outputs, last

    def build(self, inputs_shape: Any) -> None:
        """Creates the weights of the cells."""
        self.forward.build(inputs_shape)
        if self.backward is not None:
            self.backward.build(inputs_shape)
        self.built = True

    def call(
        self, inputs: Any, state: Any = None, mask: Any = None, training: bool | None = None
    ) -> tuple[Any, Any]:
        """float[batch, time, width], state, bool[batch, time] → outputs, new state.

        Outputs at masked positions have no meaning.
        """
        guard = inputs.shape[1] is None or inputs.shape[1] == 0
        if guard:  # Keras's loops fail on zero steps: add a masked one, and cut off its output
            batch, time = ops.shape(inputs)[:2]
            if mask is None and self.causal:
                mask = ops.ones((batch, time), "bool")
            inputs = ops.pad(inputs, ((0, 0), (0, 1), (0, 0)))
            mask = None if mask is None else ops.pad(mask, ((0, 0), (0, 1)))
        outputs, new_state = (
            self._causal(inputs, state, mask, training)
            if self.causal
            else (self._both_ways(inputs, mask, guard, training), ())
        )
        return (outputs[:, :-1] if guard else outputs), new_state

    def step(self, inputs: Any, state: Any, tables: Any) -> tuple[Any, Any]:
        """See `Mixer`."""
        outputs, last = self.forward.cell(inputs, [state[leaf] for leaf in self.leaves])
        return outputs, dict(zip(self.leaves, last, strict=True))

    def _layer(self, units: int, name: str) -> Any:
        options: dict[str, Any] = {"return_sequences": True, "return_state": True}
        if "recurrent_activation" in self.options:
            options["recurrent_activation"] = self.recurrent_activation or "sigmoid"
            # TensorFlow chooses cuDNN when it traces the graph: an export made on a machine with
            # a GPU would not load on one without.
            options["use_cudnn"] = False
        options |= {"activation": self.activation or "tanh", "dtype": self.dtype_policy}
        return self.make_layer(units, **options, name=name)

    def _causal(
        self, inputs: Any, state: Any, mask: Any, training: bool | None
    ) -> tuple[Any, dict[str, Any]]:
        if state is None:
            state = self.initial_state(ops.shape(inputs)[0])
        initial = [state[leaf] for leaf in self.leaves]
        outputs, last = self.run(self.forward, inputs, initial, mask, training)
        return outputs, dict(zip(self.leaves, last, strict=True))

    def _recur(
        self, steps: Steps, cell: Any, inputs: Any, initial: list[Any] | None, mask: Any
    ) -> tuple[Any, list[Any]]:
        """As `run`, by `recur`, with all inputs times the kernel in one product."""
        batch = ops.shape(inputs)[0]
        if initial is None:
            initial = [ops.zeros((batch, cell.units)) for _ in self.leaves]
        bias = tf.convert_to_tensor(cell.bias)  # of the GRU one for each kernel
        bias, recurrent_bias = (bias, None) if len(bias.shape) == 1 else (bias[0], bias[1])
        kernel, recurrent_kernel = map(tf.convert_to_tensor, (cell.kernel, cell.recurrent_kernel))
        if set(steps.scales) != {1.0}:  # only of cells without a bias of their own for products
            scales = tf.repeat(steps.scales, cell.units)
            kernel, recurrent_kernel, bias = (x * scales for x in (kernel, recurrent_kernel, bias))
        rows = ops.reshape(ops.transpose(inputs, (1, 0, 2)), (-1, inputs.shape[2]))
        rows = tf.nn.bias_add(ops.matmul(rows, kernel), bias)
        outputs, last = recur(
            steps,
            ops.reshape(rows, (-1, batch, rows.shape[1])),
            self.dropout(recurrent_kernel, training=True),
            recurrent_bias,
            tuple(initial),
            None if mask is None else ops.transpose(mask)[:, :, None],
            self.output_layer(cell),
        )
        return ops.transpose(outputs, (1, 0, 2)), list(last)

    def _both_ways(self, inputs: Any, mask: Any, guarded: bool, training: bool | None) -> Any:
        """Needs no mask in the loops, because nothing reads what they make of the padding."""
        batch, time = ops.shape(inputs)[:2]
        positions = ops.arange(time)[None, :]
        if mask is None:
            length = ops.reshape(time - 1 if guarded else time, (1, 1))
        else:
            length = ops.sum(ops.cast(mask, "int32"), axis=1, keepdims=True)
        # Reverses the valid part of each row and leaves the padding in place; its own inverse.
        turn = ops.where(positions < length, length - 1 - positions, positions)
        rows = turn + time * ops.arange(batch)[:, None]
        ahead, _ = self.run(self.forward, inputs, training=training)
        back, _ = self.run(self.backward, _rows(inputs, rows), training=training)
        return ops.concatenate([ahead, _rows(back, rows)], axis=-1)


def _rows(x: Any, rows: Any) -> Any:
    """Positions of float[batch, time, width] by their numbers int32[batch, time] in the whole.

    Takes whole rows: the gradient of `take_along_axis` goes element by element and takes three
    times as long.
    """
    return ops.take(ops.reshape(x, (-1, x.shape[-1])), rows, axis=0)
