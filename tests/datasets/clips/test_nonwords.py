"""Words that nobody says, sample by sample."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from textapps.datasets.clips.nonwords import WAYS, halves, joined, nonword, sounding

RATE_HZ = 8_000
BLOCK = 80  # samples, 10 ms


def tone(hertz: float, samples: int, level: float = 0.5) -> np.ndarray:
    return (level * np.sin(2 * np.pi * hertz * np.arange(samples) / RATE_HZ)).astype(np.float32)


def clip(first: float, second: float) -> np.ndarray:
    """Two tones of 60 ms with 20 ms between them, in 300 ms."""
    gap = np.zeros(2 * BLOCK, np.float32)
    word = np.concatenate([tone(first, 6 * BLOCK), gap, tone(second, 6 * BLOCK)])
    return np.pad(word, (5 * BLOCK, 11 * BLOCK))


def strongest(sound: np.ndarray) -> float:
    """The frequency with the most energy, in Hz."""
    spectrum = np.abs(np.fft.rfft(sound, 8_192))
    return float(np.argmax(spectrum) * RATE_HZ / 8_192)


def test_silence_around_a_word_is_no_part_of_it() -> None:
    word = sounding(clip(400, 900), RATE_HZ)
    assert len(word) == 14 * BLOCK
    begin, end = halves(word, RATE_HZ)
    assert len(begin) in (6 * BLOCK, 7 * BLOCK)
    np.testing.assert_array_equal(np.concatenate([begin, end]), word)


MIDDLE = (np.log(1 / 0.85) / np.log(1.2 / 0.85)).item()  # the speed of the recording itself


@pytest.mark.parametrize(
    ("way", "expected"),
    [("spliced", (400, 1_500)), ("swapped", (900, 400)), ("reversed", (900, 400))],
)
def test_what_is_heard_first_and_last(way: str, expected: tuple[float, float]) -> None:
    made = nonword(way, clip(400, 900), clip(700, 1_500), MIDDLE, RATE_HZ)  # type: ignore[arg-type]
    assert made.dtype == np.float32
    word = sounding(made, RATE_HZ)
    heard = strongest(word[: 5 * BLOCK]), strongest(word[-5 * BLOCK :])
    np.testing.assert_allclose(heard, expected, atol=25)


def test_another_speed_changes_pitch_and_length() -> None:
    slow, fast = (
        nonword("reversed", clip(600, 600), clip(1, 1), speed, RATE_HZ) for speed in (0.0, 1.0)
    )
    np.testing.assert_allclose(strongest(fast) / strongest(slow), 1.2 / 0.85, rtol=0.02)
    assert len(slow) == len(fast) == len(clip(1, 1))


def test_two_levels_are_made_one() -> None:
    both = joined(tone(500, 800, 0.4), tone(500, 800, 0.01), fade=80)
    assert len(both) == 1_520
    np.testing.assert_allclose(np.abs(both[900:]).max(), 0.4, rtol=0.05)


@given(
    st.sampled_from(WAYS),
    st.integers(0, 1_000),
    st.integers(1, 3_000),
    st.floats(0, 1),
    st.booleans(),
)
def test_any_clips_give_a_clip(
    way: str, seed: int, samples: int, speed: float, silent: bool
) -> None:
    drawn = np.random.RandomState(seed)
    first, second = drawn.uniform(-1, 1, (2, samples)).astype(np.float32)
    made = nonword(way, 0 * first if silent else first, second, speed, RATE_HZ)  # type: ignore[arg-type]
    assert made.shape == (samples,)
    assert np.isfinite(made).all()
    assert np.abs(made).max() <= 4  # the level of the louder half, at most twice over
