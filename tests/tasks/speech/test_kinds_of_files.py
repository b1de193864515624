"""Audio files of every kind: one result on every path, or refused on every path alike."""

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
import tensorflow as tf
from hypothesis import given
from hypothesis import strategies as st

from tests.preprocessing.wav_files import chunk, layout, riff
from tests.tasks.toy_words import RATE_HZ, spoken, wav_bytes
from textapps.core.errors import DataError
from textapps.datasets.clips.bytes import wav_bytes as batch_bytes
from textapps.datasets.clips.magic import audio_kind
from textapps.datasets.clips.recording import of_file
from textapps.datasets.source import stop
from textapps.preprocessing.recordings import read_recordings
from textapps.tasks.speech.pieces import pcm_pieces, pieces_of
from textapps.tasks.speech.recordings import read_recording

WORD = spoken("up", 64)
GRAPH = tf.function(
    lambda contents: read_recordings(contents, RATE_HZ),
    input_signature=[tf.TensorSpec([None], tf.string)],
)
# Format, subtype, whether the graph decodes it, and how far a sample may be from the original.
KINDS = {
    "pcm.wav": ("WAV", "PCM_16", True, 1e-4),
    "mulaw.wav": ("WAV", "ULAW", True, 0.02),
    "alaw.wav": ("WAV", "ALAW", True, 0.02),
    "msadpcm.wav": ("WAV", "MS_ADPCM", False, 0.1),
    "imaadpcm.wav": ("WAV", "IMA_ADPCM", False, 0.1),
    "gsm.wav": ("WAV", "GSM610", False, 0.6),
    "rf64.wav": ("RF64", "PCM_16", True, 1e-4),
    "word.w64": ("W64", "PCM_16", False, 1e-4),
    "word.aiff": ("AIFF", "PCM_16", False, 1e-4),
    "word.flac": ("FLAC", "PCM_16", False, 1e-4),
    "word.ogg": ("OGG", "VORBIS", False, 0.1),
    "word.opus": ("OGG", "OPUS", False, 0.2),
    "word.mp3": ("MP3", "MPEG_LAYER_III", False, 0.6),
}


def written(name: str) -> bytes:
    content = io.BytesIO()
    form, subtype, _, _ = KINDS[name]
    soundfile.write(content, WORD, RATE_HZ, subtype=subtype, format=form)
    return content.getvalue()


def in_graph(content: bytes) -> tuple[Any, str]:
    """The waveform that an export reads, and its error."""
    waveforms, samples, errors = GRAPH([content])
    return waveforms[0, : samples[0]].numpy(), errors[0].numpy().decode()


def refusals(path: Path) -> set[str]:
    """What training, predict, Python, batch and listen say, without the path."""
    found = set()
    for ask in (
        lambda: of_file(path, "up", "", "key").read(stop),
        lambda: read_recording(path, RATE_HZ),
        lambda: read_recording(path.read_bytes(), RATE_HZ, str(path)),
        lambda: batch_bytes(str(path)),
        lambda: list(pieces_of(path, RATE_HZ)),
    ):
        with pytest.raises(DataError) as caught:
            ask()
        assert str(caught.value).startswith(f"{path}: ")
        found.add(str(caught.value).removeprefix(f"{path}: "))
    return found


