"""Audio files of every kind that is read, decoded with libsndfile."""

import io
import os
import struct
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from textapps.core.counted import counted
from textapps.core.errors import DataError
from textapps.core.recording_faults import (
    CUT_OFF,
    EMPTY,
    ENCODING,
    HIGHEST_RATE_HZ,
    LOWEST_RATE_HZ,
    NO_CHANNELS,
    NO_DATA,
    NO_LAYOUT,
    NO_SAMPLES,
    RATE,
    SHORTEST_MS,
    STREAMED_BYTES,
    TOO_SHORT,
    UNKNOWN,
)

if TYPE_CHECKING:
    import soundfile

SUFFIXES = (
    *(".wav", ".rf64", ".w64", ".aif", ".aiff", ".aifc"),
    *(".flac", ".ogg", ".oga", ".opus", ".mp3"),
)
_WAV_SUBTYPES = {"PCM_U8", "PCM_16", "PCM_24", "PCM_32", "FLOAT", "DOUBLE", "ULAW", "ALAW"}
_W64 = bytes.fromhex("726966662e91cf11a5d628db04c10000")
_START_BYTES = 32
_COMMON_ENCODINGS = (1, 3, 6, 7, 0xFFFE)  # if one of these cannot be read, it is not the reason


class Sound(NamedTuple):
    """One channel, float32[samples] in [-1, 1], and its sample rate."""

    waveform: NDArray[np.float32]
    rate_hz: int


class Found(NamedTuple):
    """The files in a folder: recordings sorted by path, and the number of others by extension."""

    clips: list[Path]
    others: Counter[str]

    def not_read(self) -> str:
        """The other files and why they are left out; "" if there are none.

        >>> Found([], Counter({".m4a": 2, ".txt": 1})).not_read()[:41]
        '3 files are not read (2 .m4a, 1 .txt); re'
        """
        if not self.others:
            return ""
        counts = ", ".join(f"{number:,} {ending}" for ending, number in self.others.most_common())
        total = self.others.total()
        are = "is" if total == 1 else "are"
        return f"{counted(total, 'file')} {are} not read ({counts}); recordings end in {endings()}"


def endings() -> str:
    """
    >>> endings()[:18]
    '.wav, .rf64, .w64,'
    """
    return ", ".join(SUFFIXES)


def is_clip(path: Path) -> bool:
    """Whether a file has the extension of a recording.

    >>> is_clip(Path("yes/0a7c_nohash_0.WAV")), is_clip(Path("splits.tsv"))
    (True, False)
    """
    return path.suffix.lower() in SUFFIXES


def search(folder: Path, within: Path | None = None) -> Found:
    """All files in a folder and its subfolders but the hidden ones; none if there is no folder.

    Folders that a link names are read, but not those that contain the folder or `within`.
    """
    found = Found([], Counter())
    outer, inner = (within or folder).resolve(), folder.resolve()
    above = {outer, *outer.parents, *inner.parents} - {inner}
    for file in sorted(_files(folder, frozenset(above))):
        if is_clip(file):
            found.clips.append(file)
        else:
            found.others[file.suffix.lower() or "without an ending"] += 1
    return found


def _files(folder: Path, above: frozenset[Path]) -> Iterator[Path]:
    real = folder.resolve()
    if real in above or not folder.is_dir():
        return
    for path in folder.iterdir():
        if path.name.startswith("."):
            continue
        if path.is_dir():
            yield from _files(path, above | {real})
        elif path.is_file():
            yield path


def decode(file: Path | bytes) -> Sound:
    """The mean of all channels of a file, given by path or as bytes.

    Raises:
        DataError: the file cannot be read, is cut off or not audio; the message has no place.
    """
    with opened(file) as sound:
        channels = sound.read(frames_of(sound), dtype="float32", always_2d=True)
        check_whole(sound, len(channels))
        return Sound(channels.mean(axis=1, dtype=np.float32), int(sound.samplerate))


