"""Averages the weights at the ends of the last intervals."""

from collections import deque
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from textapps.core.errors import RunError
from textapps.training.checkpoint import LOGGER, CheckpointStore, read_arrays, read_variables

Weights = list[NDArray[Any]]


class LastWeights:
    """Averages checkpoints (Vaswani et al. 2017, section 6.1) at the end of every interval.

    The mean is validated and may become the best checkpoint; training continues from the raw
    weights. The first intervals average fewer weights.

    Args:
        variables: the trainable variables.
        count: the number of interval ends to average, including the current one.
        earlier: the weights at the earlier ends, oldest first.
    """

    def __init__(
        self, variables: Sequence[Any], count: int, earlier: Sequence[Weights] = ()
    ) -> None:
        self.variables = list(variables)
        self._last: deque[Weights] = deque(earlier, maxlen=count)

    @classmethod
    def of(cls, store: CheckpointStore, model: Any, step: int) -> "LastWeights":
        """The averages at step `step` of a run, over `store.keep_ends` checkpoints.

        A damaged checkpoint is left out, with a warning.
        """
        earlier = []
        for end in store.ends(step):
            if store.is_whole(end):
                earlier.append(_weights(store, end, model))
            else:
                LOGGER.warning("the averages leave out step %d: its checkpoint is damaged", end)
        return cls(model.trainable_variables, store.keep_ends, earlier)

    def add(self) -> Weights:
        """Adds the current weights and returns the means, in the order of `variables`."""
        self._last.append([variable.numpy() for variable in self.variables])
        # float64, so that the order of addition does not affect the result
        return [
            np.mean(arrays, axis=0, dtype=np.float64).astype(arrays[0].dtype)
            for arrays in zip(*self._last, strict=True)
        ]


def _weights(store: CheckpointStore, step: int, model: Any) -> Weights:
    """The raw weights, not the averages, of a checkpoint of this model."""
    keys = [r["key"] for r in read_variables(store.path(step)) if r["key"].startswith("model/")]
    if len(keys) != len(model.variables):
        raise RunError(f"checkpoint {store.path(step).name} is of another model")
    key_of = {id(variable): key for variable, key in zip(model.variables, keys, strict=True)}
    return read_arrays(store.path(step), [key_of[id(v)] for v in model.trainable_variables])
