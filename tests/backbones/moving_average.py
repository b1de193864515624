"""A mixer as small as one can be: the whole file of a backbone that is not in the package."""

import keras
from keras import ops

from textapps.backbones.mixer import Mixer


@keras.saving.register_keras_serializable("textapps-tests")
class MovingAverage(Mixer):
    """Exponential moving average of each feature: y' = a y + (1 - a) x, with a learned a.

    Not causal: the sum of what comes from both sides, with weights a^distance.
    """

    leaves = ("average",)
    feed_forward_factor = 1

    def build(self, inputs_shape):
        """Creates the decay of each feature."""
        self.decay = self.add_weight(shape=(self.units,), initializer="zeros", name="decay")
        self.built = True

    def call(self, inputs, state=None, mask=None):
        """float[batch, time, units], state, bool[batch, time] → outputs, new state."""
        batch, time = ops.shape(inputs)[:2]
        keep = ops.sigmoid(ops.cast(self.decay, inputs.dtype))
        steps = ops.arange(time)
        distance = steps[:, None] - steps[None, :]
        seen = distance >= 0 if self.causal else ops.ones_like(distance, "bool")
        powers = keep ** ops.cast(ops.abs(distance), inputs.dtype)[:, :, None]
        weights = ops.where(seen[:, :, None], (1 - keep) * powers, 0)
        if mask is not None:
            inputs = ops.where(mask[:, :, None], inputs, 0)
        outputs = ops.sum(weights[None] * inputs[:, None], axis=2)
        if not self.causal:
            return outputs, ()
        old = self.initial_state(batch)["average"] if state is None else state["average"]
        outputs += old[:, None] * keep ** ops.cast(steps + 1, inputs.dtype)[None, :, None]
        count = ops.full((batch,), time) if mask is None else ops.sum(ops.cast(mask, "int32"), 1)
        everything = ops.concatenate([old[:, None], outputs], axis=1)
        last = ops.take_along_axis(everything, ops.cast(count, "int32")[:, None, None], axis=1)
        return outputs, {"average": last[:, 0]}
