"""Recordings on which users stumbled: ../shared/cases, next to the real data."""

from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from textapps.core.errors import DataError
from textapps.datasets.clips.bytes import wav_bytes
from textapps.datasets.clips.recording import of_file
from textapps.datasets.source import stop
from textapps.preprocessing.recordings import read_recordings
from textapps.tasks.speech.pieces import pieces_of
from textapps.tasks.speech.recordings import read_recording

pytestmark = pytest.mark.acceptance
RATE_HZ = 16_000


@pytest.fixture
def cases(shared_data: Path) -> Path:
    path = shared_data.parent / "cases"
    if not path.is_dir():
        pytest.skip(f"needs {path}")
    return path


@pytest.mark.parametrize("name", ["mulaw", "alaw", "msadpcm", "gsm", "rf64"])
def test_every_path_reads_the_same(cases: Path, name: str) -> None:
    path = cases / "clips" / f"{name}.wav"
    predicted = read_recording(path, RATE_HZ)
    sound = of_file(path, "", "", name).read(stop)
    assert sound is not None
    assert len(sound.waveform) / sound.rate_hz == pytest.approx(1, abs=0.05)
    waveforms, samples, errors = read_recordings(tf.constant([wav_bytes(str(path))]), RATE_HZ)
    assert errors.numpy().tolist() == [b""]
    np.testing.assert_allclose(waveforms[0, : samples[0]], predicted, atol=1e-5)
    listened = np.concatenate(list(pieces_of(path, RATE_HZ)))
    np.testing.assert_allclose(listened, predicted, atol=2e-3)
    assert np.abs(predicted).max() > 0.1


def test_a_truncated_file_is_refused_alike(cases: Path) -> None:
    path = cases / "clips" / "cut.wav"
    reason = "cut off, 12043 bytes are missing; record it again"
    for ask in (read_recording, pieces_of):
        with pytest.raises(DataError, match=reason):
            list(ask(path, RATE_HZ))
    with pytest.raises(DataError, match=reason):
        wav_bytes(str(path))
    _, _, errors = read_recordings(tf.constant([path.read_bytes()]), RATE_HZ)
    assert errors.numpy().tolist() == [reason.encode()]
