"""How far an output of a backbone depends on its inputs, before and after it."""

from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from textapps.backbones.backbone import Backbone
from textapps.core.errors import DataError
from textapps.interpret.gradients import Norms, input_gradients

SHORTEST = 3


class Reach(NamedTuple):
    """Norms by distance, float64[sequences, distance + 1]; column d is d positions away.

    past: of what was read before the output.
    future: of what came after it, in the direction of time; None if the backbone is causal.
    """

    past: Norms
    future: Norms | None


def reach(
    backbone: Backbone,
    inputs: Any,
    lengths: NDArray[np.int32],
    distance: int = 200,
    seed: int = 0,
) -> Reach:
    """How strongly the output in the middle of each sequence depends on what is around it.

    The size of the Jacobian of the output by an input is estimated by the gradient of the output
    in a random direction, whose squared norm is that of the Jacobian in the mean (Hutchinson 1990).
    A causal backbone is asked for its last output instead of that in the middle.

    Args:
        inputs: float32[sequences, time, units], padded on the right.
        lengths: int32[sequences].
        distance: as far as half of the sequences reach, at most; shorter ones are left out.

    Raises:
        DataError: no sequence has three positions.
    """
    room = lengths - 1 if backbone.causal else (lengths - 1) // 2
    distance = min(distance, int(np.median(room)))
    rows = np.flatnonzero(room >= max(distance, 1))
    if not len(rows) or lengths.max() < SHORTEST:
        raise DataError(f"nothing here has {SHORTEST} positions or more: give something longer")
    places, valid = room[rows], np.arange(inputs.shape[1]) < lengths[rows, None]
    x = tf.gather(tf.convert_to_tensor(inputs), rows)
    direction = np.random.default_rng(seed).normal(size=(len(rows), x.shape[2]))
    direction = tf.constant(direction, x.dtype)

    def outputs(x: Any) -> Any:
        found, _ = backbone(x, mask=valid)
        return tf.reduce_sum(tf.gather(found, places, batch_dims=1) * direction, axis=1)

    norms = input_gradients(outputs, x, valid)
    steps = np.arange(max(distance, 1) + 1)
    past = np.take_along_axis(norms, places[:, None] - steps, axis=1)
    if backbone.causal:
        return Reach(past, None)
    return Reach(past, np.take_along_axis(norms, places[:, None] + steps, axis=1))
