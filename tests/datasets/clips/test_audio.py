from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st

from textapps.core.errors import DataError
from textapps.datasets.clips import recording as recording_module
from textapps.datasets.clips.audio import ClipAudio, Shape, read_all
from textapps.datasets.clips.noise import Noise, part_of, silences
from textapps.datasets.clips.recording import Recording, of_file
from textapps.datasets.clips.sound_file import Sound
from textapps.datasets.source import Defect, stop

SHAPE = Shape(
    500,
    16_000,
    lambda waveform, rate_hz: waveform[:: rate_hz // 16_000],
    lambda waveform, samples: waveform[-samples:],
)


def recording(file: Path) -> Recording:
    return of_file(file, "yes", "", file.name)


@pytest.fixture
def files(record: Callable[..., Path]) -> list[Path]:
    """One too long, one too short for the shape, one of another rate."""
    return [record("a.wav", 700), record("b.flac", 300), record("c.wav", 900, 32_000)]


@pytest.mark.parametrize("memory_bytes", [3000, 2999])
def test_in_memory_or_not(files: list[Path], memory_bytes: int) -> None:
    recordings = [recording(file) for file in files]
    audio, good = ClipAudio.decode(recordings, SHAPE, memory_bytes=memory_bytes)
    assert (len(audio), good.tolist()) == (3, [0, 1, 2])
    assert (audio.lengths.tolist(), audio.longer) == ([500, 300, 450], 1)
    waveforms = audio.waveforms(np.array([2, 0, 1, 2]))
    assert (waveforms.dtype, waveforms.shape) == (np.float32, (4, 500))
    for row, index in zip(waveforms, [2, 0, 1, 2], strict=True):
        sound = recording(files[index]).read(stop)
        assert sound is not None
        expected = SHAPE.converted(sound)[-500:]
        np.testing.assert_allclose(row[: len(expected)], expected, rtol=0, atol=1 / 65536)
        assert not row[len(expected) :].any()


def test_both_ways_agree(files: list[Path]) -> None:
    recordings = [recording(file) for file in files]
    kept, streamed = (
        ClipAudio.decode(recordings, SHAPE, memory_bytes=size)[0] for size in (10**6, 0)
    )
    assert kept.digests == streamed.digests
    everything = np.arange(3)
    np.testing.assert_array_equal(kept.pcm(everything), streamed.pcm(everything))


@pytest.mark.parametrize("memory_bytes", [0, 10**6])
def test_bad_files_are_reported_in_order(files: list[Path], memory_bytes: int) -> None:
    files[0].write_bytes(b"no audio")
    files[2].unlink()
    recordings = [recording(file) for file in files]
    found: list[Defect] = []
    audio, good = ClipAudio.decode(
        recordings, SHAPE, memory_bytes=memory_bytes, report=found.append
    )
    assert [defect.place for defect in found] == [str(files[0]), str(files[2])]
    assert (len(audio), good.tolist(), audio.lengths.tolist()) == (1, [1], [300])
    assert audio.waveforms(np.array([0])).shape == (1, 500)
    with pytest.raises(DataError, match=r"a\.wav: no audio"):
        ClipAudio.decode(recordings, SHAPE, memory_bytes=memory_bytes)


def test_a_file_that_goes_bad_later(files: list[Path]) -> None:
    audio, _ = ClipAudio.decode([recording(files[1])], SHAPE, memory_bytes=0)
    files[1].write_bytes(b"")
    with pytest.raises(DataError, match=r"b\.flac: the file is empty"):
        audio.waveforms(np.array([0]))


def test_a_long_file_is_not_decoded(files: list[Path], monkeypatch: pytest.MonkeyPatch) -> None:
    soundfile.write(files[0], np.zeros(31 * 8_000, np.int16), 8_000)
    decoded: list[Path] = []
    whole = recording_module.decode
    monkeypatch.setattr(
        recording_module, "decode", lambda file: (decoded.append(file), whole(file))[1]
    )
    found: list[Defect] = []
    audio, good = ClipAudio.decode(
        [recording(file) for file in files], SHAPE, memory_bytes=10**6, report=found.append
    )
    assert (len(audio), good.tolist(), set(decoded)) == (2, [1, 2], set(files[1:]))
    assert found[0].message.startswith("31.0 s long, the limit is 30 s")


def test_answers_come_in_order_of_many() -> None:
    def one(number: int) -> Recording:
        sound = Sound(np.full(200, number / 512, np.float32), 16_000)
        return Recording("", "", "", "", lambda report: sound if number % 7 else None)

    found = list(read_all(map(one, range(100)), lambda sound: sound.waveform[0] * 512, list))
    assert found == [number if number % 7 else None for number in range(100)]


@given(st.integers(1, 400))
def test_splits_hear_no_noise_of_another(samples: int) -> None:
    noise = np.arange(samples, dtype=np.float32)
    parts = [part_of(noise, split) for split in ("train", "validation", "test")]
    np.testing.assert_array_equal(np.concatenate(parts), noise)
    assert abs(len(parts[0]) - 0.8 * samples) <= 1


def test_silence_is_cut_from_all_noises_in_turn() -> None:
    noises = [Noise("hum.wav", np.linspace(0.5, 1, 900)), Noise("tap.wav", np.full(40, -0.5))]
    found = silences("test", 6, noises, 100, 16_000)
    assert [one.place.split()[0] for one in found] == ["hum.wav", "tap.wav"] * 3
    assert [one.word for one in found] == ["silence"] * 6
    sounds = [one.read(lambda defect: None) for one in found]
    waveforms = [sound.waveform for sound in sounds if sound]
    assert {len(waveform) for waveform in waveforms} == {100}
    assert all((waveform < 0).all() for waveform in waveforms[1::2])  # repeated, not padded
    loud = [np.abs(waveform).max() for waveform in waveforms]
    assert len(set(loud)) == 6
    assert 0.5 * 0.01 <= min(loud) < max(loud) <= 1
    again = silences("test", 3, noises, 100, 16_000)
    assert [one.place for one in again] == [one.place for one in found[:3]]
    other = silences("train", 3, noises, 100, 16_000)
    assert [one.place for one in other[::2]] != [one.place for one in found[:3:2]]
