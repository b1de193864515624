"""Recordings to recognise: files, bytes and arrays of samples."""

import logging
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from textapps.core.errors import DataError
from textapps.core.recording_faults import NOT_FINITE
from textapps.datasets.clips.bytes import refuse_long
from textapps.datasets.clips.recording import read_sound
from textapps.datasets.clips.sound_file import Sound, endings, search, seconds_of
from textapps.datasets.source import stop
from textapps.tasks.rows import Asked
from textapps.tasks.speech.data import resampled

Waveform = NDArray[np.float32]
Recording = str | Path | bytes | Waveform

LOGGER = logging.getLogger("textapps")

STANDARD_INPUT = "-"
_LARGE_BYTES = 64 << 20  # 30 s of two channels of float at 192 kHz are 46 MB


def files_in(path: Path) -> list[Path]:
    """The file itself, or all recordings in a folder by path; warns of files that are left out.

    Raises:
        DataError: there is none.
    """
    if not path.is_dir():
        if not path.exists():
            raise DataError(f"{path}: no such file or folder")
        return [path]
    found = search(path)
    if not found.clips:
        raise DataError(f"{path}: no recording in this folder ({found.not_read() or endings()})")
    if found.others:
        LOGGER.warning("%s: %s", path, found.not_read())
    return found.clips


def read_recording(recording: Recording, rate_hz: int, place: str = "") -> Waveform:
    """float32[samples] at `rate_hz` of a recording that is short enough to be one clip.

    Arguments and errors as `read_whole`.
    """
    sound = read_whole(recording, rate_hz, place)
    return resampled(sound.waveform, sound.rate_hz, rate_hz)


def read_whole(recording: Recording, rate_hz: int, place: str = "") -> Sound:
    """A recording that is short enough to be one clip, at its own rate.

    Args:
        recording: a path, the bytes of a file, or samples at `rate_hz`.
        place: its name in messages; by default its path.

    Raises:
        DataError: it is missing, bad, empty, or longer than 30 s.
    """
    if isinstance(recording, np.ndarray):
        check_scale(recording)
        waveform = np.asarray(recording, np.float32)
        if waveform.ndim != 1 or not len(waveform):
            raise DataError(f"a waveform must be samples[n], not of shape {waveform.shape}")
        if not np.isfinite(waveform).all():
            raise DataError(f"a waveform {NOT_FINITE}")
        refuse_long(len(waveform) / rate_hz, place or "a waveform")
        return Sound(waveform, rate_hz)
    if isinstance(recording, bytes):
        place, content = place or "the recording", recording
    else:
        place = place or str(recording)
        content = _read(Path(recording), place)
    refuse_long(seconds_of(content), place)  # before it is decoded
    sound = read_sound(content, place)
    assert sound is not None  # errors have been raised
    refuse_long(len(sound.waveform) / sound.rate_hz, place)
    return sound


def check_scale(samples: Waveform) -> None:
    """DataError for whole numbers, whose scale is another one than that of -1 to 1."""
    if not np.issubdtype(samples.dtype, np.floating):
        raise DataError(
            f"a waveform must be of floats from -1 to 1, not of {samples.dtype}; divide samples of "
            "16 bits by 32768"
        )


def _read(file: Path, place: str) -> bytes:
    """The bytes of a file, which may be a pipe; a large one is refused by its header alone."""
    try:
        if file.stat().st_size > _LARGE_BYTES:
            refuse_long(seconds_of(file), place)
        return file.read_bytes()
    except OSError as error:
        raise DataError(f"{place}: cannot be read ({error.strerror or error})") from None


def read_all(
    asked: Iterable[Asked], rate_hz: int, stdin: BinaryIO, skipped: list[str] | None = None
) -> Iterator[tuple[Asked, Waveform | None]]:
    """Path, other columns and samples of each recording, also of those in folders.

    Args:
        asked: files and folders; "-" is one recording on `stdin`.
        skipped: receives the errors of bad recordings, which then have no samples.

    Raises:
        DataError: one is bad, and `skipped` is None.
    """
    for one in asked:
        name = one.text
        files = [name]
        try:
            if one.defect is not None:
                stop(one.defect)
            if name != STANDARD_INPUT:
                files = [str(file) for file in files_in(Path(name))]
        except DataError as error:
            _skip(error, skipped)
            yield one, None
            continue
        for file in files:
            waveform = None
            try:
                if file == STANDARD_INPUT:
                    waveform = read_recording(stdin.read(), rate_hz, "standard input")
                else:
                    waveform = read_recording(file, rate_hz)
            except DataError as error:
                _skip(error, skipped)
            yield one._replace(text=file), waveform


def _skip(error: DataError, skipped: list[str] | None) -> None:
    if skipped is None:
        raise error
    skipped.append(str(error))
