"""Background noise, and clips of silence cut from it."""

import hashlib
from collections.abc import Sequence
from functools import partial
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from textapps.core.part import ALL
from textapps.datasets.clips.config import SILENCE
from textapps.datasets.clips.recording import Recording
from textapps.datasets.clips.sound_file import Sound
from textapps.datasets.source import Report

# Each split has its own part of each noise file.
_PARTS = {"train": (0.0, 0.8), "validation": (0.8, 0.9), "test": (0.9, 1.0), ALL: (0.0, 1.0)}
_QUIETEST_DB = -40.0  # rooms differ: full loudness down to a hundredth of it


class Noise(NamedTuple):
    """A noise and its place: float32[samples] at the sample rate of the clips."""

    place: str
    waveform: NDArray[np.float32]


def part_of(waveform: NDArray[np.float32], split: str) -> NDArray[np.float32]:
    """The part of a noise for a split: the first 80 % for train, then 10 % each for the others.

    Data that are not split have the whole noise.

    >>> part_of(np.arange(10, dtype=np.float32), "test").tolist()
    [9.0]
    """
    start, end = (round(share * len(waveform)) for share in _PARTS[split])
    return waveform[start:end]


def silences(
    split: str, count: int, noises: Sequence[Noise], samples: int, rate_hz: int
) -> list[Recording]:
    """`count` recordings of `samples` samples, cut from all noises in turn, always the same.

    A noise that is shorter than that is repeated.
    """
    return [
        _cut(f"silence/{split}/{number}", noises[number % len(noises)], samples, rate_hz)
        for number in range(count)
    ]


def _cut(key: str, noise: Noise, samples: int, rate_hz: int) -> Recording:
    digest = hashlib.sha1(key.encode()).digest()
    drawn = [int.from_bytes(digest[at : at + 4], "big") / 2**32 for at in (0, 4)]
    start = int(drawn[0] * (max(len(noise.waveform) - samples, 0) + 1))
    gain = 10 ** (drawn[1] * _QUIETEST_DB / 20)
    place = f"{noise.place} at {start / rate_hz:.2f} s"
    read = partial(_read_cut, noise.waveform, start, samples, gain, rate_hz)
    return Recording(SILENCE, "", key, place, read)


def _read_cut(
    waveform: NDArray[np.float32],
    start: int,
    samples: int,
    gain: float,
    rate_hz: int,
    report: Report,
) -> Sound:
    piece = np.resize(waveform[start : start + samples], samples)
    return Sound((piece * gain).astype(np.float32), rate_hz)
