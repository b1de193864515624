"""The mixer of the backbone simple_rnn."""

from typing import Any, ClassVar

import keras

from textapps.backbones.recurrent import RecurrentMixer


@keras.saving.register_keras_serializable("textapps")
class SimpleRNN(RecurrentMixer):
    """The simple recurrent network (Elman 1990): h' = tanh(x W + h U + b)."""

    options: ClassVar = ("activation",)

    def make_layer(self, units: int, **options: Any) -> Any:
        """See `RecurrentMixer`."""
        return keras.layers.SimpleRNN(units, **options)
