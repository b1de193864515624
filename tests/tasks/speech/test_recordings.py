"""Files, bytes and streams that a recogniser is asked about."""

import io
import os
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
import tensorflow as tf
from hypothesis import given
from hypothesis import strategies as st

from tests.tasks.toy_words import spoken, wav_bytes
from textapps.core.errors import DataError
from textapps.preprocessing.resampling import resample
from textapps.preprocessing.riff import parse_wav
from textapps.tasks.speech import pieces
from textapps.tasks.speech.pieces import pcm_pieces, pieces_of
from textapps.tasks.speech.recordings import files_in, read_recording


def melody(seconds: float, rate_hz: int) -> Any:
    """float32[samples]: tones below 3 kHz."""
    times = np.arange(round(seconds * rate_hz)) / rate_hz
    tones = [np.sin(2 * np.pi * hertz * times + hertz) for hertz in (110.0, 431.0, 2_900.0)]
    return (0.2 * sum(tones) * (1 + np.sin(times))).astype(np.float32) / 2


@pytest.mark.parametrize("rate_hz", [8_000, 11_025, 16_000, 44_100])
@pytest.mark.parametrize("seconds", [0.4, 3.0, 7.77])
def test_pieces_of_a_file_are_the_whole_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, rate_hz: int, seconds: float
) -> None:
    monkeypatch.setattr(pieces, "_PIECE_SECONDS", 2)
    path = tmp_path / "long.wav"
    sound = melody(seconds, rate_hz)
    soundfile.write(path, np.stack([sound, sound], axis=1), rate_hz, subtype="FLOAT")
    whole = resample(sound, rate_hz, 16_000).numpy()
    parts = list(pieces_of(path, 16_000))
    found = np.concatenate(parts)
    assert found.shape == whole.shape
    assert len(parts) >= seconds // 2
    np.testing.assert_allclose(found, whole, atol=0 if rate_hz == 16_000 else 2e-3)


@pytest.mark.parametrize("rate_hz", [16_000, 48_000])
def test_samples_beyond_the_range_are_clipped_the_same_way_on_every_path(
    tmp_path: Path, rate_hz: int
) -> None:
    file = tmp_path / "loud.wav"
    waveform = 3 * np.sin(np.arange(rate_hz) * 440 * 2 * np.pi / rate_hz).astype(np.float32)
    soundfile.write(file, waveform, rate_hz, subtype="FLOAT")
    exported, own_hz, _ = parse_wav(tf.constant(file.read_bytes()))
    wanted = np.clip(resample(exported, int(own_hz), 16_000), -1, 1)
    assert np.abs(wanted).max() == 1
    heard = np.concatenate(list(pieces_of(file, 16_000)))
    np.testing.assert_allclose(heard, wanted, atol=1e-6)
    predicted = np.clip(read_recording(file, 16_000), -1, 1)
    np.testing.assert_allclose(predicted, wanted, atol=1e-6)


def test_a_cut_off_mp3_is_read_as_far_as_it_goes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its header says more; and nothing is read twice."""
    monkeypatch.setattr(pieces, "_PIECE_SECONDS", 2)
    whole, cut = tmp_path / "whole.mp3", tmp_path / "cut.mp3"
    soundfile.write(whole, melody(9.0, 16_000), 16_000)
    content = whole.read_bytes()
    cut.write_bytes(content[: len(content) // 2])
    found = np.concatenate(list(pieces_of(cut, 16_000)))
    assert 3.0 < len(found) / 16_000 < 6.0
    np.testing.assert_array_equal(found, read_recording(cut, 16_000))
    np.testing.assert_allclose(found[:32_000], read_recording(whole, 16_000)[:32_000], atol=1e-3)


def test_another_file_that_ends_before_its_time_is_no_recording(tmp_path: Path) -> None:
    path = tmp_path / "long.flac"
    soundfile.write(path, melody(9.0, 16_000), 16_000)
    path.write_bytes(path.read_bytes()[:-9_000])
    with pytest.raises(DataError, match="no audio that can be read"):
        list(pieces_of(path, 16_000))


@given(sizes=st.lists(st.integers(1, 9), min_size=1, max_size=30))
def test_raw_samples_come_as_they_are_cut(sizes: list[int]) -> None:
    """Also in the middle of a sample."""
    pcm = np.arange(-40, 40, dtype="<i2") * 300

    class Pipe(io.BytesIO):
        def read1(self, size: int | None = -1) -> bytes:
            return self.read(sizes[self.tell() % len(sizes)])

    parts = list(pcm_pieces(Pipe(pcm.tobytes())))
    np.testing.assert_array_equal(np.concatenate(parts), pcm.astype(np.float32) / 32_768)


def test_what_is_no_raw_stream() -> None:
    with pytest.raises(DataError, match="standard input: a WAV file, where raw samples are wanted"):
        list(pcm_pieces(io.BytesIO(wav_bytes(spoken("up", 1)))))
    for content in (b"", b"\x01"):
        with pytest.raises(DataError, match="standard input: no samples"):
            list(pcm_pieces(io.BytesIO(content)))


def test_files_of_a_folder(tmp_path: Path) -> None:
    for name in ("b/two.flac", "b/one.WAV", "a.ogg", "a.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    found = [file.relative_to(tmp_path).as_posix() for file in files_in(tmp_path)]
    assert found == ["a.ogg", "b/one.WAV", "b/two.flac"]
    assert files_in(tmp_path / "a.txt") == [tmp_path / "a.txt"]
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match=r"no recording in this folder \(\.wav, "):
        files_in(tmp_path / "empty")
    with pytest.raises(DataError, match="none: no such file or folder"):
        files_in(tmp_path / "none")


def test_samples_as_they_are() -> None:
    sound = spoken("up", 2)
    np.testing.assert_array_equal(read_recording(sound, 8_000), sound)
    read = read_recording(wav_bytes(sound), 8_000)
    np.testing.assert_allclose(read, sound, atol=2 / 32_768)
    assert len(read_recording(wav_bytes(sound), 16_000)) == 2 * len(sound)
    for bad, reason in (
        (np.zeros(0, np.float32), r"not of shape \(0,\)"),
        (np.zeros((2, 3), np.float32), r"not of shape \(2, 3\)"),
        (np.full(9, np.nan, np.float32), "NaN or infinite"),
        (np.ones(900, np.int16), "floats from -1 to 1, not of int16; divide samples of 16 bits by"),
        (np.zeros(31 * 8_000, np.float32), "31.0 s long, the limit is 30 s"),
    ):
        with pytest.raises(DataError, match=reason):
            read_recording(bad, 8_000)


def test_a_recording_is_read_once(tmp_path: Path) -> None:
    """From a pipe nothing comes a second time."""
    pipe, content = tmp_path / "word.wav", wav_bytes(spoken("up", 2))
    os.mkfifo(pipe)
    writer = threading.Thread(target=pipe.write_bytes, args=(content,))
    writer.start()
    read = read_recording(pipe, 8_000)
    writer.join()
    np.testing.assert_array_equal(read, read_recording(content, 8_000))
