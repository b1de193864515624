"""Long recordings and endless streams, piece after piece."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import numpy as np

from textapps.core.errors import DataError
from textapps.core.recording_faults import NOT_FINITE
from textapps.datasets.clips.magic import START_BYTES, audio_kind
from textapps.datasets.clips.recording import from_pcm
from textapps.datasets.clips.sound_file import (
    check_whole,
    frames_of,
    is_mp3,
    length_fault,
    opened,
)
from textapps.tasks.speech.data import resampled
from textapps.tasks.speech.recordings import Waveform

if TYPE_CHECKING:
    import soundfile

_PIECE_SECONDS = 10  # whole seconds, so that a piece has whole samples at both rates
_MARGIN_SECONDS = 1  # on both sides of a piece, because the resampler reaches beyond its ends


def pieces_of(file: Path, rate_hz: int) -> Iterator[Waveform]:
    """A recording of any length and rate, in pieces float32[samples] at `rate_hz`.

    Raises:
        DataError: it is missing, is not audio, is cut off or is not finite.
    """
    check_listenable(file)
    try:
        with opened(file) as sound:
            own_hz = int(sound.samplerate)
            if reason := length_fault(sound.frames, own_hz):
                raise DataError(reason)
            blocks = _blocks(sound, _PIECE_SECONDS * own_hz)
            if own_hz != rate_hz:  # which may overshoot
                blocks = (np.clip(piece, -1, 1) for piece in _resampled(blocks, own_hz, rate_hz))
            yield from blocks
    except DataError as error:
        raise DataError(f"{file}: {error}") from error


def check_listenable(file: Path) -> None:
    """DataError if there is no file of this name, or it is none that is read piece by piece."""
    if not file.exists():
        raise DataError(f"{file}: no such file")
    if not file.is_file():
        kind = "a folder" if file.is_dir() else "a pipe"
        raise DataError(
            f"{file}: {kind}, not a recording; of a pipe, '-' reads raw samples on standard input"
        )


def pcm_pieces(stream: BinaryIO, place: str = "standard input") -> Iterator[Waveform]:
    """Raw 16-bit little-endian samples of one channel, as they come from a pipe.

    Raises:
        DataError: it is an audio file, by its first bytes, or empty.
    """
    read = getattr(stream, "read1", stream.read)  # what has arrived, without waiting for more
    start = b""
    while len(start) < START_BYTES and (piece := read(START_BYTES - len(start))):
        start += piece
    if len(start) < 2:
        raise DataError(f"{place}: no samples, it ended at once")
    if kind := audio_kind(start):
        raise DataError(
            f"{place}: {kind}, where raw samples are wanted: "
            "`arecord -t raw -f S16_LE -r 16000 -c 1`, "
            "`ffmpeg -i FILE -f s16le -ar 16000 -ac 1 -`, or give the file by its name"
        )
    piece = start
    while True:
        whole = len(piece) // 2 * 2
        yield from_pcm(np.frombuffer(piece[:whole], "<i2").astype(np.int16))
        if not (more := read(65_536)):
            return
        piece = piece[whole:] + more


def _blocks(sound: "soundfile.SoundFile", samples: int) -> Iterator[Waveform]:
    """The mean of the channels, block after block."""
    done, frames = 0, frames_of(sound)
    if is_mp3(sound):  # soundfile seeks behind each read, where the decoder then begins anew
        sound.seekable = lambda: False
    while True:
        wanted = samples if frames < 0 else min(samples, frames - done)
        block = sound.read(wanted, dtype="float32", always_2d=True)
        if not len(block):
            check_whole(sound, done)
            return
        done += len(block)
        if not np.isfinite(block).all():
            raise DataError(NOT_FINITE)
        yield np.clip(block.mean(axis=1, dtype=np.float32), -1, 1)


def _resampled(blocks: Iterator[Waveform], rate_from: int, rate_to: int) -> Iterator[Waveform]:
    """Blocks of whole seconds at another rate, each resampled with a second of its neighbours.

    A block is resampled when the next one has come, or at the end.
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
