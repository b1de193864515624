"""Telling other words from commands with a margin that is chosen on validation."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from textapps.datasets.clips.config import UNKNOWN


class Rejection:
    """Raises the logit of `unknown` by a threshold, so that a command needs a margin above it.

    The scores are the probabilities with that logit, so the label is still the most likely one,
    and a detector that averages scores over a stream rejects other words as well.

    Args:
        labels: in the order of the logits.
        threshold: in nats; None changes nothing.
    """

    def __init__(self, labels: Sequence[str], threshold: float | None) -> None:
        self.threshold = threshold
        raised = np.array([label == UNKNOWN for label in labels], np.float32)
        self._raise = raised * np.float32(threshold or 0.0)

    def __call__(self, logits: Any) -> Any:
        """float32[..., labels] → the same shape."""
        return logits if self.threshold is None else logits + tf.constant(self._raise)
