"""Random augmentation of training clips."""

from typing import Any

import tensorflow as tf

from textapps.preprocessing.augmentation_config import AugmentationConfig
from textapps.preprocessing.config import AudioConfig
from textapps.preprocessing.resampling import resample

_WAVEFORM_DRAWS = 6
_SILENCE = 1e-10  # mean square; a clip or noise at or below it is not mixed


class Augmentation:
    """Speed, shift, background noise and gain of waveforms; masks over frames.

    The caller provides the randomness: `draws` numbers in [0, 1) for each clip. The result for a
    clip therefore depends only on its own numbers, and a resumed run repeats it. `clip_seeds` gives
    the seeds from which to draw these numbers.

    Args:
        config: the ranges.
        audio: rate and sizes of clips and frames.
        noise: float32[samples], concatenated recordings of background noise at the rate of
            `audio`. If it is None or empty, no noise is mixed in.
    """

    def __init__(self, config: AugmentationConfig, audio: AudioConfig, noise: Any = None) -> None:
        self.config = config
        self.audio = audio
        masks = config.time_masks + config.frequency_masks
        self.draws = _WAVEFORM_DRAWS + 2 * masks
        # Shifts are whole milliseconds: shifting by single samples takes ten times as long.
        self._block = max(1, audio.sample_rate // 1_000)
        self._noise = None
        if config.noise_share and noise is not None and len(noise):
            size = self._block * -(-max(len(noise), audio.clip_samples) // self._block)
            repeats = -(-size // len(noise))
            repeated = tf.tile(tf.convert_to_tensor(noise, tf.float32), [repeats])[:size]
            self._noise = tf.reshape(repeated, [-1, self._block])

    def waveforms(self, clips: Any, draws: Any) -> Any:
        """An augmented version of each clip.

        Args:
            clips: float32[batch, samples].
            draws: float32[batch, draws].

        Returns:
            float32[batch, samples] in [-1, 1].
        """
        speed, shift, mixed, place, softness, gain = tf.unstack(draws[:, :_WAVEFORM_DRAWS], axis=1)
        clips = self._shifted(self._played(clips, speed), shift)
        clips = self._mixed(clips, mixed, place, softness)
        gain_db = (2 * gain - 1) * self.config.gain_db
        return tf.clip_by_value(clips * _amplitude(gain_db)[:, None], -1.0, 1.0)

    def frames(self, features: Any, draws: Any) -> Any:
        """Masks over time and over frequency (SpecAugment, Park et al. 2019, section 2).

        Masked values become 0, the mean of normalised features.

        Args:
            features: float32[batch, time, features].
            draws: float32[batch, draws], the same as for `waveforms`.
        """
        config = self.config
        _, time, width = tf.unstack(tf.shape(features))
        longest = tf.constant(round(config.time_mask_ms / self.audio.hop_ms))
        sizes = [(time, longest)] * config.time_masks
        sizes += [(width, tf.constant(config.frequency_mask))] * config.frequency_masks
        for index, (size, largest) in enumerate(sizes):
            first = _WAVEFORM_DRAWS + 2 * index
            kept = _outside(size, largest, draws[:, first], draws[:, first + 1])
            kept = kept[:, :, None] if index < config.time_masks else kept[:, None, :]
            features = tf.where(kept, features, 0)
        return features

    def _played(self, clips: Any, draw: Any) -> Any:
        """Each clip at one of five speeds; its middle does not move."""
        step = self.config.speed_percent
        if not step:
            return clips
        samples = tf.shape(clips)[1]
        # in half percent: 200 is the original speed
        speeds = [200 + half * step for half in (-2, -1, 0, 1, 2)]
        choice = tf.cast(draw * len(speeds), tf.int32)
        places = tf.dynamic_partition(tf.range(tf.shape(clips)[0]), choice, len(speeds))
        groups = [
            _centred(resample(tf.gather(clips, rows), speed, 200), samples)
            for rows, speed in zip(places, speeds, strict=True)
        ]
        played = tf.dynamic_stitch(places, groups)
        return tf.ensure_shape(played, clips.shape)

    def _shifted(self, clips: Any, draw: Any) -> Any:
        """Each clip shifted by up to `shift_ms` either way, padded with silence."""
        most = self.config.shift_ms
        if not most:
            return clips
        rows, samples = tf.unstack(tf.shape(clips))
        blocks = -(-samples // self._block)
        missing = blocks * self._block - samples
        around = most * self._block
        padded = tf.pad(clips, [[0, 0], [around, around + missing]])
        table = tf.reshape(padded, [-1, self._block])
        first = tf.cast(tf.floor(draw * (2 * most + 1)), tf.int32)
        first += tf.range(rows) * (blocks + 2 * most)
        shifted = tf.gather(table, first[:, None] + tf.range(blocks)[None])
        return tf.reshape(shifted, [rows, -1])[:, :samples]

    def _mixed(self, clips: Any, chosen: Any, place: Any, softness: Any) -> Any:
        """A share of the clips mixed with noise, at a power ratio drawn uniformly in dB."""
        if self._noise is None:
            return clips
        rows, samples = tf.unstack(tf.shape(clips))
        blocks, there = -(-samples // self._block), tf.shape(self._noise)[0]
        first = tf.cast(tf.floor(place * tf.cast(there, tf.float32)), tf.int32)
        pieces = tf.gather(self._noise, (first[:, None] + tf.range(blocks)[None]) % there)
        noise = tf.reshape(pieces, [rows, -1])[:, :samples]
        low, high = self.config.noise_low_db, self.config.noise_high_db
        power, noise_power = (tf.reduce_mean(x**2, axis=1) for x in (clips, noise))
        scale = tf.sqrt(power / tf.maximum(noise_power, _SILENCE))
        scale *= _amplitude(-(low + softness * (high - low)))
        audible = (power > _SILENCE) & (noise_power > _SILENCE)
        scale = tf.where((chosen < self.config.noise_share) & audible, scale, 0)
        return clips + scale[:, None] * noise


def clip_seeds(random_seed: int, pass_index: Any, places: Any) -> Any:
    """A seed for each clip in each pass: int64[batch].

    Args:
        random_seed: the run's.
        pass_index: int or int64[].
        places: int64[batch], positions of the clips in the pass.
    """
    first = tf.cast(pass_index, tf.int64) * 2**32 + random_seed * 0x5851F42D4C957F2D % 2**62
    return first + tf.cast(places, tf.int64)


def _outside(size: Any, largest: Any, width: Any, place: Any) -> Any:
    """bool[batch, size], False in one random stretch of 0 to `largest` positions per row."""
    largest = tf.minimum(largest, size)
    width = tf.floor(width * tf.cast(largest + 1, tf.float32))
    first = tf.floor(place * (tf.cast(size, tf.float32) - width + 1))[:, None]
    places = tf.range(tf.cast(size, tf.float32))[None]
    return (places < first) | (places >= first + width[:, None])


def _centred(clips: Any, samples: Any) -> Any:
    """float32[rows, any] → float32[rows, samples], cut or padded equally at both ends."""
    there = tf.shape(clips)[1]
    before = tf.maximum(there - samples, 0) // 2
    clips = clips[:, before : before + samples]
    missing = samples - tf.shape(clips)[1]
    return tf.pad(clips, [[0, 0], [missing // 2, missing - missing // 2]])


def _amplitude(decibels: Any) -> Any:
    return 10.0 ** (decibels / 20)
