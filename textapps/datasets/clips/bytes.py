"""The bytes of a recording, as an exported model takes them."""

import io
from pathlib import Path

from textapps.core.errors import DataError
from textapps.datasets.clips.recording import read_sound

LONGEST_SECONDS = 30.0
_LARGEST_BYTES = 64 << 20  # 30 s of two channels of float at 192 kHz are 46 MB


def wav_bytes(path: str) -> bytes:
    """A WAV file unchanged, or FLAC and Ogg converted to WAV.

    Raises:
        DataError: there is no such file, it is longer than 30 s, or it is not audio. A bad WAV
            file is left to the model.
    """
    import soundfile

    if not path:
        raise DataError("no path in this row")
    file = Path(path)
    try:
        if file.stat().st_size > _LARGEST_BYTES:
            raise DataError(f"{path}: larger than {_LARGEST_BYTES >> 20} MB; cut it")
        content = file.read_bytes()
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror or error})") from None
    try:
        seconds = float(soundfile.info(io.BytesIO(content)).duration)
    except soundfile.SoundFileError:
        seconds = 0.0  # the model or `read_sound` reports what is wrong
    if seconds > LONGEST_SECONDS:
        raise DataError(f"{path}: {seconds:,.1f} s long, {LONGEST_SECONDS:g} s are the most")
    if content.startswith(b"RIFF"):
        return content
    sound = read_sound(content, path)
    assert sound is not None  # a bad file has raised
    written = io.BytesIO()
    soundfile.write(written, sound.waveform, sound.rate_hz, format="WAV", subtype="FLOAT")
    return written.getvalue()
