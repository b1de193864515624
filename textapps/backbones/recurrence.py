"""Recurrent cells run over whole sequences in training, forward and backward.

Keras's loop multiplies the inputs of each position by the kernel separately, and adds up the
gradients of the weights position by position; with 512 units that costs more than the recurrence
itself. Here each of them is one product for all positions.
"""

from collections.abc import Callable
from typing import Any, NamedTuple, Protocol

import tensorflow as tf

Tensors = tuple[Any, ...]
Derivative = Callable[[Any, Any], Any]
# The gradient of the input of an activation from its output and the gradient of its output.
DERIVATIVES: dict[str, Derivative] = {
    "tanh": lambda y, dy: tf.raw_ops.TanhGrad(y=y, dy=dy),
    "sigmoid": lambda y, dy: tf.raw_ops.SigmoidGrad(y=y, dy=dy),
    "relu": lambda y, dy: tf.raw_ops.ReluGrad(gradients=dy, features=y),
    # the slope of `keras.activations.leaky_relu`; output and input have the same sign
    "leaky_relu": lambda y, dy: tf.raw_ops.LeakyReluGrad(gradients=dy, features=y, alpha=0.2),
    "elu": lambda y, dy: tf.raw_ops.EluGrad(gradients=dy, outputs=y),
    "linear": lambda y, dy: dy,
}


class Steps(Protocol):
    """What a cell does at one position, between its products with the recurrent kernel.

    A state is a tuple of float32[batch, units], the output first.

    kept: the widths, in units, of the tensors that the backward step needs of the forward step.
    shared: whether inputs and products are only added, so that their gradients are equal.
    scales: a factor for each gate, by which inputs and products come multiplied.
    """

    kept: tuple[int, ...]
    shared: bool
    scales: tuple[float, ...]

    def forward(self, inputs: Any, products: Any, state: Tensors) -> tuple[Tensors, Tensors]:
        """One position.

        Args:
            inputs: float32[batch, gates], the inputs times the kernel, with the bias.
            products: float32[batch, gates], the last output times the recurrent kernel, with the
                recurrent bias if there is one.
            state: what the position before left.

        Returns:
            The new state, and the tensors to keep.
        """

    def backward(self, gradients: Tensors, kept: Tensors) -> tuple[Any, Any, Tensors]:
        """The gradients of one position.

        Args:
            gradients: of the new state.
            kept: what `forward` kept.

        Returns:
            The gradients of `inputs`, of `products`, and of the old state without its part in
            `products`.
        """


class Output(NamedTuple):
    """A layer behind a cell: y = f(h V + c) is the output, and is fed back in the place of h.

    The first tensor that the steps keep must be h, float32[batch, units].

    kernel      float32[units, units], V
    bias        float32[units], c
    activation  f
    derivative  of f
    """

    kernel: Any
    bias: Any
    activation: Callable[[Any], Any]
    derivative: Derivative


def recur(
    steps: Steps,
    inputs: Any,
    kernel: Any,
    bias: Any,
    initial: Tensors,
    mask: Any = None,
    output: Output | None = None,
) -> tuple[Any, Tensors]:
    """Runs a cell over a sequence.

    Args:
        inputs: float32[time, batch, gates], at least one position.
        kernel: float32[units, gates], the recurrent kernel.
        bias: float32[gates], the recurrent bias; None for none.
        initial: the state before the first position.
        mask: bool[time, batch, 1]; at masked positions the state stays. None: all are valid.
        output: a layer behind the cell; None for none.

    Returns:
        float32[time, batch, units], the output of each position, and the state after the last.
    """
    has_bias = bias is not None
    weights = (*((bias,) if has_bias else ()), *(output[:2] if output else ()))

    @tf.custom_gradient  # type: ignore[untyped-decorator]
    def run(inputs: Any, kernel: Any, *rest: Any) -> Any:
        first = rest[len(weights) :]
        own_bias = rest[0] if has_bias else None
        outputs, kept, last = _forward(steps, inputs, kernel, own_bias, first, mask, output)

        def gradient(d_outputs: Any, *d_last: Any) -> Any:
            d_inputs, d_products, d_shown, d_first = _backward(
                steps, kernel, kept, outputs, d_outputs, d_last, mask, output
            )
            before = tf.concat([first[0][None], outputs[:-1]], axis=0)
            d_kernel = tf.matmul(_rows(before), _rows(d_products), transpose_a=True)
            d_weights = [tf.reduce_sum(_rows(d_products), axis=0)] if has_bias else []
            if output is not None:
                hidden, d_shown = _rows(kept[0].stack()), _rows(d_shown)
                d_weights += [tf.matmul(hidden, d_shown, transpose_a=True)]
                d_weights += [tf.reduce_sum(d_shown, axis=0)]
            return d_inputs, d_kernel, *d_weights, *d_first

        return (outputs, *last), gradient

    outputs, *last = run(inputs, kernel, *weights, *initial)
    return outputs, tuple(last)


