"""How far back the gradient of a loss reaches.

The gradient that reaches a step d steps back is a product of d Jacobians of the state, so it
vanishes or explodes with d (Bengio, Simard and Frasconi 1994; Pascanu, Mikolov and Bengio 2013).
"""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from textapps.interpret.stages import Stages

Norms = NDArray[np.float64]


class Gradients(NamedTuple):
    """Norms of gradients by distance, float64[positions, distance + 1]; column d is d steps back.

    inputs: of the loss at a position with respect to the embedded input d steps before it.
    state: the same with respect to the whole state after that step, all blocks together; None if
        the model has no recurrent state.
    positions: int64[positions], which inputs the losses follow.
    """

    inputs: Norms
    state: Norms | None
    positions: NDArray[np.int64]


def gradient_by_distance(
    stages: Stages, ids: NDArray[np.int32], distance: int = 200, positions: int = 200
) -> Gradients:
    """The gradients of the loss at some positions of a text by what is up to `distance` before.

    Every position has a window of its own, which begins without a state. In a text of fewer than
    2 · `distance` inputs, windows are half as long as the text.

    Args:
        ids: int32[1 + inputs], the inputs, and at the end the last target; 2 inputs at least.
        positions: as many as the text has room for, evenly spaced.
    """
    inputs = len(ids) - 1
    distance = min(distance, inputs // 2)
    ends = np.unique(np.linspace(distance, inputs - 1, positions).round().astype(np.int64))
    windows = ids[ends[:, None] + np.arange(-distance, 1)]
    return Gradients(*window_gradients(stages, windows, ids[ends + 1]), ends)


def window_gradients(
    stages: Stages, windows: NDArray[np.int32], targets: NDArray[np.int32]
) -> tuple[Norms, Norms | None]:
    """The gradients of the loss at the end of windows, each of which begins without a state.

    Args:
        windows: int32[windows, distance + 1].
        targets: int32[windows], what follows each of them.

    Returns:
        `inputs` and `state` of `Gradients`, a row for each window.
    """
    if not stages.recurrent:
        return _at_once(stages, windows, targets)[:, ::-1], None
    parts = [
        _through_steps(stages, windows[rows], targets[rows])
        for rows in in_parts(len(windows), size=100)
    ]
    by_input, by_state = (np.concatenate(each)[:, ::-1] for each in zip(*parts, strict=True))
    return by_input, by_state


def input_gradients(
    losses: Callable[[Any], Any], inputs: Any, mask: NDArray[np.bool_] | None = None
) -> Norms:
    """The norm of the gradient of each row's loss by each of its inputs.

    Args:
        losses: float32[batch, time, width] → float32[batch]; no row may depend on another one.
        inputs: float32[batch, time, width].
        mask: bool[batch, time]; what is not valid has the norm 0.

    Returns:
        float64[batch, time].
    """
    x = tf.convert_to_tensor(inputs)
    with tf.GradientTape(watch_accessed_variables=False) as tape:
        tape.watch(x)
        total = tf.reduce_sum(losses(x))
    norms = _norms([tape.gradient(total, x)])
    return norms if mask is None else np.where(mask, norms, 0.0)


def in_parts(rows: int, size: int = 32) -> Iterator[slice]:
    """Rows a few at a time: the attention of 200 windows of 200 positions would take gigabytes."""
    return (slice(start, start + size) for start in range(0, rows, size))


def falls_to(medians: Norms, share: float) -> float | None:
    """After how many steps a gradient has fallen to a share of what it was, for good.

    The steps are counted from distance 1, because what distance 0 gives to the loss has not been
    through a step of the state. The answer is interpolated on the logarithmic scale, so that for
    c · r^d it is ln(share) / ln(r) exactly.

    Args:
        medians: float64[distance + 1], by distance.

    Returns:
        None if the last value is still above the share, as that of an exploding gradient is; 0.0
        if no gradient reaches distance 1.

    >>> falls_to(np.array([9.0, 1.0, 0.5, 0.25, 0.125]), 0.5)
    1.0
    """
    if len(medians) < 2 or not medians[1] > 0:
        return 0.0 if len(medians) > 1 and medians[1] == 0 else None
    level = share * medians[1]
    above = np.flatnonzero(~(medians[1:] <= level))  # NaN counts as above
    last = int(above[-1]) + 1 if len(above) else 1
    if last == len(medians) - 1:
        return None
    high, low = medians[last], medians[last + 1]
    part = np.log(high / level) / np.log(high / low) if low > 0 else 0.0
    return float(last - 1 + part)


def half_life(medians: Norms) -> float | None:
    """The steps in which a gradient halves, for good: `falls_to` of one half."""
    return falls_to(medians, 0.5)


def _at_once(stages: Stages, windows: NDArray[np.int32], targets: NDArray[np.int32]) -> Norms:
    def losses(x: Any, targets: NDArray[np.int32]) -> Any:
        outputs, _ = stages.backbone(x)
        return stages.losses(outputs[:, -1], targets)

    parts = [
        input_gradients(partial(losses, targets=targets[rows]), stages.embed(windows[rows]))
        for rows in in_parts(len(windows))
    ]
    return np.concatenate(parts)


def _through_steps(
    stages: Stages, windows: NDArray[np.int32], targets: NDArray[np.int32]
) -> tuple[Norms, Norms]:
    """By chunks of one position, so that the state after each of them can be derived by.

    A state that is passed on is a copy: its gradient is that by way of the next step. The last one,
    at distance 0, leads to the loss by the output of its own step only.
    """
    inputs = tf.unstack(tf.convert_to_tensor(stages.embed(windows)), axis=1)
    states: list[Any] = []
    with tf.GradientTape(watch_accessed_variables=False) as tape:
        tape.watch(inputs)
        for place, x in enumerate(inputs):
            outputs, state = stages.backbone(x[:, None], states[-1] if states else None)
            last = place == len(inputs) - 1
            states.append(state if last else tf.nest.map_structure(tf.identity, state))
        total = tf.reduce_sum(stages.losses(outputs[:, 0], targets))
    by_input, by_state = tape.gradient(total, (inputs, states))
    return (
        np.stack([_norms([each]) for each in by_input], axis=1),
        np.stack([_norms(tf.nest.flatten(each)) for each in by_state], axis=1),
    )


def _norms(gradients: list[Any]) -> Norms:
    """The norm over the last axes of all, each float[…, width]; None counts as zeros."""
    given = [np.asarray(each, np.float64) for each in gradients if each is not None]
    squares: Norms = np.sum([np.square(each).sum(axis=-1) for each in given], axis=0)
    return np.sqrt(squares)
