"""Recordings in files: WAV, FLAC and Ogg, of any rate and any number of channels."""

import io
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from textapps.datasets.source import Defect, Report, stop

SUFFIXES = (".wav", ".flac", ".ogg", ".opus")
SHORTEST_MS = 10
_FULL_SCALE = 32768  # of 16-bit samples, as which clips are kept
# What a writer that cannot go back leaves as the size of a stream.
_STREAMED = (0, 0xFFFFFFFF)


class Sound(NamedTuple):
    """One channel, float32[samples] in [-1, 1], and its samples a second."""

    waveform: NDArray[np.float32]
    rate_hz: int


@dataclass(frozen=True)
class Recording:
    """A recording that can be read, and what is said in it.

    word: what its set calls it
    speaker: recordings of one speaker stay in one split; "" where it is not known
    key: its name within the set, the same on every machine
    place: where a person finds it
    read: the sound; None where it is bad and `report` returned
    """

    word: str
    speaker: str
    key: str
    place: str
    read: Callable[[Report], Sound | None]


def is_clip(path: Path) -> bool:
    """Whether a file is called like a recording.

    >>> is_clip(Path("yes/0a7c_nohash_0.WAV")), is_clip(Path("splits.tsv"))
    (True, False)
    """
    return path.suffix.lower() in SUFFIXES


def read_sound(file: Path | bytes, place: str, report: Report = stop) -> Sound | None:
    """The mean of all channels of a file, or of the bytes of one.

    What is wrong goes to `report`, and where that returns there is no sound: a file that is
    missing, no audio, cut off, of fewer than 10 ms, or holds values that are no numbers.
    """
    import soundfile

    try:
        start = _start(file)
        if lacking := _lacking_bytes(file, start):
            report(Defect(place, f"cut off, {lacking:,} bytes are missing; record it again"))
            return None
        with soundfile.SoundFile(io.BytesIO(file) if isinstance(file, bytes) else file) as opened:
            channels = opened.read(dtype="float32", always_2d=True)
            rate_hz = int(opened.samplerate)
    except OSError as error:
        report(Defect(place, f"cannot be read ({error.strerror or error})"))
        return None
    except soundfile.SoundFileError as error:
        cause = str(getattr(error, "error_string", error)).rstrip(".")
        report(Defect(place, f"no audio that can be read ({cause}); save it as WAV, FLAC or OGG"))
        return None
    return whole_sound(channels.mean(axis=1, dtype=np.float32), rate_hz, place, report)


def whole_sound(
    waveform: NDArray[np.float32], rate_hz: int, place: str, report: Report = stop
) -> Sound | None:
    """The sound, unless it is too short or not all numbers, which goes to `report`."""
    if not len(waveform):
        report(Defect(place, "empty, it has 0 samples; record it again"))
        return None
    length_ms = 1000 * len(waveform) / rate_hz
    if length_ms < SHORTEST_MS:
        least = f"{SHORTEST_MS} ms are the least"
        report(Defect(place, f"too short, {len(waveform)} samples ({length_ms:.1f} ms), {least}"))
        return None
    if not np.isfinite(waveform).all():
        report(Defect(place, "holds samples that are no numbers; save it again"))
        return None
    return Sound(waveform, rate_hz)


def to_pcm(waveform: NDArray[np.float32]) -> NDArray[np.int16]:
    """The same samples of 16 bits; what is beyond [-1, 1] is clipped.

    >>> to_pcm(np.array([-2, -1, 0.5, 1], np.float32)).tolist()
    [-32768, -32768, 16384, 32767]
    """
    return np.clip(np.rint(waveform * _FULL_SCALE), -_FULL_SCALE, _FULL_SCALE - 1).astype(np.int16)


def from_pcm(samples: NDArray[np.int16]) -> NDArray[np.float32]:
    """Samples of 16 bits as float32 in [-1, 1), of any shape."""
    return samples.astype(np.float32) / np.float32(_FULL_SCALE)


def _start(file: Path | bytes) -> bytes:
    """The first 12 bytes; OSError where the file cannot be opened."""
    if isinstance(file, bytes):
        return file[:12]
    with file.open("rb") as stream:
        return stream.read(12)


def _lacking_bytes(file: Path | bytes, start: bytes) -> int:
    """How much of a WAV is missing by its own count: libsndfile reads what is left as if whole."""
    if start[:4] != b"RIFF" or start[8:12] != b"WAVE":
        return 0
    size = int.from_bytes(start[4:8], "little")
    there = len(file) if isinstance(file, bytes) else file.stat().st_size
    # A lone padding byte at the end is often left out.
    return max(size + 8 - 1 - there, 0) if size not in _STREAMED else 0
