"""The sample of the speech task: synthetic words of synthetic speakers, generated on demand.

A voice is a sum of harmonics, shaped by the resonances of a mouth: additive synthesis (McAulay and
Quatieri 1986) with the formants of Peterson and Barney (1952). Hisses and bursts are noise around
one frequency. The samples are the same on every machine.
"""

import hashlib
from collections.abc import Sequence
from functools import cache, partial
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from textapps.datasets.clips.recording import Recording, from_pcm, to_pcm
from textapps.datasets.clips.sound_file import Sound
from textapps.datasets.source import Report

RATE_HZ = 16_000
SPEAKERS = 60
TAKES = 2  # of each word by each speaker
NOISES = ("hiss", "rumble", "hum")
NOISE_SECONDS = 20

_FRAME = 80  # samples, 5 ms: how often the mouth moves
_REST_HZ = np.array([500, 1500, 2500])
_RAMP = np.arange(_FRAME) / _FRAME
_HARMONICS = 20
_VOICE_END_HZ = 4500
_GLIDE_FRAMES = 7  # from one sound to the next


class Phone(NamedTuple):
    """A speech sound.

    length_ms: at an even pace
    voice, hiss: how loud either source is
    hiss_hz: the middle of its noise
    formants_hz: the first three resonances, for a scale of 1
    """

    length_ms: float
    voice: float
    hiss: float
    hiss_hz: float
    formants_hz: tuple[float, float, float]


Array = NDArray[np.float64]

_PHONES = {
    "a": Phone(120, 1.0, 0.0, 2000, (730, 1200, 2500)),
    "e": Phone(110, 0.9, 0.0, 2000, (500, 1850, 2500)),
    "i": Phone(110, 0.8, 0.0, 2000, (290, 2250, 3000)),
    "o": Phone(120, 0.9, 0.0, 2000, (520, 900, 2400)),
    "u": Phone(120, 0.8, 0.0, 2000, (320, 800, 2250)),
    "b": Phone(50, 0.12, 0.05, 700, (250, 800, 2200)),
    "d": Phone(50, 0.12, 0.10, 3200, (250, 1700, 2700)),
    "k": Phone(60, 0.0, 0.15, 1900, (300, 1900, 2300)),
    "t": Phone(60, 0.0, 0.15, 4200, (300, 1700, 2700)),
    "l": Phone(70, 0.45, 0.0, 2000, (350, 1100, 2700)),
    "m": Phone(70, 0.35, 0.0, 2000, (250, 950, 2200)),
    "n": Phone(70, 0.35, 0.0, 2000, (250, 1500, 2600)),
    "s": Phone(100, 0.0, 0.20, 5500, (300, 1600, 2600)),
}
# Each pair has the same sounds: only their order tells the two words apart.
WORDS = ("bado", "doba", "kimu", "muki", "sela", "lase", "tino", "noti")


class Voice(NamedTuple):
    """A speaker: pitch, factors of the formants, and pace (1 is that of `Phone`)."""

    pitch_hz: float
    accent: Array
    pace: float


class SyntheticClips:
    """Two takes of every word by each speaker, and three noises, all from fixed seeds."""

    name = "sample"
    own_splits: frozenset[str] = frozenset()

    @property
    def noises(self) -> Sequence[Recording]:
        """Twenty seconds of each noise."""
        return [
            Recording("", "", kind, f"sample/{kind}", partial(_read_noise, kind)) for kind in NOISES
        ]

    def examples(self, split: str | None) -> list[Recording]:
        """Sorted by word, then by speaker."""
        found = []
        for word in WORDS:
            for number in range(SPEAKERS):
                speaker = f"talker-{number:02}"
                for take in range(TAKES):
                    key = f"{word}/{speaker}-{take}"
                    read = partial(_read_word, word, speaker, take)
                    found.append(Recording(word, speaker, key, f"sample/{key}", read))
        return found


