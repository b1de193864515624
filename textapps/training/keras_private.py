"""The private interfaces of Keras that training uses; its test names them.

They are those of Keras 3.15. All other code keeps to what Keras documents.
"""

from typing import Any

import keras


class OpenAdamW(keras.optimizers.AdamW):
    """AdamW that leaves to its subclass what Keras does to gradients and averages on its own."""

    def note_gradients(self, grads: Any) -> None:
        """Sees the gradients of each step before they are clipped."""
        raise NotImplementedError

    def update_averages(self, trainable_variables: Any) -> None:
        """Moves `averages` towards the variables, after each step."""
        raise NotImplementedError

    @property
    def averaged(self) -> list[Any]:
        """The variables that are averaged; none without `use_ema`."""
        return list(self._trainable_variables) if self.use_ema else []

    @property
    def averages(self) -> list[Any]:
        """The averages of `averaged`, in the same order."""
        return list(self._model_variables_moving_average) if self.use_ema else []

    def position(self, variable: Any) -> int:
        """Which of the trainable variables this is, as `update_step` gets it."""
        return int(self._get_variable_index(variable))

    def _all_reduce_sum_gradients(self, grads_and_vars: Any) -> Any:
        """Gradients are those of all replicas already, as they must be before they are clipped."""
        return grads_and_vars

    def _clip_gradients(self, grads: Any) -> Any:
        self.note_gradients(grads)
        return super()._clip_gradients(grads)

    def _update_model_variables_moving_average(self, trainable_variables: Any) -> None:
        if self.use_ema:
            self.update_averages(trainable_variables)


def leave_strategy(model: Any) -> None:
    """Keeps `fit` from putting the batch of all workers together once, which it cannot do."""
    model._distribute_strategy = None


def loss_tracker(model: Any) -> Any:
    """The metric of the compiled `model` that becomes `loss` in the logs of `fit`."""
    return model._loss_tracker
