"""What a recogniser is asked about: files, bytes and arrays of samples."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from textapps.core.errors import DataError
from textapps.datasets.clips.bytes import LONGEST_SECONDS
from textapps.datasets.clips.recording import is_clip, read_sound
from textapps.tasks.speech.data import resampled

Waveform = NDArray[np.float32]
Recording = str | Path | bytes | Waveform

STANDARD_INPUT = "-"


def files_in(path: Path) -> list[Path]:
    """The file itself, or all recordings in a folder by path.

    Raises:
        DataError: there is none.
    """
    if not path.is_dir():
        if not path.exists():
            raise DataError(f"{path}: no such file or folder")
        return [path]
    found = sorted(file for file in path.rglob("*") if is_clip(file) and file.is_file())
    if not found:
        raise DataError(f"{path}: no .wav, .flac or .ogg file in this folder")
    return found


def read_recording(recording: Recording, rate_hz: int, place: str = "") -> Waveform:
    """float32[samples] of a recording that is short enough to be one clip.

    Args:
        recording: a path, the bytes of a file, or samples at `rate_hz` already.
        place: what messages call it; by default its path.

    Raises:
        DataError: it is missing, bad, empty, or of more than 30 s.
    """
    if isinstance(recording, np.ndarray):
        waveform = np.asarray(recording, np.float32)
        if waveform.ndim != 1 or not len(waveform):
            raise DataError(f"a waveform must be samples[n], not of shape {waveform.shape}")
        if not np.isfinite(waveform).all():
            raise DataError("a waveform holds samples that are no numbers")
        refuse_long(len(waveform) / rate_hz, place or "a waveform")
        return waveform
    file = recording if isinstance(recording, bytes) else Path(recording)
    place = place or ("the recording" if isinstance(file, bytes) else str(file))
    if isinstance(file, Path):
        refuse_long(seconds_of(file), place)
    sound = read_sound(file, place)
    assert sound is not None  # what is bad has been raised
    refuse_long(len(sound.waveform) / sound.rate_hz, place)
    return resampled(sound.waveform, sound.rate_hz, rate_hz)


def refuse_long(seconds: float, place: str) -> None:
    """DataError for more than 30 s."""
    if seconds > LONGEST_SECONDS:
        raise DataError(
            f"{place}: {seconds:,.1f} s long, and one answer is for {LONGEST_SECONDS:g} s at most: "
            "`textapps speech listen` hears commands in long recordings"
        )


def seconds_of(file: Path) -> float:
    """How long a recording is by its header; 0 where it cannot be read."""
    import soundfile

    try:
        return float(soundfile.info(file).duration)
    except (OSError, soundfile.SoundFileError):
        return 0.0


def read_all(
    names: Sequence[str], rate_hz: int, stdin: BinaryIO, skipped: list[str] | None = None
) -> Iterator[tuple[str, Waveform | None]]:
    """Path and samples of each recording, those in a folder one by one.

    Args:
        names: files and folders; "-" is one recording on `stdin`.
        skipped: takes what is wrong with a bad one, which then has no samples.

    Raises:
        DataError: one is bad, if there is no `skipped`.
    """
    for name in names:
        files = [name]
        try:
            if name != STANDARD_INPUT:
                files = [str(file) for file in files_in(Path(name))]
        except DataError as error:
            _skip(error, skipped)
            yield name, None
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
            yield file, waveform


def _skip(error: DataError, skipped: list[str] | None) -> None:
    if skipped is None:
        raise error
    skipped.append(str(error))
