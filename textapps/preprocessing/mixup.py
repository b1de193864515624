"""Mixtures of two clips and of their labels."""

from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf

_QUANTILES = 4_096


class Mixup:
    """Mixes each row of a batch with the row before it (Zhang et al. 2018, section 2).

    The share of a row in its mixture is drawn from Beta(alpha, alpha), and is at least one half, so
    the label of a mixture is that of its row.

    Args:
        alpha: above 0; the smaller, the closer are shares to 1.
    """

    def __init__(self, alpha: float) -> None:
        from scipy.stats import beta  # slow to import, and needed in training only

        places = (np.arange(_QUANTILES) + 0.5) / _QUANTILES
        shares = beta.ppf(places, alpha, alpha)
        self._shares = tf.constant(np.maximum(shares, 1 - shares), tf.float32)

    def shares(self, draw: Any) -> Any:
        """float32[batch] in [0, 1) → the share of each row, float32[batch] in [0.5, 1]."""
        return tf.gather(self._shares, tf.cast(draw * _QUANTILES, tf.int32))

    @staticmethod
    def mixed(rows: Any, shares: Any) -> Any:
        """float32[batch, any], float32[batch] → float32[batch, any]."""
        return shares[:, None] * rows + (1 - shares)[:, None] * tf.roll(rows, 1, axis=0)

    @staticmethod
    def loss(loss_of: Callable[[Any], Any], labels: Any, shares: Any) -> Any:
        """The loss of mixtures, float32[batch], from that of their rows and of those before.

        Args:
            loss_of: int32[batch], labels → float32[batch].
            labels: int32[batch], of the rows.
            shares: float32[batch].
        """
        other = loss_of(tf.roll(labels, 1, axis=0))
        return shares * loss_of(labels) + (1 - shares) * other