@contextmanager
def opened(file: Path | bytes) -> "Iterator[soundfile.SoundFile]":
    """A file to read samples from; raises as `decode`."""
    import soundfile

    try:
        start, size_bytes = _start(file)
        if not size_bytes:
            raise DataError(EMPTY)
        # The padding byte at the end is often omitted.
        if (lacking := _declared_bytes(start) - 1 - size_bytes) > 0:
            raise DataError(CUT_OFF.format(lacking))
        if isinstance(file, Path) and file.suffix.lower() == ".raw":
            raise DataError(UNKNOWN)  # soundfile would want to know rate and channels
        # By bytes, because names need not be UTF-8.
        source = io.BytesIO(file) if isinstance(file, bytes) else os.fsencode(file)
        with soundfile.SoundFile(source) as sound:
            yield sound
    except OSError as error:
        raise DataError(f"cannot be read ({error.strerror or error})") from error
    except soundfile.SoundFileError as error:
        raise DataError(_reason(file)) from error


def frames_of(sound: "soundfile.SoundFile") -> int:
    """The number of samples to ask for: of GSM, which cannot be rewound, soundfile must know it."""
    return -1 if sound.seekable() else int(sound.frames)


def check_whole(sound: "soundfile.SoundFile", samples: int) -> None:
    """DataError if fewer samples could be read than the header says; that of MP3 may guess."""
    if sound.seekable() and samples < sound.frames and not is_mp3(sound):
        raise DataError(UNKNOWN)


def is_mp3(sound: "soundfile.SoundFile") -> bool:
    """Whether it is MP3, with whatever ending."""
    return bool(sound.subtype.startswith("MPEG_LAYER"))


def length_fault(samples: int, rate_hz: int) -> str:
    """What is wrong with a recording of this rate and length; "" if nothing is.

    >>> length_fault(40, 16_000)
    'too short, 40 samples (2.5 ms), 10 ms are the least'
    """
    length_ms = 1000 * samples / rate_hz
    if not LOWEST_RATE_HZ <= rate_hz <= HIGHEST_RATE_HZ:
        return RATE.format(rate_hz)
    if not samples:
        return NO_SAMPLES
    short = length_ms < SHORTEST_MS
    return TOO_SHORT.format(samples, f"{length_ms:.1f}") if short else ""


def seconds_of(file: Path | bytes) -> float:
    """The length according to the header; 0 if the file cannot be read."""
    try:
        with opened(file) as sound:
            return float(sound.frames / sound.samplerate)
    except DataError:
        return 0.0


def is_plain_wav(content: bytes) -> bool:
    """Whether an exported model decodes this file, which can be read, itself."""
    if content[:4] not in (b"RIFF", b"RF64"):
        return False
    with opened(content) as sound:
        return sound.subtype in _WAV_SUBTYPES


def _start(file: Path | bytes) -> tuple[bytes, int]:
    """The first bytes and the number of all; OSError if the file cannot be opened."""
    if isinstance(file, bytes):
        return file[:_START_BYTES], len(file)
    with file.open("rb") as stream:
        return stream.read(_START_BYTES), file.stat().st_size


def _declared_bytes(start: bytes) -> int:
    """The size of the file by its header, which libsndfile does not compare; 0 if unknown."""
    if start[:4] == b"RIFF" and start[8:12] == b"WAVE":
        size = int.from_bytes(start[4:8], "little")
    elif start[:4] == b"RF64" and start[8:16] == b"WAVEds64":
        return int.from_bytes(start[20:28], "little") + 8
    elif start[:4] == b"FORM" and start[8:11] == b"AIF":
        size = int.from_bytes(start[4:8], "big")
    elif start[:16] == _W64:
        return int.from_bytes(start[16:24], "little")
    else:
        return 0
    return 0 if size == 0 or size >= STREAMED_BYTES else size + 8


def _reason(file: Path | bytes) -> str:
    """Why libsndfile cannot read a file, in the words of the graph."""
    content = file if isinstance(file, bytes) else file.read_bytes()
    if content[:4] not in (b"RIFF", b"RF64") or content[8:12] != b"WAVE":
        return UNKNOWN
    chunks: dict[bytes, bytes] = {}
    place = 12
    while place + 8 <= len(content):
        size = int.from_bytes(content[place + 4 : place + 8], "little")
        chunks.setdefault(content[place : place + 4], content[place + 8 : place + 8 + size])
        place += 8 + size + size % 2
    layout = chunks.get(b"fmt ", b"")
    if len(layout) < 16:
        return NO_LAYOUT
    encoding, channels, _, _, _, bits = struct.unpack("<HHIIHH", layout[:16])
    if not channels:
        return NO_CHANNELS
    if encoding not in _COMMON_ENCODINGS:
        return ENCODING.format(encoding, bits)
    return UNKNOWN if b"data" in chunks else NO_DATA
