"""Mel bands and the cosine transform."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from textapps.core.errors import ConfigurationError

# Converters to int8 do not quantise constants of less than 1,024 numbers. Energies must stay exact,
# because their logarithm makes errors in soft ones as visible as errors in loud ones.
_LARGEST_BLOCK = 1_023


class MelBands:
    """Sums the energies of frequencies in triangular bands that overlap by half.

    The bands are equally wide on the mel scale, 2595 · log10(1 + f / 700) (O'Shaughnessy 1987,
    page 150), and each peaks at 1. Most weights are zero, so the product is computed in blocks of
    neighbouring bands.

    Args:
        bands: number of bands.
        bins: number of frequencies of the spectrum, from 0 to half of `sample_rate`.
        low_hz, high_hz: start of the first band and end of the last one.

    Raises:
        ConfigurationError: a band is so narrow that it contains no frequency of the spectrum.
    """

    def __init__(
        self, bands: int, bins: int, sample_rate: int, low_hz: float, high_hz: float
    ) -> None:
        with tf.init_scope():  # in 64 bits: single precision moves a weight by up to 1e-5
            weights = tf.signal.linear_to_mel_weight_matrix(
                bands, bins, sample_rate, low_hz, high_hz, tf.float64
            )
        self.weights: NDArray[np.float32] = weights.numpy().astype(np.float32)
        empty = np.flatnonzero(self.weights.max(axis=0) < 1e-3)
        if len(empty):
            raise ConfigurationError(
                f"preprocessor.mels {bands} is too many: band {empty[0]} contains no frequency of "
                "the spectrum; choose fewer mels or a longer window_ms"
            )
        self._blocks = list(_blocks(self.weights))

    def __call__(self, energies: Any) -> Any:
        """float32[…, bins] → float32[…, bands]."""
        parts = [
            tf.matmul(energies[..., first:last], weights) for first, last, weights in self._blocks
        ]
        return tf.concat(parts, axis=-1)


def cosine_transform(inputs: int, outputs: int) -> NDArray[np.float32]:
    """The first `outputs` of the orthonormal DCT-II, as a matrix float32[inputs, outputs].

    >>> matrix = cosine_transform(5, 5)
    >>> bool(np.allclose(matrix.T @ matrix, np.eye(5), atol=1e-6))
    True
    """
    from scipy.fft import dct  # takes 0.1 s to import, and most front ends do without it

    matrix = dct(np.eye(inputs), norm="ortho")[:, :outputs]
    result: NDArray[np.float32] = matrix.astype(np.float32)
    return result


def _blocks(weights: NDArray[np.float32]) -> Iterator[tuple[int, int, NDArray[np.float32]]]:
    """(first bin, last bin + 1, float32[bins, bands]) of each block, as large as allowed."""
    used = [np.flatnonzero(band) for band in weights.T]
    start = 0
    for band in range(1, len(used) + 1):
        first = used[start][0]
        full = band < len(used) and (
            (used[band][-1] + 1 - first) * (band + 1 - start) > _LARGEST_BLOCK
        )
        if full or band == len(used):
            last = used[band - 1][-1] + 1
            yield int(first), int(last), weights[first:last, start:band]
            start = band
