"""Background noise, and the clips of silence that are cut from it."""

import hashlib
from collections.abc import Sequence
from functools import partial
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from textapps.datasets.clips.files import Recording, Sound
from textapps.datasets.config import SILENCE
from textapps.datasets.source import Report

# Each file of noise serves all splits, each from its own part: no split hears another's noise.
_PARTS = {"train": (0.0, 0.8), "validation": (0.8, 0.9), "test": (0.9, 1.0)}
_QUIETEST_DB = -40.0  # rooms differ: the same noise, as recorded or down to a hundredth of it


class Noise(NamedTuple):
    """A stretch of noise, float32[samples] at the rate of the clips, and where it is from."""

    place: str
    waveform: NDArray[np.float32]


def part_of(waveform: NDArray[np.float32], split: str) -> NDArray[np.float32]:
    """What a split hears of a noise: train the first 80 %, validation and test 10 % each.

    >>> part_of(np.arange(10, dtype=np.float32), "test").tolist()
    [9.0]
    """
    start, end = (round(share * len(waveform)) for share in _PARTS[split])
    return waveform[start:end]


def silences(
    split: str, count: int, noises: Sequence[Noise], samples: int, rate_hz: int
) -> list[Recording]:
    """So many recordings of `samples`, number i the same in every run, of all noises in turn.

    A noise that is shorter is repeated.
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
