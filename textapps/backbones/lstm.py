"""The mixer of the backbone lstm."""

from typing import Any, ClassVar

import keras

from textapps.backbones.recurrent import RecurrentMixer


@keras.saving.register_keras_serializable("textapps")
class LSTM(RecurrentMixer):
    """Long short-term memory (Hochreiter and Schmidhuber 1997; forget gate: Gers et al. 2000).

    i, f, g, o = split(x W + h U + b)
    c' = σ(f) c + σ(i) tanh(g)        h' = σ(o) tanh(c')
    """

    options: ClassVar = ("activation", "recurrent_activation")
    leaves: ClassVar = ("h", "c")

    def make_layer(self, units: int, **options: Any) -> Any:
        """See `RecurrentMixer`."""
        return keras.layers.LSTM(units, **options)
