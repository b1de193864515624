"""Reading recordings: WAV, FLAC and Ogg files with any sample rate and number of channels."""

import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from textapps.datasets.config import SILENCE, UNKNOWN
from textapps.datasets.source import Defect, Report, stop

SUFFIXES = (".wav", ".flac", ".ogg", ".opus")
NOISES = "_background_noise_"
CLASS_NAMES = {"_unknown_": UNKNOWN, "_silence_": SILENCE}
"""Our names for two classes of the Speech Commands set."""

SHORTEST_MS = 10
_FULL_SCALE = 32768  # of 16-bit samples
# The size that a writer leaves if it cannot seek back.
_STREAMED = (0, 0xFFFFFFFF)


class Sound(NamedTuple):
    """One channel, float32[samples] in [-1, 1], and its sample rate."""

    waveform: NDArray[np.float32]
    rate_hz: int


@dataclass(frozen=True)
class Recording:
    """A recording and the spoken word.

    word: its label in the source
    speaker: recordings of one speaker stay in one split; "" if unknown
    key: its name within the source, the same on every machine
    place: where to find it
    read: returns the sound; None if it is bad and `report` returned
    """

    word: str
    speaker: str
    key: str
    place: str
    read: Callable[[Report], Sound | None]


def is_clip(path: Path) -> bool:
    """Whether a file has the extension of a recording.

    >>> is_clip(Path("yes/0a7c_nohash_0.WAV")), is_clip(Path("splits.tsv"))
    (True, False)
    """
    return path.suffix.lower() in SUFFIXES


def clips_in(folder: Path) -> Iterator[Path]:
    """All recordings in a folder, sorted by path; none if there is no such folder."""
    for file in sorted(folder.rglob("*")):
        if is_clip(file) and not file.name.startswith(".") and file.is_file():
            yield file


def of_file(file: Path, word: str, speaker: str, key: str) -> Recording:
    """The recording in a file.

    File names such as `0a7c_nohash_0.wav` begin with the speaker (Warden 2018, section 7).
    """
    said_by, nohash, _ = file.name.partition("_nohash_")
    known = speaker or (said_by if nohash else "")
    read = partial(read_sound, file, str(file))
    return Recording(CLASS_NAMES.get(word, word), known, key, str(file), read)


def read_sound(file: Path | bytes, place: str, report: Report = stop) -> Sound | None:
    """The mean of all channels of a file, given by path or as bytes.

    Returns None, after a report, if it is missing, not audio, truncated, shorter than 10 ms, or
    has samples that are not finite.
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
    """The sound; None, after a report, if it is too short or has samples that are not finite."""
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
    """16-bit samples; values beyond [-1, 1] are clipped.

    >>> to_pcm(np.array([-2, -1, 0.5, 1], np.float32)).tolist()
    [-32768, -32768, 16384, 32767]
    """
    return np.clip(np.rint(waveform * _FULL_SCALE), -_FULL_SCALE, _FULL_SCALE - 1).astype(np.int16)


def from_pcm(samples: NDArray[np.int16]) -> NDArray[np.float32]:
    """float32 in [-1, 1) from 16-bit samples of any shape."""
    return samples.astype(np.float32) / np.float32(_FULL_SCALE)


def _start(file: Path | bytes) -> bytes:
    """The first 12 bytes; OSError if the file cannot be opened."""
    if isinstance(file, bytes):
        return file[:12]
    with file.open("rb") as stream:
        return stream.read(12)


def _lacking_bytes(file: Path | bytes, start: bytes) -> int:
    """The missing bytes of a truncated WAV, by its header; libsndfile would read it as whole."""
    if start[:4] != b"RIFF" or start[8:12] != b"WAVE":
        return 0
    size = int.from_bytes(start[4:8], "little")
    there = len(file) if isinstance(file, bytes) else file.stat().st_size
    # The padding byte at the end is often omitted.
    return max(size + 8 - 1 - there, 0) if size not in _STREAMED else 0
