"""From outputs of the backbone to features that predict tokens."""

from typing import Any

import keras
from keras import ops

from textapps.core.tokens import PAD


class TokenHead(keras.layers.Layer):
    """Predicts, from each output of a backbone behind a stem, tokens at some places near it.

    With `neighbours`, a prediction also reads so many tokens next to the target, on the side from
    which the backbone comes. The backbone need not learn then what they tell.

    Args:
        units: width of the features.
        places: of the predicted tokens, counted from token `stride` · step: after what the output
            has read (the neighbours are before a target) or before it (after a target).
        stride: that of the stem.
    """

    def __init__(
        self, units: int, places: list[int], stride: int, neighbours: int = 0, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.places = places
        self.stride = stride
        self.neighbours = neighbours
        self.units = units
        self.inner = 2 * units if neighbours else units
        self.ahead = places[0] > 0
        self.norm = keras.layers.LayerNormalization(epsilon=1e-6, name="norm")
        self.dense = keras.layers.Dense(len(places) * self.inner, name="dense")
        self.local: Any = None
        self.out: Any = None
        if neighbours:
            self.local = keras.layers.Conv1D(self.inner, neighbours, use_bias=False, name="local")
            self.out = keras.layers.Dense(units, name="out")
        self.supports_masking = True

    def build(self, inputs_shape: Any) -> None:
        """Creates the weights; `inputs_shape` is that of the outputs of the backbone."""
        self.norm.build(inputs_shape)
        self.dense.build(inputs_shape)
        if self.neighbours:
            self.local.build((None, None, self.units))
            self.out.build((None, None, self.inner))
        self.built = True

    def call(self, x: Any, ids: Any, embedded: Any, mask: Any) -> tuple[Any, Any]:
        """The features that predict tokens, and the tokens.

        Args:
            x: float[batch, steps, width].
            ids: int32[batch, time], the targets.
            embedded: float[batch, time, units], the same tokens as neighbours, 0 for padding.
            mask: bool[batch, steps], which steps are valid.

        Returns:
            float[batch, steps · places, units], int32[batch, steps · places]; PAD is no target.
        """
        rows, steps = ops.shape(x)[:2]
        count = len(self.places)
        features = ops.reshape(self.dense(self.norm(x)), (rows, steps, count, self.inner))
        if self.neighbours:
            width = ((0, 0), (self.neighbours, 0), (0, 0))
            if not self.ahead:
                embedded, width = embedded[:, 1:], ((0, 0), (0, self.neighbours), (0, 0))
            local = self.local(ops.pad(embedded, width))[:, : ops.shape(ids)[1]]
            features = features + at_places(local, self.places, self.stride, steps)
            features = self.out(ops.gelu(features))
        targets = at_places(ids, self.places, self.stride, steps)
        targets = ops.where(mask[:, :, None], targets, PAD)
        return (
            ops.reshape(features, (rows, steps * count, self.units)),
            ops.reshape(targets, (rows, steps * count)),
        )


def at_places(values: Any, places: list[int], stride: int, steps: Any) -> Any:
    """[batch, time, …] → [batch, steps, places, …]: the value at stride · step + place, or 0."""
    before, after = max(0, -min(places)), max(0, max(places)) + stride
    rest = ((0, 0),) * (len(values.shape) - 2)
    wide = ops.pad(values, ((0, 0), (before, after), *rest))
    columns = [
        wide[:, before + place : before + place + steps * stride : stride] for place in places
    ]
    return ops.stack(columns, axis=2)
