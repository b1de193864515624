import numpy as np
import pytest

from textapps.core.errors import DataError
from textapps.datasets.clips.audio import ClipAudio, Shape
from textapps.datasets.clips.examples import Clips
from textapps.datasets.clips.noise import Noise
from textapps.datasets.clips.recording import Recording, Sound
from textapps.datasets.clips.timeline import Timeline, lay_out

RATE_HZ = 1000
LENGTHS = (70, 110, 90, 130)  # the last one is silence
NAMES = ("yes", "unknown", "silence")


def clips(*, noise: float = 0.0, only: tuple[int, ...] = (0, 1, 2, 3)) -> Clips:
    """Clip i is loud at 0.1 (i + 1), silence aside."""

    def recording(index: int) -> Recording:
        wave = np.tile([1, -1], LENGTHS[index])[: LENGTHS[index]].astype(np.float32)
        sound = Sound(np.float32(0.1 * (index + 1)) * wave, RATE_HZ)
        return Recording(f"word{index}", "", str(index), str(index), lambda report: sound)

    recordings = [recording(index) for index in only]
    shape = Shape(
        150, RATE_HZ, lambda waveform, rate_hz: waveform, lambda waveform, samples: waveform
    )
    audio, _ = ClipAudio.decode(recordings, shape, memory_bytes=10**6)
    noises = (Noise("hum", noise * np.resize([1, 1, -1, -1], 333)),) if noise else ()
    return Clips(
        name="words",
        names=NAMES,
        labels=np.array([0, 1, 0, 2], np.int32)[list(only)],
        words=[one.word for one in recordings],
        speakers=[""] * len(only),
        places=[one.place for one in recordings],
        audio=audio,
        rate_hz=RATE_HZ,
        noises=tuple(Noise(one.place, one.waveform.astype(np.float32)) for one in noises),
    )


def samples(timeline: Timeline, number: int) -> np.ndarray:
    event = timeline.events[number]
    return timeline.waveform[round(event.start_ms) : round(event.end_ms)]


def test_clips_lie_where_the_events_say() -> None:
    found = lay_out(clips(), 5.0, gap_seconds=(0.2, 0.4), seed=3)
    assert (len(found.waveform), found.waveform.dtype, found.rate_hz) == (5000, np.float32, RATE_HZ)
    assert 9 <= len(found.events) <= 18
    end = 0.0
    covered = np.zeros(5000, bool)
    for number, (event, clip) in enumerate(zip(found.events, found.clips, strict=True)):
        assert event.label == ("yes", "unknown", "yes")[clip]
        assert 200 <= event.start_ms - end <= 400
        assert event.end_ms - event.start_ms == LENGTHS[clip]
        sound = samples(found, number)
        middle = sound[10:-10]
        np.testing.assert_allclose(np.abs(middle), 0.1 * (clip + 1), atol=1e-4)
        assert abs(sound[0]) < abs(sound[5]) < abs(sound[10])
        covered[round(event.start_ms) : round(event.end_ms)] = True
        end = event.end_ms
    assert not found.waveform[~covered].any()
    order = found.clips
    for start in range(0, len(order) - 2, 3):  # each once before any comes again
        assert set(order[start : start + 3]) == {0, 1, 2}


def test_the_seed_decides() -> None:
    found = [lay_out(clips(noise=0.5), 3.0, seed=seed, gap_seconds=(0, 0.5)) for seed in (1, 1, 2)]
    np.testing.assert_array_equal(found[0].waveform, found[1].waveform)
    assert found[0].events == found[1].events != found[2].events


@pytest.mark.parametrize("snr_db", [0.0, 20.0])
def test_noise_lies_below_the_middle_clip(snr_db: float) -> None:
    found = lay_out(clips(noise=0.03, only=(1,)), 4.0, snr_db=snr_db, gap_seconds=(0.5, 0.5))
    quiet = found.waveform[: round(found.events[0].start_ms)]
    level = np.sqrt(np.mean(np.square(quiet[20:300])))
    assert 20 * np.log10(0.2 / level) == pytest.approx(snr_db, abs=0.5)


def test_what_cannot_be_laid_out() -> None:
    with pytest.raises(DataError, match="words: no clips of words to lay out"):
        lay_out(clips(only=(3,)), 5.0)
    with pytest.raises(DataError, match=r"words: no clip fits into 0\.05 s; ask for more"):
        lay_out(clips(), 0.05)
