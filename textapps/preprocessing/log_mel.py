"""The front end: waveforms to feature frames, in training and in the exported graph."""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from textapps.preprocessing.channel_energy import ChannelEnergy
from textapps.preprocessing.config import AudioConfig
from textapps.preprocessing.framing import Framer, State
from textapps.preprocessing.mel import MelBands, cosine_transform
from textapps.preprocessing.normalization import Normalization

FLOOR = 1e-6  # added to energies, so that silence has a logarithm; -80 dB is just above it
_LOWER_FLOOR = 1e-10  # where features do not depend on the level

Bands = Callable[[Any], Any]  # float32[batch, time, bins] → float32[batch, time, mels]


class FrontEnd(tf.Module):
    """Log-mel spectrogram, MFCC (Davis and Mermelstein 1980, section II) or PCEN of a waveform.

    It applies Hann windows without centring, takes energies from the FFT and log(mel + 1e-6), and
    normalises each feature with a fixed mean and deviation. A frame depends only on its own
    samples, not on other rows of the batch or on later samples. With PCEN, it also depends on the
    frames before it: see `ChannelEnergy`.

    The law: chunks of any lengths, with the state passed along, give the frames of the whole.

    Args:
        config: sample rate, sizes and kind of features.
        normalization: None leaves the features as they are.

    Raises:
        ConfigurationError: more mel bands than the spectrum can resolve.

    >>> front_end = FrontEnd(AudioConfig(mels=20))
    >>> front_end.frames(tf.zeros([3, 16_000])).shape
    TensorShape([3, 98, 20])
    """

    def __init__(self, config: AudioConfig, normalization: Normalization | None = None) -> None:
        super().__init__()
        self.config = config
        self.normalization = normalization
        window = config.window_samples
        self.framer = Framer(window, config.hop_samples)
        self.fft_size: int = 2 ** (window - 1).bit_length()
        turns = np.arange(window) / window
        self.window = (0.5 - 0.5 * np.cos(2 * np.pi * turns)).astype(np.float32)
        self.bands = MelBands(
            config.mels,
            self.bins,
            config.sample_rate,
            config.low_hz,
            config.high_hz,
        )
        self._transform = None
        if config.kind == "mfcc":
            self._transform = cosine_transform(config.mels, config.coefficients)
        self.channel_energy = ChannelEnergy(config.mels) if config.kind == "pcen" else None

    @classmethod
    def learn(cls, config: AudioConfig, waveforms: Iterable[Any]) -> "FrontEnd":
        """Learns the normalisation from batches of training clips, float32[batch, samples].

        Raises:
            DataError: there are none.
        """
        plain = cls(config)
        spec = [tf.TensorSpec([None, None], tf.float32)]
        frames = tf.function(plain.frames, input_signature=spec, autograph=False)
        return cls(config, Normalization.learn(frames(batch).numpy() for batch in waveforms))

    @property
    def bins(self) -> int:
        """Frequencies of a spectrum, from 0 to half of the sample rate."""
        return self.fft_size // 2 + 1

    def frames(self, waveform: Any, bands: Bands | None = None) -> Any:
        """float32[batch, samples] → float32[batch, time, features].

        One frame per complete window; none if the waveform is shorter than a window.

        Args:
            bands: other mel bands than those of the configuration, such as a `TractWarp`.
        """
        energies = self._energies(self.framer.frames(waveform), bands)
        return self._features(energies)[0]

    def log_mels(self, waveform: Any) -> Any:
        """float32[batch, samples] → float32[batch, time, mels], before transform and scaling."""
        return tf.math.log(self._energies(self.framer.frames(waveform)) + self._floor)

    def from_log_mels(self, log_mels: Any) -> Any:
        """float32[batch, time, mels] → float32[batch, time, features]."""
        if self.channel_energy is None:
            return self._scaled(log_mels)
        return self._features(tf.nn.relu(tf.exp(log_mels) - self._floor))[0]

    def initial_state(self, batch: Any) -> State:
        """The state before the first sample of `batch` waveforms: zeros."""
        state = self.framer.initial_state(batch)
        if self.channel_energy is not None:
            state |= self.channel_energy.initial_state(batch)
        return state

    def next_frames(
        self, waveform: Any, state: State | None = None, samples: Any = None
    ) -> tuple[Any, Any, State]:
        """The frames that a chunk completes.

        Args:
            waveform: float32[batch, chunk], the next samples.
            state: see `Framer` and `ChannelEnergy`; None at the start.
            samples: int32[batch], the valid samples of each row; None: all.

        Returns:
            float32[batch, time, features]; bool[batch, time], a mask of the valid ones, which are
            on the left; the new state.
        """
        windows, mask, new = self.framer.next_frames(waveform, state, samples)
        features, past = self._features(self._energies(windows), state, mask)
        return features, mask, {**new, **past}

    def save(self, directory: Path) -> None:
        """Writes the normalisation; the configuration is in the run's config.toml."""
        if self.normalization is not None:
            self.normalization.save(directory)

    @classmethod
    def load(cls, directory: Path, config: AudioConfig) -> "FrontEnd":
        """Reads what `save` wrote.

        Raises:
            RunError: the normalisation is missing, damaged or for other features.
        """
        return cls(config, Normalization.load(directory, config.features))

    @property
    def _floor(self) -> float:
        return FLOOR if self.channel_energy is None else _LOWER_FLOOR

    def _features(
        self, energies: Any, state: State | None = None, mask: Any = None
    ) -> tuple[Any, State]:
        """float32[batch, time, mels] → float32[batch, time, features], state of the energies."""
        if self.channel_energy is None:
            return self._scaled(tf.math.log(energies + FLOOR)), {}
        features, past = self.channel_energy(energies, state, mask)
        return self._scaled(features), past

    def _scaled(self, features: Any) -> Any:
        """float32[batch, time, mels] → float32[batch, time, features]."""
        if self._transform is not None:
            features = tf.matmul(features, self._transform)
        return features if self.normalization is None else self.normalization(features)

    def _energies(self, windows: Any, bands: Bands | None = None) -> Any:
        """float32[batch, time, window] → float32[batch, time, mels]."""
        spectrum = tf.signal.rfft(windows * self.window, [self.fft_size])
        energies = tf.math.real(spectrum) ** 2 + tf.math.imag(spectrum) ** 2
        return (bands or self.bands)(energies)
