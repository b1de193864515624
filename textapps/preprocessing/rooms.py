"""Synthetic rooms: what a room does to a sound."""

import numpy as np
from numpy.typing import NDArray

_FIRST_ECHO_SECONDS = 0.005  # a wall 0.9 m away


def room_response(
    rate_hz: int, seconds: float, direct_db: float, random: np.random.Generator
) -> NDArray[np.float32]:
    """The impulse response of a room, float32[seconds · rate_hz], with an energy of one.

    It is the direct sound, and 5 ms later Gaussian noise that decays exponentially, which is what
    many overlapping echoes add up to (Polack 1988; Schroeder 1962).

    Args:
        rate_hz: the sample rate.
        seconds: the reverberation time, in which the echoes fall by 60 dB.
        direct_db: the energy of the direct sound relative to that of all echoes.
        random: where the noise comes from.

    >>> room = room_response(8_000, 0.5, 0.0, np.random.default_rng(1))
    >>> room.shape, float((room**2).sum().round(5)), float((room[0] ** 2).round(5))
    ((4000,), 1.0, 0.5)
    """
    times = np.arange(max(2, round(seconds * rate_hz))) / rate_hz
    echoes = random.normal(size=len(times)) * 10 ** (-3 * times / seconds)
    echoes[times < _FIRST_ECHO_SECONDS] = 0
    energy = (echoes**2).sum()
    if energy:
        echoes *= np.sqrt(10 ** (-direct_db / 10) / energy)
    echoes[0] = 1
    response: NDArray[np.float32] = (echoes / np.sqrt((echoes**2).sum())).astype(np.float32)
    return response