def spoken(word: str, speaker: str, take: int) -> NDArray[np.float32]:
    """float32[samples] at 16 kHz: a word in at most a second of faint noise.

    >>> spoken("bado", "talker-07", 0).shape == spoken("bado", "talker-07", 1).shape
    False
    """
    voice, drawn = _voice(speaker), _seeded(f"{word}/{speaker}/{take}")
    pace = voice.pace * drawn.uniform(0.85, 1.15)
    track = _track([_PHONES[letter] for letter in word], voice.accent, pace, drawn)
    pitch_hz = voice.pitch_hz * drawn.uniform(0.92, 1.09)
    melody = np.linspace(drawn.uniform(0.95, 1.2), drawn.uniform(0.75, 1.0), len(track))
    sound = _voiced(track, pitch_hz * melody) + _hissing(track, drawn)
    clip = np.zeros(int(RATE_HZ * drawn.uniform(0.02, 0.25)) + len(sound) + RATE_HZ // 20)
    start = len(clip) - len(sound) - RATE_HZ // 20
    clip[start : start + len(sound)] = sound / np.abs(sound).max()
    clip += 10 ** (drawn.uniform(-40, -12) / 20) * drawn.normal(size=len(clip))
    clip *= 10 ** (drawn.uniform(-20, -6) / 20)
    return from_pcm(to_pcm(clip.astype(np.float32)))


def background(kind: str) -> NDArray[np.float32]:
    """float32[20 seconds] of one of `NOISES`."""
    drawn = _seeded(kind)
    samples = NOISE_SECONDS * RATE_HZ
    slope = {"hiss": 0.0, "rumble": 1.0, "hum": 0.5}[kind]  # power falls with frequency so
    spectrum = np.fft.rfft(drawn.normal(size=samples))
    noise = np.fft.irfft(spectrum / np.maximum(np.arange(len(spectrum)), 200) ** slope, samples)
    noise /= noise.std()
    if kind == "hum":
        seconds = np.arange(samples) / RATE_HZ
        noise = 0.4 * noise + sum(np.sin(2 * np.pi * 50 * k * seconds) / k for k in (1, 2, 3, 5))
    return from_pcm(to_pcm((0.05 * noise).astype(np.float32)))


@cache
def _voice(speaker: str) -> Voice:
    drawn = _seeded(speaker)
    high = drawn.uniform()  # small heads have high voices and high resonances
    scale = 0.86 + 0.3 * high + drawn.uniform(-0.06, 0.06)
    return Voice(95 * 2.6**high, scale * drawn.uniform(0.93, 1.07, size=3), drawn.uniform(0.8, 1.2))


def _track(
    phones: Sequence[Phone], accent: Array, pace: float, drawn: np.random.RandomState
) -> Array:
    """float64[frames, 6]: voice, hiss, the middle of the hiss, three formants."""
    rows: list[list[float]] = []
    for phone in phones:
        frames = round(phone.length_ms * pace * drawn.uniform(0.8, 1.2) * RATE_HZ / 1000 / _FRAME)
        lazy = drawn.uniform(0, 0.5)  # so far short of its place the tongue stops
        formants = (1 - lazy) * np.array(phone.formants_hz) + lazy * _REST_HZ
        formants *= accent * drawn.uniform(0.9, 1.1, size=3)
        rows += [[phone.voice, phone.hiss, phone.hiss_hz, *formants]] * max(frames, 3)
    steps = np.array(rows)
    # Loudness starts and ends at nothing, resonances where they are.
    padded = np.pad(steps, ((_GLIDE_FRAMES, _GLIDE_FRAMES), (0, 0)), mode="edge")
    padded[:_GLIDE_FRAMES, :2] = padded[-_GLIDE_FRAMES:, :2] = 0
    window = np.ones(_GLIDE_FRAMES) / _GLIDE_FRAMES
    return np.stack([np.convolve(column, window, mode="same") for column in padded.T], axis=1)


def _voiced(track: Array, pitch_hz: Array) -> Array:
    """The harmonics of the voice under the formants; the pitch of each frame in Hz."""
    turn = np.exp(1j * _phase(pitch_hz))
    harmonic = np.ones_like(turn)
    numbers = np.arange(1, _HARMONICS + 1)
    loud = track[:, :1] * _passed(pitch_hz[:, None] * numbers, track[:, 3:]) / numbers**0.5
    sound = np.zeros(len(turn))
    for column in loud.T:
        harmonic *= turn
        sound += _between(column) * harmonic.imag
    return sound


def _passed(frequencies_hz: Array, formants_hz: Array) -> Array:
    """float64[frames, frequencies]: how much of each the mouth lets through."""
    widths_hz = 60 + 0.06 * formants_hz
    away = (frequencies_hz[:, :, None] - formants_hz[:, None]) / widths_hz[:, None]
    loud: Array = (1 / (1 + away**2)) @ np.array([1.0, 0.6, 0.3])
    return loud * (frequencies_hz < _VOICE_END_HZ)


def _hissing(track: Array, drawn: np.random.RandomState) -> Array:
    """Noise of some 2 kHz width around the middle of the hiss."""
    noise = drawn.normal(size=len(track) * _FRAME)
    slow = np.convolve(noise, np.ones(8) / 8**0.5, mode="same")
    return _between(track[:, 1]) * slow * np.cos(_phase(track[:, 2]))


def _phase(frequency_hz: Array) -> Array:
    """float64[samples] in radians, of a tone with such a frequency in each frame."""
    return np.cumsum(2 * np.pi / RATE_HZ * _between(frequency_hz))


def _between(values: Array) -> Array:
    """float64[frames] → float64[samples], in straight lines."""
    steps = np.append(np.diff(values), 0)
    return (values[:, None] + steps[:, None] * _RAMP).ravel()


def _seeded(key: str) -> np.random.RandomState:
    """NumPy guarantees that this generator never changes its numbers."""
    return np.random.RandomState(int.from_bytes(hashlib.sha1(key.encode()).digest()[:4], "big"))


def _read_word(word: str, speaker: str, take: int, report: Report) -> Sound:
    return Sound(spoken(word, speaker, take), RATE_HZ)


def _read_noise(kind: str, report: Report) -> Sound:
    return Sound(background(kind), RATE_HZ)
