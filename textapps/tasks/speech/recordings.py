"""What a recogniser is asked about: files, bytes and arrays of samples; long ones in pieces."""

from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from textapps.datasets.clip_files import from_pcm, is_clip, read_sound
from textapps.errors import DataError
from textapps.tasks.speech.data import resampled

Waveform = NDArray[np.float32]
Recording = str | Path | bytes | Waveform

LONGEST_SECONDS = 30.0
_PIECE_SECONDS = 10  # of a file of another rate; whole seconds, so that both rates have samples
_MARGIN_SECONDS = 1  # heard on both sides of a piece: the resampler reaches beyond its ends


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


def pieces_of(file: Path, rate_hz: int) -> Iterator[Waveform]:
    """A recording of any length and rate as float32[samples] at `rate_hz`, piece after piece.

    Raises:
        DataError: it is missing or no audio.
    """
    import soundfile

    if not file.is_file():
        raise DataError(f"{file}: no such file")
    try:
        with soundfile.SoundFile(file) as opened:
            own_hz = int(opened.samplerate)
            blocks = (
                block.mean(axis=1, dtype=np.float32)
                for block in opened.blocks(
                    _PIECE_SECONDS * own_hz, dtype="float32", always_2d=True
                )
            )
            yield from blocks if own_hz == rate_hz else _resampled(blocks, own_hz, rate_hz)
    except soundfile.SoundFileError as error:
        cause = str(getattr(error, "error_string", error)).rstrip(".")
        raise DataError(f"{file}: no audio that can be read ({cause})") from error


def pcm_pieces(stream: BinaryIO, place: str = "standard input") -> Iterator[Waveform]:
    """Raw samples of 16 bits, the lower byte first, of one channel, as they come from a pipe.

    Raises:
        DataError: it is a WAV file, or there is nothing.
    """
    read = getattr(stream, "read1", stream.read)  # what there is, without waiting for more
    rest = b""
    first = True
    while piece := read(65_536):
        piece = rest + piece
        if first and len(piece) < 4:  # too little to tell what it is
            rest = piece
            continue
        if first and piece[:4] == b"RIFF":
            raise DataError(
                f"{place}: a WAV file, where raw samples are wanted: "
                "`arecord -t raw -f S16_LE -r 16000 -c 1`, or give the file by its name"
            )
        first = False
        whole = len(piece) // 2 * 2
        rest = piece[whole:]
        yield from_pcm(np.frombuffer(piece[:whole], "<i2").astype(np.int16))
    if first:
        raise DataError(f"{place}: no samples, it ended at once")


def _resampled(blocks: Iterator[Waveform], rate_from: int, rate_to: int) -> Iterator[Waveform]:
    """Blocks of whole seconds at another rate, each with a second of its neighbours around it.

    The end is known by a block that nothing follows.
    """
    margin, lead = _MARGIN_SECONDS * rate_from, 0
    known: Waveform = np.zeros(0, np.float32)
    for block in blocks:
        known = np.concatenate([known, block])
        there = len(known) - lead - margin
        seconds = max(0, there // rate_from)
        if not seconds:
            continue
        changed = resampled(known, rate_from, rate_to)
        start = lead // rate_from * rate_to
        yield changed[start : start + seconds * rate_to]
        kept = max(0, lead + seconds * rate_from - margin)
        lead = lead + seconds * rate_from - kept
        known = known[kept:]
    if len(known) > lead:
        yield resampled(known, rate_from, rate_to)[lead // rate_from * rate_to :]
