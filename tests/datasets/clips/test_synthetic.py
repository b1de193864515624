import numpy as np

from textapps.datasets.clips.config import ClipsConfig
from textapps.datasets.clips.loader import load_clips
from textapps.datasets.clips.synthetic import (
    NOISES,
    RATE_HZ,
    SPEAKERS,
    TAKES,
    WORDS,
    SyntheticClips,
    background,
    spoken,
)
from textapps.datasets.splits import split_of


def never(waveform: object, rate_hz: int) -> np.ndarray:
    raise AssertionError("the sample has the rate of the models")


def test_what_there_is() -> None:
    found = SyntheticClips().examples(None)
    assert len(found) == len({one.key for one in found}) == len(WORDS) * SPEAKERS * TAKES
    splits = {speaker: split_of(speaker) for speaker in {one.speaker for one in found}}
    counts = [list(splits.values()).count(split) for split in ("train", "validation", "test")]
    assert counts == [44, 9, 7]
    assert {one.word for one in found} == set(WORDS)


def test_order_alone_tells_two_words_apart() -> None:
    sounds = {word: sorted(word[at : at + 2] for at in (0, 2)) for word in WORDS}
    assert all(list(sounds.values()).count(syllables) == 2 for syllables in sounds.values())


def test_the_same_samples_everywhere() -> None:
    for word, speaker, take in (("bado", "talker-07", 0), ("noti", "talker-31", 1)):
        sound = spoken(word, speaker, take)
        np.testing.assert_array_equal(sound, spoken(word, speaker, take))
        assert (sound.dtype, np.abs(sound).max() < 1) == (np.float32, True)
        assert 0.25 * RATE_HZ < len(sound) < RATE_HZ
    # Known sums: a change of the sample is a change of all figures on it.
    pcm = np.rint(spoken("bado", "talker-07", 0) * 32768).astype(np.int64)
    assert (len(pcm), int(np.abs(pcm).sum())) == (9937, 5041218)


def test_voices_differ() -> None:
    def pitch(speaker: str) -> float:
        """Of a word in Hz, by the first peak of its autocorrelation between 70 and 350 Hz."""
        sound = spoken("muki", speaker, 0).astype(np.float64)
        spectrum = np.abs(np.fft.rfft(sound, 2 * len(sound))) ** 2
        lags = np.arange(RATE_HZ // 350, RATE_HZ // 70)
        return RATE_HZ / lags[np.fft.irfft(spectrum)[lags].argmax()]

    found = [pitch(f"talker-{number:02}") for number in range(20)]
    assert max(found) > 1.8 * min(found)


def test_noises_are_of_equal_loudness_and_different_colour() -> None:
    low_shares = []
    for kind in NOISES:
        noise = background(kind)
        assert 0.03 < noise.std() < 0.07
        power = np.abs(np.fft.rfft(noise)) ** 2
        low_shares.append(power[: len(power) // 16].sum() / power.sum())
    assert max(low_shares) - min(low_shares) > 0.5


def test_the_sample_as_a_training_takes_it() -> None:
    [test] = load_clips(ClipsConfig(source="sample", commands="bado,doba"), ["test"], never, never)
    assert test.names == ("bado", "doba", "unknown", "silence")
    assert np.bincount(test.labels).tolist() == [14, 14, 4, 4]
    assert test.waveforms([0, 30]).shape == (2, RATE_HZ)
