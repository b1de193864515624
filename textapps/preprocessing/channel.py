"""Random rooms, telephone lines and levels: what lies between a voice and a recording."""

from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from textapps.preprocessing.augmentation_config import AugmentationConfig
from textapps.preprocessing.config import AudioConfig
from textapps.preprocessing.rooms import room_response

DRAWS = 6
ROOMS = 48
_SHORTEST_SECONDS = 0.1
_DIRECT_DB = (-3.0, 10.0)  # direct sound against echoes, far from and near the microphone
_NARROW_HZ = 4_000.0  # what a rate of 8 kHz can hold
_LINE_HZ = (300.0, 3_400.0)  # ITU-T G.712
_MU = 255.0
FULL_SCALE = 32_768.0


class Channel:
    """Reverberation, a band of 8 kHz or of a telephone, and the level of waveforms.

    The caller provides the randomness, as for `Augmentation`: a clip depends only on its own
    `DRAWS` numbers. The rooms are the same in every run. Only clips that are changed are computed;
    room and band are one product of spectra.

    Args:
        config: the shares and ranges.
        audio: rate and length of clips.
    """

    def __init__(self, config: AugmentationConfig, audio: AudioConfig) -> None:
        self.config = config
        self._rate_hz = audio.sample_rate
        self._size = 0
        if config.room_share or config.telephone_share:
            echo = round(config.room_seconds * audio.sample_rate) if config.room_share else 0
            self._size = _fast_size(audio.clip_samples + echo)
            self._rooms = tf.constant(self._room_spectra())
            self._bands = tf.constant(self._band_gains())

    def __call__(self, clips: Any, draws: Any) -> Any:
        """float32[batch, samples], float32[batch, DRAWS] → float32[batch, samples] in [-1, 1]."""
        config = self.config
        room, which, narrow, line, changed, level = tf.unstack(draws[:, :DRAWS], axis=1)
        in_room, is_narrow = room < config.room_share, narrow < config.telephone_share
        if self._size:
            place = tf.where(in_room, 1 + tf.cast(which * ROOMS, tf.int32), 0)
            band = tf.where(is_narrow, 1 + tf.cast(line * 2, tf.int32), 0)
            clips = self._transmitted(clips, place, band)
        if config.level_share:
            gain_db = config.level_low_db + level * (config.level_high_db - config.level_low_db)
            levelled = tf.clip_by_value(clips * (10.0 ** (gain_db / 20))[:, None], -1.0, 1.0)
            levelled = tf.round(levelled * FULL_SCALE) / FULL_SCALE
            clips = tf.where((changed < config.level_share)[:, None], levelled, clips)
        return tf.clip_by_value(clips, -1.0, 1.0)

    def _transmitted(self, clips: Any, place: Any, band: Any) -> Any:
        """The clips in rooms and bands by their numbers, int32[batch] each; 0 changes nothing."""
        rows = tf.where((place > 0) | (band > 0))
        chosen = rows[:, 0]
        samples = tf.shape(clips)[1]
        # TensorFlow pads by itself, but not where there is no row.
        padded = tf.pad(tf.gather(clips, chosen), [[0, 0], [0, self._size - samples]])
        spectra = tf.signal.rfft(padded, [self._size])
        spectra *= tf.gather(self._rooms, tf.gather(place, chosen))
        spectra *= tf.gather(self._bands, tf.gather(band, chosen))
        on_line = tf.where(tf.gather(band, chosen) == 2)
        coded = self._coded(tf.gather(spectra, on_line[:, 0]))
        spectra = tf.tensor_scatter_nd_update(spectra, on_line, coded)
        sounds = tf.signal.irfft(spectra, [self._size])[:, :samples]
        return tf.ensure_shape(tf.tensor_scatter_nd_update(clips, rows, sounds), clips.shape)

    def _coded(self, spectra: Any) -> Any:
        """Spectra complex64[lines, frequencies] of sounds that were coded in µ-law at 8 kHz.

        ITU-T G.711 with its continuous curve in place of segments of straight lines.
        """
        bins = self._size // 2 + 1
        kept = min(round(self._size * _NARROW_HZ / self._rate_hz), bins - 1)
        scale = 2 * kept / self._size
        waves = tf.signal.irfft(spectra[:, : kept + 1] * tf.cast(scale, tf.complex64), [2 * kept])
        waves = tf.clip_by_value(waves, -1.0, 1.0)
        curved = tf.sign(waves) * tf.math.log1p(_MU * tf.abs(waves)) / np.log1p(_MU)
        steps = tf.round(curved * 127.5 + 0.5) - 0.5  # 256 steps, none of them zero
        decoded = tf.abs(steps) / 127.5
        waves = tf.sign(steps) * (tf.exp(decoded * np.log1p(_MU)) - 1) / _MU
        coded = tf.signal.rfft(waves, [2 * kept]) / tf.cast(scale, tf.complex64)
        return tf.pad(coded[:, :kept], [[0, 0], [0, bins - kept]])

    def _room_spectra(self) -> NDArray[np.complex64]:
        """complex64[1 + ROOMS, frequencies]; the first is no room."""
        random = np.random.default_rng(2017)
        spectra = np.ones((1 + ROOMS, self._size // 2 + 1), np.complex64)
        if self.config.room_share:
            for spectrum in spectra[1:]:
                seconds = np.exp(
                    random.uniform(np.log(_SHORTEST_SECONDS), np.log(self.config.room_seconds))
                )
                response = room_response(
                    self._rate_hz, float(seconds), random.uniform(*_DIRECT_DB), random
                )
                spectrum[:] = np.fft.rfft(response, self._size)
        return spectra

    def _band_gains(self) -> NDArray[np.complex64]:
        """complex64[3, frequencies]: everything, what 8 kHz holds, and what a telephone passes."""
        hertz = np.fft.rfftfreq(self._size, 1 / self._rate_hz)
        low, high = _LINE_HZ
        gains = [
            np.ones(len(hertz)),
            hertz < _NARROW_HZ,
            (hertz >= low) & (hertz <= high),
        ]
        return np.stack(gains).astype(np.complex64)


def _fast_size(samples: int) -> int:
    """An even size, not below `samples`, whose FFT is fast."""
    from scipy.fft import next_fast_len

    return 2 * int(next_fast_len(-(-samples // 2), real=True))
