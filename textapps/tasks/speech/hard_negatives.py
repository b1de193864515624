"""Hard negatives: clips of other words that the model takes for commands."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from keras import ops

from textapps.core.errors import ConfigurationError
from textapps.datasets.clips.config import SILENCE, UNKNOWN


class HardNegatives:
    """Mines hard negatives online, in each batch of training (Shrivastava et al. 2016, section 4).

    The loss of a clip of `unknown` is multiplied by 1 + weight · p, where p is the probability of
    all commands together that the model gives it at that moment. So what is mined follows from the
    weights alone, and a resumed run repeats it.

    Args:
        labels: in the order of the logits.
        weight: above 0.

    Raises:
        ConfigurationError: there is no class `unknown`.
    """

    def __init__(self, labels: Sequence[str], weight: float) -> None:
        if UNKNOWN not in labels:
            raise ConfigurationError("--hard-negatives needs the class unknown: give --commands")
        self._weight = weight
        self._unknown = labels.index(UNKNOWN)
        commands = [label not in (UNKNOWN, SILENCE) for label in labels]
        self._commands = np.array(commands, np.float32)

    def weights(self, labels: Any, logits: Any) -> Any:
        """float32[batch], by which losses are multiplied.

        Args:
            labels: int32[batch], the true classes.
            logits: float32[batch, classes].
        """
        taken = ops.sum(ops.softmax(logits) * self._commands, axis=-1)
        negative = ops.cast(ops.equal(labels, self._unknown), "float32")
        return 1.0 + self._weight * negative * ops.stop_gradient(taken)
