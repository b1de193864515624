"""Carries a backbone's state from one call to the next."""

from typing import Any

import keras
import tensorflow as tf
from keras import ops

from textapps.training.weights import CARRIED


class CarriedState(keras.layers.Layer):
    """Keeps the state of a fixed number of streams in variables.

    A call may have fewer rows: those from `first_row` on, which is 0 unless a batch is computed in
    parts. Each replica of a model keeps the state of its own streams. What is computed in bfloat16
    is kept in float32, which NumPy can read again.

    Args:
        initial: the result of `Backbone.initial_state` for that number of rows.
        saved: whether the variables belong to the model, so that checkpoints contain them.
    """

    def __init__(self, initial: Any, *, saved: bool, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.leaves = [
            {leaf: self._variable(f"{block}_{leaf}", zeros, saved) for leaf, zeros in each.items()}
            for block, each in enumerate(initial)
        ]
        self._dtypes = [{leaf: zeros.dtype for leaf, zeros in each.items()} for each in initial]
        self.first_row: Any = 0
        self.built = True

    def read(self, start: Any) -> Any:
        """The state, reset to zeros in the rows where `start`, bool[rows], is true."""
        rows = ops.shape(start)[0]

        def begun(variable: Any, dtype: Any) -> Any:
            value = ops.cast(ops.convert_to_tensor(variable), dtype)
            if not _is_all(rows, variable):
                value = value[self.first_row : self.first_row + rows]
            at = ops.reshape(start, (-1,) + (1,) * (len(value.shape) - 1))
            return ops.where(at, ops.zeros_like(value), value)

        return tuple(
            {leaf: begun(variable, dtypes[leaf]) for leaf, variable in leaves.items()}
            for leaves, dtypes in zip(self.leaves, self._dtypes, strict=True)
        )

    def write(self, state: Any) -> None:
        """Stores the state for the next call; other rows stay unchanged."""
        for leaves, tensors in zip(self.leaves, state, strict=True):
            for leaf, variable in leaves.items():
                value = ops.cast(ops.stop_gradient(tensors[leaf]), variable.dtype)
                rows = ops.shape(value)[0]
                if not _is_all(rows, variable):
                    old = ops.convert_to_tensor(variable)
                    end = self.first_row + rows
                    value = ops.concatenate([old[: self.first_row], value, old[end:]])
                variable.assign(value)

    def _variable(self, name: str, zeros: Any, saved: bool) -> Any:
        dtype = keras.backend.standardize_dtype(zeros.dtype)
        if keras.backend.is_float_dtype(dtype):
            dtype = "float32"
        if not saved:  # Keras does not treat a plain variable as one of the model
            return tf.Variable(ops.cast(zeros, dtype), trainable=False, name=name)
        return self.add_weight(
            shape=zeros.shape,
            dtype=dtype,
            initializer="zeros",
            trainable=False,
            name=f"{CARRIED}_{name}",
        )


def _is_all(rows: Any, variable: Any) -> bool:
    return isinstance(rows, int) and rows == variable.shape[0]
