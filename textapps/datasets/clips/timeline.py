"""Long recordings with words at known times, for what listens to a stream."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from textapps.core.errors import DataError
from textapps.core.events import Event
from textapps.datasets.clips.config import SILENCE
from textapps.datasets.clips.examples import Clips
from textapps.datasets.clips.noise import Noise

_FADE_SECONDS = 0.01  # a clip's own noise must not begin and end with a crack


class Timeline(NamedTuple):
    """A recording, and what is said in it in the order of time.

    waveform: float32[samples] in [-1, 1]
    events: the words by their classes, which may be `unknown`
    clips: the index of the clip of each event
    """

    waveform: NDArray[np.float32]
    rate_hz: int
    events: tuple[Event, ...]
    clips: tuple[int, ...]


def lay_out(
    clips: Clips,
    seconds: float,
    *,
    gap_seconds: tuple[float, float] = (1.0, 4.0),
    snr_db: float = 20.0,
    seed: int = 0,
) -> Timeline:
    """The clips one after another in an order drawn from the seed, over their split's noise.

    A clip comes again only after all others. Clips of silence are left out.

    Args:
        clips: of one split.
        seconds: how long the recording is.
        gap_seconds: the shortest and the longest pause before a clip.
        snr_db: how far the noise lies under the middle one of the clips; there is none where
            the set has none.
        seed: the same one gives the same samples.

    Raises:
        DataError: there are only clips of silence, or none fits.
    """
    drawn = np.random.RandomState(seed)
    rate_hz = clips.rate_hz
    spoken = np.flatnonzero([clips.names[label] != SILENCE for label in clips.labels])
    if not len(spoken):
        raise DataError(f"{clips.name}: no clips of words to lay out")
    starts = _starts(clips, drawn, spoken, gap_seconds, round(seconds * rate_hz))
    if not starts:
        raise DataError(f"{clips.name}: no clip fits into {seconds:g} s; ask for more")
    waveform = np.zeros(round(seconds * rate_hz), np.float32)
    events, levels = [], []
    for start, index in starts:
        length = int(clips.lengths[index])
        sound = clips.waveforms([index])[0, :length]
        levels.append(_level(sound))
        waveform[start : start + length] += _faded(sound, round(_FADE_SECONDS * rate_hz))
        label = clips.names[clips.labels[index]]
        start_ms, end_ms = (1000 * at / rate_hz for at in (start, start + length))
        events.append(Event(label, start_ms, end_ms))
    if clips.noises:
        loud = float(np.median(levels)) * 10 ** (-snr_db / 20)
        waveform += loud * _endless(clips.noises, len(waveform), rate_hz)
    laid_out = tuple(index for _, index in starts)
    return Timeline(np.clip(waveform, -1, 1), rate_hz, tuple(events), laid_out)


def _starts(
    clips: Clips,
    drawn: np.random.RandomState,
    spoken: NDArray[np.integer],
    gap_seconds: tuple[float, float],
    samples: int,
) -> list[tuple[int, int]]:
    """The first sample and the index of each clip, as many as fit."""
    found: list[tuple[int, int]] = []
    at = 0
    while True:
        for index in drawn.permutation(spoken):
            start = at + round(drawn.uniform(*gap_seconds) * clips.rate_hz)
            at = start + int(clips.lengths[index])
            if at > samples:
                return found
            found.append((start, int(index)))


def _level(sound: NDArray[np.float32]) -> float:
    return float(np.sqrt(np.mean(np.square(sound, dtype=np.float64))))


def _faded(sound: NDArray[np.float32], samples: int) -> NDArray[np.float32]:
    """With a straight rise and fall of so many samples, or of half the sound."""
    ramp = np.minimum(np.arange(len(sound)) + 1, np.arange(len(sound), 0, -1))
    rise = max(min(samples, len(sound) // 2), 1)
    return sound * np.minimum(ramp / rise, 1).astype(np.float32)


def _endless(noises: Sequence[Noise], samples: int, rate_hz: int) -> NDArray[np.float32]:
    """float32[samples]: the noises in turn, each at a level of 1."""
    pieces, length = [], 0
    while length < samples:
        for noise in noises:
            level = _level(noise.waveform)
            even = noise.waveform / level if level else noise.waveform
            pieces.append(_faded(even, round(_FADE_SECONDS * rate_hz)))
            length += len(even)
    return np.concatenate(pieces)[:samples]
