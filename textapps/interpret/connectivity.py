"""Which earlier characters a prediction hangs on."""

from functools import partial
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from textapps.interpret.gradients import Norms, in_parts, input_gradients
from textapps.interpret.stages import Stages


def connectivity(stages: Stages, ids: NDArray[np.int32], reach: int = 100) -> Norms:
    """How strongly the prediction of each symbol of a text hangs on each symbol before it.

    That is the connectivity of Madsen 2019 ("Visualizing memorization in RNNs"), the norm of the
    gradient of the prediction by the embedded input. The prediction is the log-probability of the
    symbol that follows in the text.

    Args:
        ids: int32[1 + inputs], the inputs, and at the end the last target; 1 input at least.
        reach: how many inputs before a target are looked at; what is before them is not read.

    Returns:
        float64[inputs, inputs]: row t is about the prediction of ids[t + 1], column s about the
        input ids[s]; 0 where s > t or s <= t - reach.
    """
    inputs = len(ids) - 1
    ends = np.arange(inputs)
    starts = np.maximum(ends - reach + 1, 0)
    places = starts[:, None] + np.arange(min(reach, inputs))
    valid = places <= ends[:, None]
    windows = np.where(valid, ids[np.minimum(places, inputs - 1)], 0)

    def losses(x: Any, rows: slice) -> Any:
        outputs, _ = stages.backbone(x, mask=valid[rows])
        last = tf.gather(outputs, (ends - starts)[rows], batch_dims=1)
        return stages.losses(last, ids[1:][rows])

    norms = np.concatenate(
        [
            input_gradients(partial(losses, rows=rows), stages.embed(windows[rows]), valid[rows])
            for rows in in_parts(inputs)
        ]
    )
    found = np.zeros((inputs, inputs))
    rows, columns = np.nonzero(valid)
    found[rows, places[rows, columns]] = norms[rows, columns]
    return found
