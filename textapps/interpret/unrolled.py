"""A recurrent network over a short text, unrolled: every number of every step, there and back.

Back-propagation through time (Werbos 1990): the network is seen as one layer for each step, all
with the same parameters, so the gradient of a parameter is the sum of what the steps give to it.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from textapps.interpret.stages import Stages

Vector = NDArray[np.float32]


class Step(NamedTuple):
    """One step of the unrolled network.

    Vectors are by the name of the state's leaf, such as "h", or "block 2 h" in a deeper network.

    input, target: ids.
    embedded: float32[units], the input as the backbone reads it.
    state: float32[units] each, after the step.
    probabilities: float32[symbols], of what follows.
    loss: of the target, in nats.
    from_output: float32[units] each, the gradient of the sum of the losses by the state, through
        the output of this step: by its own loss, and in a deeper network by the next block.
    from_future: the same through the next step.
    shares: by the name of a parameter, what this step gives to its gradient.
    """

    input: int
    target: int
    embedded: Vector
    state: Mapping[str, Vector]
    probabilities: Vector
    loss: float
    from_output: Mapping[str, Vector]
    from_future: Mapping[str, Vector]
    shares: Mapping[str, NDArray[np.float32]]


class Unrolled(NamedTuple):
    """All steps, and the gradient of the sum of their losses by each parameter."""

    steps: list[Step]
    gradients: Mapping[str, NDArray[np.float32]]

    @property
    def loss(self) -> float:
        """The sum of the losses, in nats."""
        return sum(step.loss for step in self.steps)


def unroll(stages: Stages, ids: NDArray[np.int32], parameters: Mapping[str, Any]) -> Unrolled:
    """Runs a recurrent model over a text, step by step, and back.

    Args:
        ids: int32[1 + steps], the inputs, and at the end the last target.
        parameters: Keras's variables by name, whose gradients are wanted.
    """
    variables = [variable.value for variable in parameters.values()]
    before: list[Any] = [None]
    outputs, losses, states = [], [], []
    # A state goes on as a copy, so that its gradient by the future stands apart from that by the
    # output of its own step.
    with tf.GradientTape(persistent=True) as tape:
        for place, target in enumerate(ids[1:]):
            embedded = stages.embed(ids[None, place : place + 1])
            output, state = stages.backbone(embedded, before[-1])
            states.append(state)
            before.append(tf.nest.map_structure(tf.identity, state))
            outputs.append(output[:, 0])
            losses.append(stages.losses(output[:, 0], np.array([target])))
        total = tf.add_n(losses)
    future = tape.gradient(total, before[1:])
    either = tape.gradient(total, states)
    whole = tape.gradient(total, variables)
    del tape
    steps = []
    for place, state in enumerate(states):
        own = tf.nest.map_structure(_difference, either[place], future[place])
        shares = _shares(stages, ids[place : place + 2], before[place], future[place], variables)
        embedded = stages.embed(ids[None, place : place + 1])
        logits = stages.logits(outputs[place][:, None])[0, 0]
        steps.append(
            Step(
                int(ids[place]),
                int(ids[place + 1]),
                np.asarray(embedded)[0, 0],
                _named(state, state),
                np.asarray(tf.nn.softmax(logits)),
                float(losses[place][0]),
                _named(own, state),
                _named(future[place], state),
                dict(zip(parameters, map(_array, shares, variables), strict=True)),
            )
        )
    gradients = dict(zip(parameters, map(_array, whole, variables), strict=True))
    return Unrolled(steps, gradients)


def _shares(
    stages: Stages, ids: NDArray[np.int32], before: Any, future: Any, variables: Sequence[Any]
) -> list[Any]:
    """What one step gives to the gradient of each variable, from its output and the future."""
    with tf.GradientTape() as tape:
        output, state = stages.backbone(stages.embed(ids[None, :1]), before)
        total = tf.reduce_sum(stages.losses(output[:, 0], ids[1:]))
        for leaf, gradient in zip(tf.nest.flatten(state), tf.nest.flatten(future), strict=True):
            if gradient is not None:  # the last step has no future
                total += tf.reduce_sum(leaf * gradient)
    found: list[Any] = tape.gradient(total, variables)
    return found


def _named(values: Any, state: Any) -> dict[str, Vector]:
    """A state's values by the names of its leaves; None counts as zeros."""
    many = len(state) > 1
    return {
        f"block {number} {name}" if many else name: _array(values[number - 1][name], leaf)[0]
        for number, block in enumerate(state, 1)
        for name, leaf in block.items()
    }


def _difference(whole: Any, part: Any) -> Any:
    return whole if whole is None or part is None else whole - part


def _array(gradient: Any, like: Any) -> NDArray[np.float32]:
    if gradient is None:
        return np.zeros(like.shape, np.float32)
    return np.asarray(tf.convert_to_tensor(gradient))  # those of an embedding are slices
