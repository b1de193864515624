"""The bytes of a recording, as an exported model takes them."""

import io
from pathlib import Path

from textapps.core.errors import DataError
from textapps.core.recording_faults import LONGEST_SECONDS, TOO_LONG
from textapps.datasets.clips.recording import read_sound
from textapps.datasets.clips.sound_file import is_plain_wav, seconds_of

_LARGEST_BYTES = 64 << 20  # 30 s of two channels of float at 192 kHz are 46 MB


def wav_bytes(path: str) -> bytes:
    """A WAV file that the model decodes, unchanged; another recording converted to such a file.

    Raises:
        DataError: as for `predict`: there is no such file, it is longer than 30 s, or it is bad.
    """
    import soundfile

    if not path:
        raise DataError("no path in this row")
    file = Path(path)
    try:
        if file.stat().st_size > _LARGEST_BYTES:
            refuse_long(seconds_of(file), path)  # in the words that are used for smaller ones
            raise DataError(f"{path}: larger than {_LARGEST_BYTES >> 20} MB; cut it")
        content = file.read_bytes()
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror or error})") from None
    refuse_long(seconds_of(content), path)
    sound = read_sound(content, path)
    assert sound is not None  # a bad file has raised
    if is_plain_wav(content):
        return content
    written = io.BytesIO()
    soundfile.write(written, sound.waveform, sound.rate_hz, format="WAV", subtype="FLOAT")
    return written.getvalue()


def refuse_long(seconds: float, place: str) -> None:
    """DataError for more than 30 s."""
    if seconds > LONGEST_SECONDS:
        raise DataError(f"{place}: {TOO_LONG.format(f'{seconds:.1f}')}")
