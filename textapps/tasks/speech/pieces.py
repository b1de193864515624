"""Long recordings and endless streams, piece after piece."""

from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import numpy as np

from textapps.core.errors import DataError
from textapps.datasets.clips.recording import from_pcm
from textapps.tasks.speech.data import resampled
from textapps.tasks.speech.recordings import Waveform

_PIECE_SECONDS = 10  # whole seconds, so that a piece has whole samples at both rates
_MARGIN_SECONDS = 1  # on both sides of a piece, because the resampler reaches beyond its ends


def pieces_of(file: Path, rate_hz: int) -> Iterator[Waveform]:
    """A recording of any length and rate, in pieces float32[samples] at `rate_hz`.

    Raises:
        DataError: it is missing or is not audio.
    """
    import soundfile

    if not file.is_file():
        raise DataError(f"{file}: no such file")
    try:
        with soundfile.SoundFile(file) as opened:
            own_hz = int(opened.samplerate)
            blocks = (
                block.mean(axis=1, dtype=np.float32)
                for block in opened.blocks(_PIECE_SECONDS * own_hz, dtype="float32", always_2d=True)
            )
            yield from blocks if own_hz == rate_hz else _resampled(blocks, own_hz, rate_hz)
    except soundfile.SoundFileError as error:
        cause = str(getattr(error, "error_string", error)).rstrip(".")
        raise DataError(f"{file}: no audio that can be read ({cause})") from error


def pcm_pieces(stream: BinaryIO, place: str = "standard input") -> Iterator[Waveform]:
    """Raw 16-bit little-endian samples of one channel, as they come from a pipe.

    Raises:
        DataError: it is a WAV file, or empty.
    """
    read = getattr(stream, "read1", stream.read)  # what has arrived, without waiting for more
    rest = b""
    first = True
    while piece := read(65_536):
        piece = rest + piece
        if first and len(piece) < 4:  # too few bytes to tell the format
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
