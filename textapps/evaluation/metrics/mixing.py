"""Mixes noise into clips at a given signal-to-noise ratio, the same way at every call."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from textapps.core.errors import DataError

Floats = npt.NDArray[np.float32]

FRAME_MS = 25
# Frames that are further below the loudest one are pauses. If they counted, the level of a
# half-second word in a clip of one second would be 3 dB too low, and that of a shorter one lower.
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

    The ratio compares the mean power of the voiced part of a clip with that of its noise. Each clip
    gets its own section of noise, which depends only on the seed and the number of the clip, so it
    is the same at every ratio and with any other clips. A mixture that would exceed [-1, 1] is
    scaled down as a whole. If a clip or its noise is digital silence, there is no ratio and the
    clip stays unchanged.

    Args:
        waveforms: float[clips, samples] in [-1, 1].
        noises: recordings float[samples] of any lengths; a short one is repeated.
        snr_db: 0 for noise as loud as the word.
        first: the number of the first clip, to mix a set in parts.

    Raises:
        DataError: there is no noise, or an array has another shape.
    """
    clips = np.asarray(waveforms, np.float32)
    recordings = [np.asarray(noise, np.float32) for noise in noises]
    if clips.ndim != 2:
        raise DataError(f"mixing needs waveforms[clips, samples], not shape {clips.shape}")
    if not recordings or any(noise.ndim != 1 or not len(noise) for noise in recordings):
        raise DataError("mixing needs at least one noise recording, each float[samples]")
    mixed = np.empty_like(clips)
    for i, clip in enumerate(clips):
        random = np.random.default_rng([seed, first + i])
        noise = recordings[random.integers(len(recordings))]
        start = random.integers(len(noise))
        piece = np.take(noise, np.arange(start, start + len(clip)), mode="wrap")
        mixed[i] = _mixed(clip, piece, snr_db, sample_rate_hz)
    return mixed


def voiced_rms(waveform: npt.ArrayLike, sample_rate_hz: int = 16_000) -> float:
    """The root mean square of the frames within 30 dB of the loudest one.

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
