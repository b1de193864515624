"""Recordings: spoken words and where to read them."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from textapps.core.errors import DataError
from textapps.core.recording_faults import NOT_FINITE
from textapps.datasets.clips.config import SILENCE, UNKNOWN
from textapps.datasets.clips.sound_file import Sound, decode, length_fault, seconds_of
from textapps.datasets.source import Defect, Report, stop

NOISES = "_background_noise_"
CLASS_NAMES = {"_unknown_": UNKNOWN, "_silence_": SILENCE}
"""Our names for two classes of the Speech Commands set."""

_FULL_SCALE = 32768  # of 16-bit samples


@dataclass(frozen=True)
class Recording:
    """A recording and the spoken word.

    word: its label in the source
    speaker: recordings of one speaker stay in one split; "" if unknown
    key: its name within the source, the same on every machine
    place: where to find it
    read: returns the sound; None if it is bad and `report` returned
    seconds: its length as its header says, before it is decoded; 0 if it does not
    """

    word: str
    speaker: str
    key: str
    place: str
    read: Callable[[Report], Sound | None]
    seconds: Callable[[], float] = lambda: 0.0


def of_file(file: Path, word: str, speaker: str, key: str) -> Recording:
    """The recording in a file.

    File names such as `0a7c_nohash_0.wav` begin with the speaker (Warden 2018, section 7).
    """
    said_by, nohash, _ = file.name.partition("_nohash_")
    known = speaker or (said_by if nohash else "")
    read = partial(read_sound, file, str(file))
    seconds = partial(seconds_of, file)
    return Recording(CLASS_NAMES.get(word, word), known, key, str(file), read, seconds)


def read_sound(file: Path | bytes, place: str, report: Report = stop) -> Sound | None:
    """The mean of all channels of a file, given by path or as bytes.

    Returns None, after a report, if it is missing, not audio, truncated, shorter than 10 ms, of a
    rate outside 4 to 192 kHz, or has samples that are not finite.
    """
    try:
        sound = decode(file)
    except DataError as error:
        report(Defect(place, str(error)))
        return None
    return whole_sound(sound.waveform, sound.rate_hz, place, report)


def whole_sound(
    waveform: NDArray[np.float32], rate_hz: int, place: str, report: Report = stop
) -> Sound | None:
    """The sound, clipped to [-1, 1] as exports clip it before they resample it.

    None, after a report, if it is too short, of another rate or not finite.
    """
    reason = length_fault(len(waveform), rate_hz)
    if not reason and not np.isfinite(waveform).all():
        reason = NOT_FINITE
    if not reason:
        return Sound(np.clip(waveform, -1, 1), rate_hz)
    report(Defect(place, reason))
    return None


def to_pcm(waveform: NDArray[np.float32]) -> NDArray[np.int16]:
    """16-bit samples; values beyond [-1, 1] are clipped.

    >>> to_pcm(np.array([-2, -1, 0.5, 1], np.float32)).tolist()
    [-32768, -32768, 16384, 32767]
    """
    return np.clip(np.rint(waveform * _FULL_SCALE), -_FULL_SCALE, _FULL_SCALE - 1).astype(np.int16)


def from_pcm(samples: NDArray[np.int16]) -> NDArray[np.float32]:
    """float32 in [-1, 1) from 16-bit samples of any shape."""
    return samples.astype(np.float32) / np.float32(_FULL_SCALE)
