"""Samples of a microphone, by the optional package sounddevice."""

import queue
from collections.abc import Iterator
from typing import Any

import numpy as np

from textapps.core.errors import ConfigurationError, DataError
from textapps.tasks.speech.recordings import Waveform

_BLOCK_MS = 50
_PATIENCE_SECONDS = 5.0  # without a block, after which the microphone counts as gone


def microphone_pieces(rate_hz: int) -> Iterator[Waveform]:
    """Endless pieces float32[samples] of the default microphone, one channel at `rate_hz`.

    Raises:
        ConfigurationError: sounddevice is not installed.
        DataError: there is no microphone, or it has vanished.
    """
    sounddevice = _sounddevice()
    blocks: queue.SimpleQueue[Waveform] = queue.SimpleQueue()

    def keep(block: Any, frames: int, time: Any, status: Any) -> None:
        blocks.put(np.array(block[:, 0], np.float32))

    try:
        with sounddevice.InputStream(
            samplerate=rate_hz,
            channels=1,
            dtype="float32",
            blocksize=rate_hz * _BLOCK_MS // 1_000,
            callback=keep,
        ) as stream:
            while stream.active:
                try:
                    yield blocks.get(timeout=_PATIENCE_SECONDS)
                except queue.Empty:
                    break
    except (sounddevice.PortAudioError, ValueError, OSError) as error:
        raise DataError(
            f"no microphone can be read ({error}): plug one in, or pipe samples to "
            "`textapps speech listen -`"
        ) from None
    raise DataError("the microphone has vanished: plug it in and start again")


def _sounddevice() -> Any:
    try:
        import sounddevice
    except (ImportError, OSError) as error:  # the package, or PortAudio that it loads
        raise ConfigurationError(
            f"--microphone needs the package sounddevice and PortAudio ({error}): "
            "`pip install 'textapps[microphone]'`, or pipe samples to `textapps speech listen -`"
        ) from None
    return sounddevice
