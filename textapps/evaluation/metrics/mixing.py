"""Noise mixed into clips at a given ratio of signal and noise, the same at every call."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from textapps.core.errors import DataError

Floats = npt.NDArray[np.float32]

FRAME_MS = 25
# Frames quieter than this below the loudest are pauses: a word of half a second in a clip of one
# second would otherwise be counted 3 dB too quiet, and a shorter one more.
VOICED_WITHIN_DB = 30.0


def mixed_at(
    waveforms: npt.ArrayLike,
    noises: Sequence[npt.ArrayLike],
    snr_db: float,
    *,
    sample_rate_hz: int = 16_000,
    seed: int = 0,
    first: int = 0,
) -> Floats:
    """Clips with background noise, float32[clips, samples].

    The ratio is that of the mean power of a clip where it is voiced to that of its noise. Each
    clip has its piece of noise, which depends on the seed and the number of the clip alone: it is
    the same at every ratio, whatever the neighbours. A mixture that would leave [-1, 1] is made
    quieter, both parts of it alike. A clip or a piece of noise that is digital silence has no
    ratio: such a clip stays as it is.

    Args:
        waveforms: float[clips, samples] in [-1, 1].
        noises: recordings float[samples] of any lengths; a short one is repeated.
        snr_db: 0 for a noise as loud as the word.
        first: the number of the first clip, for who mixes a set in parts.

    Raises:
        DataError: no noise, or arrays of other shapes.
    """
    clips = np.asarray(waveforms, np.float32)
    recordings = [np.asarray(noise, np.float32) for noise in noises]
    if clips.ndim != 2:
        raise DataError(f"mixing needs waveforms[clips, samples], not shape {clips.shape}")
    if not recordings or any(noise.ndim != 1 or not len(noise) for noise in recordings):
        raise DataError("mixing needs one recording of noise or more, each float[samples]")
    mixed = np.empty_like(clips)
    for i, clip in enumerate(clips):
        random = np.random.default_rng([seed, first + i])
        noise = recordings[random.integers(len(recordings))]
        start = random.integers(len(noise))
        piece = np.take(noise, np.arange(start, start + len(clip)), mode="wrap")
        mixed[i] = _mixed(clip, piece, snr_db, sample_rate_hz)
    return mixed


def voiced_rms(waveform: npt.ArrayLike, sample_rate_hz: int = 16_000) -> float:
    """The root of the mean power of the frames that are within 30 dB of the loudest.

    >>> voiced_rms(np.r_[np.zeros(4000), np.tile([0.5, -0.5], 2000)])
    0.5
    """
    samples = np.asarray(waveform, np.float64)
    if not len(samples):
        return 0.0
    size = max(1, sample_rate_hz * FRAME_MS // 1000)
    starts = np.arange(0, len(samples), size)
    sizes = np.diff(np.append(starts, len(samples)))
    powers = np.add.reduceat(samples**2, starts) / sizes
    voiced = powers >= powers.max() * 10 ** (-VOICED_WITHIN_DB / 10)
    return float(np.sqrt(np.average(powers[voiced], weights=sizes[voiced])))


def _mixed(clip: Floats, noise: Floats, snr_db: float, sample_rate_hz: int) -> Floats:
    signal = voiced_rms(clip, sample_rate_hz)
    background = float(np.sqrt(np.mean(noise.astype(np.float64) ** 2))) if len(noise) else 0.0
    if not signal or not background:
        return clip
    sum_of_both = clip + noise * np.float32(signal / background * 10 ** (-snr_db / 20))
    loudest = float(np.abs(sum_of_both).max())
    return np.asarray(sum_of_both / max(1.0, loudest), np.float32)