@pytest.mark.slow
@pytest.mark.parametrize("name", KINDS)
def test_every_kind_is_the_same_on_every_path(tmp_path: Path, name: str) -> None:
    _, _, by_graph, tolerance = KINDS[name]
    path = tmp_path / name
    path.write_bytes(written(name))
    sound = of_file(path, "up", "", name).read(stop)
    assert sound is not None
    assert sound.rate_hz == RATE_HZ
    if tolerance < 0.5:  # GSM and MP3 shift and filter
        np.testing.assert_allclose(sound.waveform[: len(WORD)], WORD, atol=tolerance)
    assert np.abs(sound.waveform).max() > 0.5 * np.abs(WORD).max()
    np.testing.assert_array_equal(read_recording(path, RATE_HZ), sound.waveform)
    np.testing.assert_array_equal(read_recording(path.read_bytes(), RATE_HZ), sound.waveform)
    np.testing.assert_array_equal(np.concatenate(list(pieces_of(path, RATE_HZ))), sound.waveform)
    content = batch_bytes(str(path))
    waveform, error = in_graph(content)
    assert error == ""
    np.testing.assert_allclose(waveform, np.clip(sound.waveform, -1, 1), atol=1e-6)
    assert (content == path.read_bytes()) == by_graph
    if not by_graph:
        _, error = in_graph(path.read_bytes())
        assert error.endswith("save it as WAV (16-bit PCM)")


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "the file is empty"),
        (b"no sound\n" * 40, "no audio that can be read, unknown or damaged"),
        (b"RIFF", "no audio that can be read"),
        (wav_bytes(WORD)[:-900], "cut off, 899 bytes are missing"),
        (written("mulaw.wav")[:-900], "cut off, 899 bytes are missing"),
        (written("rf64.wav")[:-900], "cut off, 899 bytes are missing"),
        (written("gsm.wav")[:-90], "cut off, 89 bytes are missing"),
        (written("word.flac")[:-900], "no audio that can be read"),
        (wav_bytes(WORD)[:30], "cut off"),
        (riff(), "no complete 'fmt ' chunk"),
        (riff(chunk(b"fmt ", layout(85, bits=0)), chunk(b"data", b"1234")), "WAV encoding 85 with"),
        (riff(chunk(b"fmt ", layout()), chunk(b"data", b"")), "empty, it has 0 samples"),
        (wav_bytes(WORD[:40]), "too short, 40 samples (5.0 ms)"),
        (wav_bytes(WORD, 3_000), "the sample rate of 3000 Hz"),
        (
            riff(
                chunk(b"fmt ", layout(3, bits=32, rate=RATE_HZ)),
                chunk(b"data", np.full(900, np.nan, "<f4").tobytes()),
            ),
            "contains NaN or infinite samples",
        ),
    ],
)
def test_a_bad_file_is_refused_in_the_same_words(
    tmp_path: Path, content: bytes, reason: str
) -> None:
    path = tmp_path / "bad.wav"
    path.write_bytes(content)
    _, error = in_graph(content)
    assert refusals(path) == {error}
    assert error.startswith(reason) or reason in error


@pytest.mark.parametrize("name", ["word.aiff", "word.w64", "word.ogg", "word.opus"])
def test_other_files_cut_off(tmp_path: Path, name: str) -> None:
    content = written(name)
    for share in (0.05, 0.5, 0.9):
        path = tmp_path / name
        path.write_bytes(content[: int(share * len(content))])
        (reason,) = refusals(path)
        expected = ("cut off", "no audio that can be read", "empty, it has 0 samples")
        assert reason.startswith(expected)


def test_a_name_that_soundfile_takes_for_raw_samples(tmp_path: Path) -> None:
    path = tmp_path / "word.raw"
    path.write_bytes(bytes(4_000))
    with pytest.raises(DataError, match=r"word\.raw: no audio that can be read"):
        read_recording(path, RATE_HZ)


@pytest.mark.parametrize("name", KINDS)
def test_a_file_is_not_heard_as_raw_samples(name: str) -> None:
    with pytest.raises(DataError, match=r"standard input: .*, where raw samples are wanted"):
        list(pcm_pieces(io.BytesIO(written(name))))


@given(values=st.lists(st.integers(-32_768, 32_767), min_size=1, max_size=999))
def test_raw_samples_are_not_taken_for_a_file(values: list[int]) -> None:
    pcm = np.array(values, "<i2")
    if pcm.tobytes()[:2] not in (b"RI", b"RF", b"ri", b"FO", b"fL", b"Og", b"ID", b"ca", b".s"):
        assert audio_kind(pcm.tobytes()) == ""
    loud = np.full(4_000, 0xFBFF, "<u2").tobytes()  # the first bytes of an MP3 frame, over and over
    assert audio_kind(loud) == ""
