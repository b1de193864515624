"""The versions of a recording from which a recogniser learns a word."""

from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from textapps.preprocessing.augmentation import Augmentation
from textapps.tasks.speech.config import SpeechConfig

VERSIONS = 17  # of each recording: as it is, and varied
_NOISE_SECONDS = 20


class Versions:
    """Recordings as they are and as training would vary them, in noise that is made here.

    The same in every call, and in the graph of an export.

    Args:
        config: of the recogniser.
        recordings: how many are varied in ways of their own.
    """

    def __init__(self, config: SpeechConfig, recordings: int) -> None:
        audio, drawn = config.preprocessor, np.random.RandomState(0)
        noise = _pink_noise(drawn, audio.sample_rate)
        self._varied = Augmentation(config.augmentation, audio, noise)
        draws = drawn.random_sample((recordings, VERSIONS - 1, self._varied.draws))
        self._draws = draws.astype(np.float32)

    def __call__(self, clips: Any, numbers: Any) -> Any:
        """float32[batch, samples] → float32[batch, `VERSIONS`, samples].

        Args:
            numbers: int32[batch], which recording each clip is, modulo their count.
        """
        copies = tf.repeat(clips, VERSIONS - 1, axis=0)
        draws = tf.gather(self._draws, numbers % len(self._draws))
        others = self._varied.waveforms(copies, tf.reshape(draws, [-1, self._varied.draws]))
        others = tf.reshape(others, [-1, VERSIONS - 1, clips.shape[1]])
        return tf.concat([clips[:, None], others], axis=1)


def _pink_noise(drawn: np.random.RandomState, rate_hz: int) -> NDArray[np.float32]:
    """float32[samples] of some seconds whose power falls with the frequency, as that of rooms."""
    spectrum = np.fft.rfft(drawn.normal(size=_NOISE_SECONDS * rate_hz))
    spectrum[1:] /= np.sqrt(np.arange(1, len(spectrum)))
    noise = np.fft.irfft(spectrum)
    level: NDArray[np.float32] = (0.1 * noise / noise.std()).astype(np.float32)
    return level
