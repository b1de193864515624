"""Per-channel energy normalisation: energies relative to those of the recent past."""

from typing import Any

import tensorflow as tf

State = dict[str, Any]

# Wang et al. 2017, section 2, but for the floor: theirs is for 16-bit integers, ours for samples
# up to 1, and lies below the energy that rounding to 16 bits adds.
_SMOOTHING = 0.025  # of a frame; with frames every 10 ms, the past is about the last 0.4 s
_GAIN = 0.98
_BIAS = 2.0
_ROOT = 0.5
_FLOOR = 1e-9


class ChannelEnergy:
    """(E / (floor + M)^0.98 + 2)^0.5 - 2^0.5 of each mel band (Wang et al. 2017, equation 1).

    M is the smoothed energy of the band up to the frame itself. A sound that is twice as loud gives
    nearly the same features, and steady noise fades into the background. At the start M is the mean
    of the frames so far, weighted as later, so the first frame is not taken for a loud one.

    The law: chunks of any lengths, with the state passed along, give the frames of the whole.

        smooth  float32[batch, mels]   the weighted sum of the past energies
        weight  float32[batch, 1]      the sum of the weights, which approaches 1
    """

    def __init__(self, mels: int) -> None:
        self.mels = mels

    def initial_state(self, batch: Any) -> State:
        """The state before the first frame of `batch` sequences: zeros."""
        return {"smooth": tf.zeros([batch, self.mels]), "weight": tf.zeros([batch, 1])}

    def __call__(
        self, energies: Any, state: State | None = None, mask: Any = None
    ) -> tuple[Any, State]:
        """The features of frames, and the state after the last valid one.

        Args:
            energies: float32[batch, time, mels], not negative.
            state: None at the start.
            mask: bool[batch, time], valid frames on the left; None: all are valid.

        Returns:
            float32[batch, time, mels], the new state.
        """
        rows, time, _ = tf.unstack(tf.shape(energies))
        state = state or self.initial_state(rows)
        kept = 1 - _SMOOTHING
        fading = kept ** tf.cast(tf.range(1, time + 1), tf.float32)[None, :, None]
        sums = _decayed_sums(_SMOOTHING * energies, kept) + fading * state["smooth"][:, None]
        weights = 1 - fading * (1 - state["weight"][:, None])
        mean = sums / weights
        ratio = energies * tf.exp(-_GAIN * tf.math.log(mean + _FLOOR))
        features = tf.sqrt(ratio + _BIAS) - _BIAS**_ROOT
        return features, {
            name: _at_end(state[name], values, mask)
            for name, values in (("smooth", sums), ("weight", weights))
        }


def _at_end(before: Any, values: Any, mask: Any) -> Any:
    """[batch, …] before and [batch, time, …] after each frame → [batch, …] after the valid ones."""
    every = tf.concat([before[:, None], values], axis=1)
    if mask is None:
        return every[:, -1]
    return tf.gather(every, tf.reduce_sum(tf.cast(mask, tf.int32), axis=1), batch_dims=1)


def _decayed_sums(x: Any, kept: float) -> Any:
    """y[t] = x[t] + kept · y[t - 1] for float32[batch, time, any], from zero.

    In log2(time) steps instead of `time` (Hillis and Steele 1986): after each step, a sum reaches
    back twice as far.
    """

    def step(x: Any, distance: Any) -> Any:
        earlier = tf.pad(x[:, :-distance], [[0, 0], [distance, 0], [0, 0]])
        return x + kept ** tf.cast(distance, tf.float32) * earlier

    time = x.shape[1]
    if time is not None:
        distance = 1
        while distance < time:
            x, distance = tf.ensure_shape(step(x, distance), x.shape), 2 * distance
        return x
    time = tf.shape(x)[1]
    shapes = (x.shape, tf.TensorShape([]))
    summed, _ = tf.while_loop(
        lambda _, distance: distance < time,
        lambda x, distance: (step(x, distance), 2 * distance),
        (x, tf.constant(1)),
        shape_invariants=shapes,
    )
    return summed
