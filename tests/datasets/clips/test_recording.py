from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st

from textapps.core.errors import DataError
from textapps.datasets.clips.recording import from_pcm, read_sound, to_pcm
from textapps.datasets.clips.sound_file import is_clip
from textapps.datasets.source import Defect

Record = Callable[..., Path]
WAVEFORM = np.sin(np.arange(900) / 7) * np.linspace(0.1, 0.9, 900)


@pytest.mark.parametrize(
    ("suffix", "subtype", "exact"),
    [
        ("wav", "PCM_16", 1 / 32768),
        ("wav", "PCM_24", 1e-6),
        ("wav", "PCM_32", 1e-6),
        ("wav", "FLOAT", 1e-7),
        ("wav", "PCM_U8", 1 / 128),
        ("flac", "PCM_16", 1 / 32768),
        ("flac", "PCM_24", 1e-6),
        ("ogg", "VORBIS", 0.2),
    ],
)
@pytest.mark.parametrize("rate_hz", [8_000, 44_100])
def test_formats(tmp_path: Path, suffix: str, subtype: str, exact: float, rate_hz: int) -> None:
    path = tmp_path / f"clip.{suffix}"
    stereo = np.stack([WAVEFORM, -0.2 * WAVEFORM], axis=1)
    soundfile.write(path, stereo, rate_hz, subtype=subtype)
    sound = read_sound(path, "clip")
    assert sound is not None
    assert (sound.waveform.dtype, sound.waveform.shape, sound.rate_hz) == (
        np.float32,
        (900,),
        rate_hz,
    )
    np.testing.assert_allclose(sound.waveform, 0.4 * WAVEFORM, rtol=0, atol=exact)
    again = read_sound(path.read_bytes(), "clip")
    assert again is not None
    np.testing.assert_array_equal(again.waveform, sound.waveform)


def reason(file: Path | bytes) -> str:
    """What is wrong, as it is reported and as it is raised."""
    found: list[Defect] = []
    assert read_sound(file, "it", found.append) is None
    [defect] = found
    with pytest.raises(DataError) as caught:
        read_sound(file, "it")
    assert str(caught.value) == f"it: {defect.message}"
    assert "\n" not in defect.message
    return defect.message


def test_what_is_no_audio(tmp_path: Path, record: Record) -> None:
    text = tmp_path / "text.wav"
    text.write_text("spoken words\n" * 40, encoding="utf-8")
    assert reason(text) == (
        "no audio that can be read, unknown or damaged; save it as WAV (16-bit PCM)"
    )
    assert reason(tmp_path / "none.wav") == "cannot be read (No such file or directory)"
    assert reason(tmp_path) == "cannot be read (Is a directory)"
    assert reason(record("empty.wav", 0)) == "empty, it has 0 samples; record it again"
    assert reason(record("short.wav", 159)).startswith("too short, 159 samples (9.9 ms), 10 ms")
    assert read_sound(record("long.wav", 160), "it") is not None
    loud = np.array([0.5] * 400 + [np.nan])
    soundfile.write(tmp_path / "nan.wav", loud, 16_000, subtype="FLOAT")
    assert reason(tmp_path / "nan.wav").startswith("contains NaN or infinite samples")


@pytest.mark.parametrize("name", ["clip.wav", "clip.flac", "clip.ogg"])
@pytest.mark.parametrize("share", [0.0, 0.01, 0.3, 0.7])
def test_files_cut_off(record: Record, name: str, share: float) -> None:
    path = record(name, 4_000)
    whole = path.read_bytes()
    cut = whole[: int(share * len(whole))]
    path.write_bytes(cut)
    assert reason(path) == reason(cut)
    if name.endswith("wav") and share > 0.1:
        missing = len(whole) - len(cut) - 1
        assert reason(cut) == f"cut off, {missing} bytes are missing; record it again"


def test_a_streamed_wav_has_no_length(record: Record) -> None:
    path = record("clip.wav", 700)
    for size in (b"\xff" * 4, b"\0" * 4):
        path.write_bytes(b"RIFF" + size + path.read_bytes()[8:])
        sound = read_sound(path, "clip")
        assert sound is not None
        assert len(sound.waveform) == 700


@given(st.binary(max_size=200), st.booleans())
def test_no_bytes_do_more_than_report(content: bytes, riff: bool) -> None:
    found: list[Defect] = []
    content = b"RIFF\x20\0\0\0WAVE" + content if riff else content
    sound = read_sound(content, "it", found.append)
    assert (sound is None) == (len(found) == 1)


@given(st.lists(st.integers(-32768, 32767), min_size=1, max_size=20))
def test_samples_of_16_bits_survive(values: list[int]) -> None:
    pcm = np.array(values, np.int16)
    waveform = from_pcm(pcm)
    assert (waveform.dtype, bool(np.abs(waveform).max() <= 1)) == (np.float32, True)
    np.testing.assert_array_equal(to_pcm(waveform), pcm)


def test_names_of_clips() -> None:
    names = ("a.wav", "b.FLAC", "c.ogg", "d.opus", "e.txt", "wav", "f.wav.txt")
    assert [is_clip(Path(name)) for name in names] == [True] * 4 + [False] * 3