def _forward(
    steps: Steps,
    inputs: Any,
    kernel: Any,
    bias: Any,
    first: Tensors,
    mask: Any,
    output: Output | None,
) -> tuple[Any, Tensors, Tensors]:
    """The outputs, the arrays of what was kept, and the last state."""
    time = tf.shape(inputs)[0]

    def step(t: Any, state: Tensors, outputs: Any, kept: Tensors) -> Any:
        products = tf.matmul(state[0], kernel)
        if bias is not None:
            products = tf.nn.bias_add(products, bias)
        new, extra = steps.forward(inputs[t], products, state)
        if output is not None:
            shown = tf.nn.bias_add(tf.matmul(new[0], output.kernel), output.bias)
            new = (output.activation(shown), *new[1:])
        if mask is not None:
            new = tuple(tf.where(mask[t], a, b) for a, b in zip(new, state, strict=True))
        kept = tuple(array.write(t, x) for array, x in zip(kept, extra, strict=True))
        return t + 1, new, outputs.write(t, new[0]), kept

    batch, units = first[0].shape
    arrays = [_array(time, [batch, width * units]) for width in (1, *steps.kept)]
    start = (0, first, arrays[0], tuple(arrays[1:]))
    _, last, outputs, kept = tf.while_loop(
        lambda t, *_: t < time, step, start, maximum_iterations=time
    )
    stacked = outputs.stack()
    stacked.set_shape([inputs.shape[0], batch, units])
    return stacked, kept, last


def _backward(
    steps: Steps,
    kernel: Any,
    kept: Tensors,
    outputs: Any,
    d_outputs: Any,
    d_last: Tensors,
    mask: Any,
    output: Output | None,
) -> tuple[Any, Any, Any, Tensors]:
    """The gradients of the inputs, the products, the output layer's sums and the first state."""
    time, turned = tf.shape(d_outputs)[0], tf.transpose(kernel)

    def step(t: Any, d_state: Tensors, found: Tensors) -> Any:
        d_new = (d_state[0] + d_outputs[t], *d_state[1:])
        live = d_new
        if mask is not None:
            live = tuple(tf.where(mask[t], d, 0.0) for d in d_new)
        d_shown: Tensors = ()
        if output is not None:
            d_shown = (output.derivative(outputs[t], live[0]),)
            live = (tf.matmul(d_shown[0], output.kernel, transpose_b=True), *live[1:])
        d_inputs, d_products, d_old = steps.backward(live, tuple(a.read(t) for a in kept))
        d_past = tf.matmul(d_products, turned)
        d_old = (d_past if d_old[0] is None else d_past + d_old[0], *d_old[1:])
        if mask is not None:
            d_old = tuple(
                tf.where(mask[t], old, new) for old, new in zip(d_old, d_new, strict=True)
            )
        parts = (d_inputs, *(() if steps.shared else (d_products,)), *d_shown)
        found = tuple(a.write(t, d) for a, d in zip(found, parts, strict=True))
        return t - 1, d_old, found

    batch, units = d_outputs.shape[1:]
    widths = (*[kernel.shape[1]] * (2 - steps.shared), *((units,) if output else ()))
    start = (time - 1, d_last, tuple(_array(time, [batch, width]) for width in widths))
    _, d_first, found = tf.while_loop(lambda t, *_: t >= 0, step, start, maximum_iterations=time)
    stacked = [array.stack() for array in found]
    return stacked[0], stacked[1 - steps.shared], stacked[-1], d_first


def _rows(x: Any) -> Any:
    """float32[time, batch, width] → float32[time · batch, width]."""
    return tf.reshape(x, [-1, x.shape[-1]])


def _array(time: Any, shape: list[int | None]) -> Any:
    return tf.TensorArray(tf.float32, size=time, element_shape=shape, clear_after_read=False)
