"""What stands in the place of a backbone where there is none."""

from typing import Any

import keras


@keras.saving.register_keras_serializable("textapps")
class NoBackbone(keras.layers.Layer):
    """Returns its inputs and no state; it is called as a `Backbone` is.

    Args:
        causal: as for `Backbone`.
    """

    def __init__(self, *, causal: bool, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.causal = causal
        self.supports_masking = True

    def call(
        self, inputs: Any, state: Any = None, mask: Any = None, training: bool | None = None
    ) -> tuple[Any, Any]:
        """float[batch, time, units] → the same, ()."""
        return inputs, ()

    def initial_state(self, batch: Any) -> Any:
        """Nothing."""
        return ()

    def compute_mask(self, inputs: Any, previous_mask: Any) -> None:
        """The mask is not passed on."""

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {**super().get_config(), "causal": self.causal}
