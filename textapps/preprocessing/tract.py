"""Vocal tracts of other lengths: spectra with a stretched frequency axis."""

from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from textapps.preprocessing.config import AudioConfig

LENGTHS = 11  # how many different ones; neighbours differ by 2 % with the usual 10 %
_KEPT = 0.6  # of the frequencies: above, the axis is bent so that its end stays where it is


class TractWarp:
    """Mel bands of voices whose vocal tract is longer or shorter.

    Each clip gets one of `LENGTHS` factors, equally spaced from 1 - percent / 100 to
    1 + percent / 100. A frequency counts as though it were the factor times as high: vocal-tract
    length perturbation (Jaitly and Hinton 2013, section 3).

    Args:
        audio: the front end's configuration.
        bins: frequencies of a spectrum, from 0 to half of the sample rate.
        percent: the largest change.
    """

    def __init__(self, audio: AudioConfig, bins: int, percent: int) -> None:
        nyquist_hz = audio.sample_rate / 2
        hertz = np.linspace(0, nyquist_hz, bins)
        factors = np.linspace(1 - percent / 100, 1 + percent / 100, LENGTHS)
        self._matrices = tf.constant(
            np.stack([_weights(_warped(hertz, each, nyquist_hz), audio) for each in factors])
        )

    def __call__(self, energies: Any, draw: Any) -> Any:
        """float32[batch, time, bins], float32[batch] in [0, 1) → float32[batch, time, mels]."""
        chosen = tf.cast(draw * LENGTHS, tf.int32)
        return tf.matmul(energies, tf.gather(self._matrices, chosen))


def _warped(hertz: NDArray[np.float64], factor: float, nyquist_hz: float) -> NDArray[np.float64]:
    """Piecewise linear: `factor` times as high up to a boundary, then straight to the end."""
    boundary = _KEPT * nyquist_hz * min(factor, 1) / factor
    above = nyquist_hz - (nyquist_hz - factor * boundary) / (nyquist_hz - boundary) * (
        nyquist_hz - hertz
    )
    return np.where(hertz <= boundary, factor * hertz, above)


def _weights(hertz: NDArray[np.float64], audio: AudioConfig) -> NDArray[np.float32]:
    """float32[bins, mels]: the triangles of `MelBands` at these frequencies."""
    mel = np.log1p(hertz / 700)
    low, high = np.log1p(audio.low_hz / 700), np.log1p(audio.high_hz / 700)
    edges = np.linspace(low, high, audio.mels + 2)
    lower, middle, upper = edges[:-2], edges[1:-1], edges[2:]
    rising = (mel[:, None] - lower) / (middle - lower)
    falling = (upper - mel[:, None]) / (upper - middle)
    weights: NDArray[np.float32] = np.maximum(0, np.minimum(rising, falling)).astype(np.float32)
    weights[0] = 0  # the constant part of a signal is no sound
    return weights
