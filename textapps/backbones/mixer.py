"""What mixes the positions of a sequence: the part in which the backbones differ."""

from typing import Any, ClassVar, Self

import keras
from keras import ops

from textapps.backbones.config import BackboneConfig


class Mixer(keras.layers.Layer):
    """A stateful map over chunks, `outputs, state = mixer(inputs, state, mask)`; see `Backbone`.

    A subclass has an own `__init__`, `build` and `call`. Attributes of the class say what else the
    rest of the package must know:

    options              fields of `BackboneConfig` that the constructor takes by name. Without
                         "activation", that field is the activation of the feed-forward part.
    leaves               names of the state's tensors
    feed_forward_factor  inner width of the feed-forward part where the configuration leaves it
                         open, in multiples of `units`; 0 for no such part
    compiled_from        number of decoding steps from which compiling the loop with XLA saves time

    Args:
        units: width of inputs and outputs.
        causal: whether a position sees only itself and what is before it. If not, there is no
            state: it is ().
    """

    options: ClassVar[tuple[str, ...]] = ()
    leaves: ClassVar[tuple[str, ...]] = ()
    feed_forward_factor: ClassVar[int] = 0
    compiled_from: ClassVar[int] = 20_000

    def __init__(self, units: int, causal: bool = True, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.units = units
        self.causal = causal
        self.supports_masking = True

    @classmethod
    def check(cls, config: BackboneConfig, causal: bool) -> None:
        """Raises ConfigurationError for sizes that the mixer cannot have."""

    @classmethod
    def of(cls, config: BackboneConfig, causal: bool, **kwargs: Any) -> Self:
        """The mixer that a configuration describes; `kwargs` are Keras's name and dtype."""
        options = {name: getattr(config, name) for name in cls.options}
        return cls(config.units, causal, **options, **kwargs)

    def initial_state(self, batch: Any) -> Any:
        """The state at the start of `batch` sequences: zeros, by default `units` of each leaf."""
        if not self.causal:
            return ()
        return {leaf: ops.zeros((batch, self.units), self.compute_dtype) for leaf in self.leaves}

    def search_state(self, batch: Any, beams: int, room: int | None = None) -> Any:
        """The state at the start of `batch` searches with up to `beams` rows each.

        With `room` for a number of positions its arrays keep their sizes, and it has all rows.
        """
        return self.initial_state(batch if room is None else batch * beams)

    def reorder(self, state: Any, rows: Any) -> Any:
        """The state of a search whose row i goes on from what row int32[rows][i] has read."""
        return {name: ops.take(leaf, rows, axis=0) for name, leaf in state.items()}

    def tables(self, state: Any) -> Any:
        """What the `step` of every block needs for the next position, from the first one's state.

        The state of the others has read equally much.
        """
        return ()

    def step(self, inputs: Any, state: Any, tables: Any) -> tuple[Any, Any]:
        """As a call for one position without padding, float[batch, width] → outputs, new state.

        A subclass overrides it to spare what only sequences need.
        """
        outputs, state = self(inputs[:, None], state=state)
        return outputs[:, 0], state

    def begin_decode(self, state: Any, room: int) -> Any:
        """The state for at most `room` calls of one position each, without padding."""
        return state

    def end_decode(self, state: Any) -> Any:
        """The state that any call takes, from one that `begin_decode` made."""
        return state

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        options = {name: getattr(self, name) for name in self.options}
        return {**super().get_config(), "units": self.units, "causal": self.causal, **options}
