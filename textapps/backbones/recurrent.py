"""Keras's recurrent layers as stateful maps over chunks."""

from typing import Any

import keras
from keras import ops

LAYERS = {
    "simple_rnn": (keras.layers.SimpleRNN, ("h",)),
    "lstm": (keras.layers.LSTM, ("h", "c")),
    "gru": (keras.layers.GRU, ("h",)),
}


@keras.saving.register_keras_serializable("textapps")
class RecurrentMixer(keras.layers.Layer):
    """SimpleRNN (Elman 1990), LSTM (Hochreiter and Schmidhuber 1997) or GRU (Cho et al. 2014).

    Causal: one layer of `units`; the state is {"h": float[batch, units]} and for the LSTM also
    "c". Not causal: two layers of `units` / 2, one reading each way; the state is ().
    """

    def __init__(
        self,
        kind: str,
        units: int,
        causal: bool = True,
        activation: str | None = None,
        recurrent_activation: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        layer, self.leaves = LAYERS[kind]
        options: dict[str, Any] = {"return_sequences": True, "return_state": True}
        if kind != "simple_rnn":
            # cuDNN is chosen when the graph is traced: an export made on a GPU machine would
            # then not load on a machine without one.
            options["use_cudnn"] = False
            options["recurrent_activation"] = recurrent_activation or "sigmoid"
        options |= {"activation": activation or "tanh", "dtype": self.dtype_policy}
        width = units if causal else units // 2
        self.forward = layer(width, **options, name="forward")
        self.backward: Any = None if causal else layer(width, **options, name="backward")
        self.kind = kind
        self.units = units
        self.causal = causal
        self.activation = activation
        self.recurrent_activation = recurrent_activation
        self.supports_masking = True

    def build(self, inputs_shape: Any) -> None:
        """Creates the weights of the cells."""
        self.forward.build(inputs_shape)
        if self.backward is not None:
            self.backward.build(inputs_shape)
        self.built = True

    def begin_decode(self, state: Any, room: Any) -> Any:
        """The same: what a step changes is all there is."""
        return state

    def end_decode(self, state: Any) -> Any:
        """The same."""
        return state

    def search_state(self, batch: Any, beams: int) -> Any:
        """The same as that at the start of sequences."""
        return self.initial_state(batch)

    def reorder(self, state: Any, rows: Any) -> Any:
        """The state in which row i is what row int32[rows][i] was."""
        return {name: ops.take(leaf, rows, axis=0) for name, leaf in state.items()}

    def initial_state(self, batch: Any) -> Any:
        """The state at the start of `batch` sequences: zeros."""
        if not self.causal:
            return ()
        return {leaf: ops.zeros((batch, self.units), self.compute_dtype) for leaf in self.leaves}

    def call(self, inputs: Any, state: Any = None, mask: Any = None) -> tuple[Any, Any]:
        """float[batch, time, width], state, bool[batch, time] → outputs, new state.

        Outputs at masked positions mean nothing.
        """
        guard = inputs.shape[1] is None or inputs.shape[1] == 0
        if guard:  # Keras's loops fail on zero steps: one masked step more, and its output cut off
            batch, time = ops.shape(inputs)[:2]
            if mask is None and self.causal:
                mask = ops.ones((batch, time), "bool")
            inputs = ops.pad(inputs, ((0, 0), (0, 1), (0, 0)))
            mask = None if mask is None else ops.pad(mask, ((0, 0), (0, 1)))
        outputs, new_state = (
            self._causal(inputs, state, mask)
            if self.causal
            else (self._both_ways(inputs, mask, guard), ())
        )
        return (outputs[:, :-1] if guard else outputs), new_state

    def _causal(self, inputs: Any, state: Any, mask: Any) -> tuple[Any, dict[str, Any]]:
        if state is None:
            state = self.initial_state(ops.shape(inputs)[0])
        initial = [state[leaf] for leaf in self.leaves]
        if inputs.shape[1] == 1 and mask is None:  # without the loop that decoding would pay for
            outputs, last = self.forward.cell(inputs[:, 0], initial)
            return outputs[:, None], dict(zip(self.leaves, last, strict=True))
        outputs, *last = self.forward(inputs, initial_state=initial, mask=mask)
        return outputs, dict(zip(self.leaves, last, strict=True))

    def _both_ways(self, inputs: Any, mask: Any, guarded: bool) -> Any:
        """Needs no mask inside the loops: what runs into the padding is never looked at."""
        batch, time = ops.shape(inputs)[:2]
        positions = ops.arange(time)[None, :]
        if mask is None:
            length = ops.reshape(time - 1 if guarded else time, (1, 1))
        else:
            length = ops.sum(ops.cast(mask, "int32"), axis=1, keepdims=True)
        # its own inverse: turns the valid part of each row round and leaves the padding in place
        turn = ops.where(positions < length, length - 1 - positions, positions)
        rows = turn + time * ops.arange(batch)[:, None]
        ahead = self.forward(inputs)[0]
        back = self.backward(_rows(inputs, rows))[0]
        return ops.concatenate([ahead, _rows(back, rows)], axis=-1)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {
            **super().get_config(),
            "kind": self.kind,
            "units": self.units,
            "causal": self.causal,
            "activation": self.activation,
            "recurrent_activation": self.recurrent_activation,
        }


def _rows(x: Any, rows: Any) -> Any:
    """Positions of float[batch, time, width] by their numbers int32[batch, time] in the whole.

    Whole rows at once: the gradient of `take_along_axis` goes element by element, three times as
    slow.
    """
    return ops.take(ops.reshape(x, (-1, x.shape[-1])), rows, axis=0)
