"""Clips as poor devices and rooms give them, to evaluate a recogniser on."""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from textapps.preprocessing.rooms import room_response

Floats = npt.NDArray[np.float32]

NARROW_RATE_HZ = 8_000
QUIETER_DB = 40.0
ROOM_SECONDS = 0.5  # of reverberation, as in a living room
ROOM_DIRECT_DB = 0.0  # as two metres from the microphone
_FULL_SCALE = 32_768


def narrowed(clips: npt.ArrayLike, rate_hz: int, first: int = 0) -> Floats:
    """Clips recorded at 8 kHz: without the frequencies from 4 kHz on."""
    waveforms = np.asarray(clips, np.float32)
    samples = waveforms.shape[1]
    # Twice as long: the Fourier transform takes what it gets for periodic.
    spectra = np.fft.rfft(waveforms, 2 * samples)
    spectra[:, np.fft.rfftfreq(2 * samples, 1 / rate_hz) >= NARROW_RATE_HZ / 2] = 0
    return np.fft.irfft(spectra, 2 * samples)[:, :samples].astype(np.float32)


def quieter(clips: npt.ArrayLike, rate_hz: int, first: int = 0) -> Floats:
    """Clips recorded 40 dB more quietly, in 16 bits.

    >>> quieter([[0.5, 0.001]], 16_000) * 32_768
    array([[164.,   0.]], dtype=float32)
    """
    soft = np.asarray(clips, np.float32) * np.float32(10 ** (-QUIETER_DB / 20))
    return np.asarray(np.rint(soft * _FULL_SCALE) / _FULL_SCALE, np.float32)


def reverberant(clips: npt.ArrayLike, rate_hz: int, first: int = 0) -> Floats:
    """Clips recorded in a room, each in its own, which depends on the number of the clip only.

    A clip that would exceed [-1, 1] is scaled down as a whole.
    """
    waveforms = np.asarray(clips, np.float32)
    samples = waveforms.shape[1]
    rooms = np.stack(
        [
            room_response(rate_hz, ROOM_SECONDS, ROOM_DIRECT_DB, np.random.default_rng([7, row]))
            for row in range(first, first + len(waveforms))
        ]
    )
    size = samples + rooms.shape[1]
    spectra = np.fft.rfft(waveforms, size) * np.fft.rfft(rooms, size)
    sounds = np.fft.irfft(spectra, size)[:, :samples]
    loudest = np.abs(sounds).max(axis=1, keepdims=True, initial=1.0)
    return np.asarray(sounds / loudest, np.float32)


CONDITIONS: dict[str, Callable[[npt.ArrayLike, int, int], Floats]] = {
    "8_khz": narrowed,
    "40_db_quieter": quieter,
    "reverberation": reverberant,
}
"""By the name of a condition: float[clips, samples], their rate, the number of the first → the
same clips in it."""


def conditions_at(rate_hz: int) -> tuple[str, ...]:
    """The names of the conditions that change clips of this rate.

    >>> conditions_at(16_000), conditions_at(8_000)
    (('8_khz', '40_db_quieter', 'reverberation'), ('40_db_quieter', 'reverberation'))
    """
    return tuple(name for name in CONDITIONS if name != "8_khz" or rate_hz > NARROW_RATE_HZ)
