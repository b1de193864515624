"""Generated background noise, for training against more than was recorded."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

SECONDS = 10
_RMS = 0.1
_COLOURS = (0.0, 0.5, 1.0)  # white, pink, brown: exponents of 1 / f of the amplitude
_HUM_HZ = (50.0, 60.0)
_TALKERS = 8  # who talk at once: with fewer of them, single words could be understood


def made_noises(rate_hz: int, voices: Sequence[Floats]) -> list[Floats]:
    """White, pink and brown noise, the hum of mains, and babble: float32[samples], 10 s each.

    The same at every call. Babble is eight voices at once.

    Args:
        rate_hz: the sample rate.
        voices: recordings of speech, float32[any]; no babble without them.
    """
    random = np.random.default_rng(1999)
    samples = SECONDS * rate_hz
    hertz = np.maximum(np.fft.rfftfreq(samples, 1 / rate_hz), 20)  # below, nothing is heard
    white = np.fft.rfft(random.normal(size=samples))
    made = [np.fft.irfft(white / hertz**colour, samples) for colour in _COLOURS]
    times = np.arange(samples) / rate_hz
    made += [_hum(times, each, rate_hz, random) for each in _HUM_HZ]
    spoken = [voice for voice in voices if np.any(voice)]
    if spoken:
        made.append(np.sum([_talk(spoken, samples, random) for _ in range(_TALKERS)], axis=0))
    return [(_RMS * each / np.sqrt(np.mean(each**2))).astype(np.float32) for each in made]


def _hum(
    times: NDArray[np.float64], hertz: float, rate_hz: int, random: np.random.Generator
) -> NDArray[np.float64]:
    """A tone and its overtones, each softer than the one before."""
    overtones = np.arange(1, int(min(1_000, rate_hz / 2) / hertz))
    phases = random.uniform(0, 2 * np.pi, len(overtones))
    waves = np.sin(2 * np.pi * hertz * overtones[:, None] * times + phases[:, None])
    total: NDArray[np.float64] = (waves / overtones[:, None]).sum(axis=0)
    return total


def _talk(
    voices: Sequence[Floats], samples: int, random: np.random.Generator
) -> NDArray[np.float64]:
    """Voices one after the other, in random order, all equally loud."""
    parts, there = [], 0
    while there < samples:
        voice = voices[int(random.integers(len(voices)))].astype(np.float64)
        parts.append(voice / np.sqrt(np.mean(voice**2)))
        there += len(voice)
    return np.concatenate(parts)[:samples]
