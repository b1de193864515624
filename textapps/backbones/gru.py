"""The mixer of the backbone gru."""

from typing import Any, ClassVar

import keras

from textapps.backbones.recurrent import RecurrentMixer


@keras.saving.register_keras_serializable("textapps")
class GRU(RecurrentMixer):
    """The gated recurrent unit (Cho et al. 2014), with the reset gate after the matrix product.

    That is the form which Keras and cuDNN compute:

        z = σ(x Wz + h Uz + bz)      r = σ(x Wr + h Ur + br)
        h' = z h + (1 - z) tanh(x Wh + bh + r (h Uh + ch))
    """

    options: ClassVar = ("activation", "recurrent_activation")

    def make_layer(self, units: int, **options: Any) -> Any:
        """See `RecurrentMixer`."""
        return keras.layers.GRU(units, **options)
