"""The sides of `recurrent-steps` that run in TensorFlow, and what all its sides share.

A question is a `Layer` as a dict; the answer is {"seconds", "norms"}: the median time of a step,
forward and backward, and the norms of the gradients by the inputs and by each kernel.
"""

import time
from collections.abc import Callable
from functools import cache
from statistics import median
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from textapps.core.memory import keep_freed_memory

GATES = {"gru": 3, "lstm": 4}
STEPS = 3  # of which the median is the time of one turn


class Layer(NamedTuple):
    """A recurrent layer and what it reads; reading both ways, each direction has half the units."""

    kind: str
    batch: int
    time: int
    inputs: int
    units: int
    both_ways: bool = False

    @property
    def width(self) -> int:
        """Units of each cell."""
        return self.units // 2 if self.both_ways else self.units

    def data(self) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """float32[batch, time, inputs], and weights of the outputs, whose sum is the loss."""
        random = np.random.default_rng(0)
        shapes = [(self.batch, self.time, width) for width in (self.inputs, self.units)]
        inputs, weights = (random.normal(0, 1, shape).astype(np.float32) for shape in shapes)
        return inputs, weights

    def cells(self) -> list[tuple[NDArray[np.float32], ...]]:
        """Kernel, recurrent kernel and bias of each direction, as Keras has them."""
        random, gates = np.random.default_rng(1), GATES[self.kind] * self.width
        biases = (2, gates) if self.kind == "gru" else (gates,)
        shapes = ((self.inputs, gates), (self.width, gates), biases)
        return [
            tuple(random.normal(0, self.width**-0.5, s).astype(np.float32) for s in shapes)
            for _ in range(1 + self.both_ways)
        ]


Step = Callable[[], list[float]]  # a step and the norms of its gradients
Ask = Callable[[dict[str, Any]], dict[str, Any]]


def timed(step_of: Callable[[Layer], Step]) -> Ask:
    """A side whose steps are made, once, outside of the time that is taken."""
    keep_freed_memory()
    known = cache(step_of)

    def ask(question: dict[str, Any]) -> dict[str, Any]:
        step, seconds = known(Layer(**question)), []
        norms = step()
        for _ in range(STEPS):
            start = time.perf_counter()
            step()
            seconds.append(time.perf_counter() - start)
        return {"seconds": median(seconds), "norms": norms}

    return ask


def textapps(scratch: str) -> Ask:
    """The mixers of textapps."""
    from textapps.backbones.registry import mixer_class

    def layer_of(layer: Layer) -> Any:
        mixer = mixer_class(layer.kind)(layer.units, not layer.both_ways)
        return mixer, lambda inputs: mixer(inputs, training=True)[0]

    return timed(lambda layer: graph(layer, *layer_of(layer)))


def keras(scratch: str) -> Ask:
    """The layers of Keras."""
    import keras

    def layer_of(layer: Layer) -> Any:
        kind = {"gru": keras.layers.GRU, "lstm": keras.layers.LSTM}[layer.kind]
        made = kind(layer.width, return_sequences=True)
        made = keras.layers.Bidirectional(made) if layer.both_ways else made
        return made, lambda inputs: made(inputs, training=True)

    return timed(lambda layer: graph(layer, *layer_of(layer)))


def graph(layer: Layer, made: Any, call: Callable[[Any], Any]) -> Step:
    """The step of a layer of Keras, as a graph of TensorFlow."""
    import tensorflow as tf

    inputs, weights = (tf.constant(array) for array in layer.data())
    made.build(inputs.shape)
    made.set_weights([array for cell in layer.cells() for array in cell])

    @tf.function(autograph=False, jit_compile=False)  # type: ignore[untyped-decorator]
    def gradients(inputs: Any) -> Any:
        with tf.GradientTape() as tape:
            tape.watch(inputs)
            loss = tf.reduce_sum(call(inputs) * weights)
        found = tape.gradient(loss, [inputs, *made.trainable_variables])
        # Of every cell the last is the bias. All are outputs, so that none is left out.
        return found, [tf.norm(found[0]), *map(tf.norm, kernels(found[1:]))]

    return lambda: [float(norm) for norm in gradients(inputs)[1]]


def kernels(gradients: list[Any]) -> list[Any]:
    """Without every third, which is that of a bias."""
    return [each for index, each in enumerate(gradients) if index % 3 != 2]
