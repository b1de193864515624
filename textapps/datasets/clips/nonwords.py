"""Words that nobody says, made from clips of commands: what a recogniser must not take for one."""

from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

Way = Literal["spliced", "swapped", "reversed"]
WAYS: tuple[Way, ...] = get_args(Way)

_BLOCK_MS = 10
_SOUND_DB = 30.0  # below the loudest block: quieter ones at both ends are no part of the word
_FADE_MS = 10
_SPEEDS = (0.85, 1.2)  # of the whole: pitch and length change together, as between speakers

Samples = NDArray[np.float32]


def nonword(way: Way, first: Samples, second: Samples, speed: float, rate_hz: int) -> Samples:
    """A clip of a word that nobody says.

    Args:
        way: "spliced": the first half of one word, then the second half of the other; "swapped":
            the second half of a word, then its first; "reversed": a word played backwards.
        first, second: float32[samples], clips of different words; only "spliced" needs the second.
        speed: from 0 to 1, where between the slowest and the fastest the clip is played.
        rate_hz: the sample rate.

    Returns:
        float32[samples], as long as the first clip; its middle is that of the made word.
    """
    if way == "reversed":
        made = sounding(first, rate_hz)[::-1]
    else:
        begin, end = halves(sounding(first, rate_hz), rate_hz)
        if way == "spliced":
            end = halves(sounding(second, rate_hz), rate_hz)[1]
        else:
            begin, end = end, begin
        made = joined(begin, end, rate_hz * _FADE_MS // 1_000)
    slowest, fastest = _SPEEDS
    return centred(played(made, slowest * (fastest / slowest) ** speed), len(first))


def sounding(clip: Samples, rate_hz: int) -> Samples:
    """The part from the first to the last block that is not much quieter than the loudest."""
    energies = _energies(clip, rate_hz)
    loud = np.flatnonzero(energies >= energies.max() * 10 ** (-_SOUND_DB / 10))
    block = _block(rate_hz)
    return clip[loud[0] * block : (loud[-1] + 1) * block]


def halves(word: Samples, rate_hz: int) -> tuple[Samples, Samples]:
    """A word cut at the quietest block of its middle third, where a syllable is likely to end."""
    energies = _energies(word, rate_hz)
    start, end = len(energies) // 3, -(-2 * len(energies) // 3)
    cut = (start + int(np.argmin(energies[start : max(end, start + 1)]))) * _block(rate_hz)
    return word[:cut], word[cut:]


def joined(begin: Samples, end: Samples, fade: int) -> Samples:
    """One after the other, at one level, over `fade` samples in which one fades into the other."""
    level, other = (float(np.sqrt(np.mean(each**2))) if len(each) else 0.0 for each in (begin, end))
    if level > 0 and other > 0:
        end = end * np.float32(level / other)
    fade = min(fade, len(begin), len(end))
    ramp = np.linspace(0, 1, fade, dtype=np.float32)
    over = begin[len(begin) - fade :] * (1 - ramp) + end[:fade] * ramp
    return np.concatenate([begin[: len(begin) - fade], over, end[fade:]])


def played(sound: Samples, speed: float) -> Samples:
    """A sound at another speed, by linear interpolation.

    >>> played(np.array([0, 2, 4, 6], np.float32), 2.0).tolist()
    [0.0, 4.0]
    """
    places = np.arange(max(1, int(len(sound) / speed))) * speed
    made: Samples = np.interp(places, np.arange(len(sound)), sound).astype(np.float32)
    return made


def centred(sound: Samples, samples: int) -> Samples:
    """float32[samples]: the sound in the middle of silence, or the middle of a longer one.

    >>> centred(np.ones(2, np.float32), 5).tolist(), len(centred(np.ones(9, np.float32), 5))
    ([0.0, 1.0, 1.0, 0.0, 0.0], 5)
    """
    before = max(len(sound) - samples, 0) // 2
    sound = sound[before : before + samples]
    missing = samples - len(sound)
    return np.pad(sound, (missing // 2, missing - missing // 2))


def _block(rate_hz: int) -> int:
    return max(1, rate_hz * _BLOCK_MS // 1_000)


def _energies(sound: Samples, rate_hz: int) -> NDArray[np.float64]:
    """float64[blocks], the last of which may be shorter."""
    block = _block(rate_hz)
    padded = np.pad(sound.astype(np.float64), (0, -len(sound) % block))
    return np.asarray((padded.reshape(-1, block) ** 2).sum(axis=1))
