"""Recordings on which users stumbled: ../shared/cases, next to the real data."""

from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

import textapps
from textapps.core.errors import DataError
from textapps.datasets.clips.bytes import wav_bytes
from textapps.datasets.clips.config import ClipsConfig
from textapps.datasets.clips.inspection import check
from textapps.datasets.clips.recording import of_file
from textapps.datasets.source import stop
from textapps.preprocessing.recordings import read_recordings
from textapps.tasks import lifecycle
from textapps.tasks.speech.pieces import pieces_of
from textapps.tasks.speech.recordings import read_recording
from textapps.tasks.speech.task import TASK

pytestmark = pytest.mark.acceptance
RATE_HZ = 16_000


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


@pytest.mark.parametrize("trim", [False, True])
def test_words_after_a_silence(cases: Path, tmp_path: Path, trim: bool) -> None:
    """Training learns them, and evaluation gives the scores of prediction."""
    settings = {
        "preset": "tiny",
        "data.source": str(cases / "late"),
        "preprocessor.trim": trim,
        "training.epochs": 60,
        "training.batch_size": 15,
    }
    recognizer = textapps.train("speech", settings, tmp_path)
    for split, least in (("train", 0.9), ("test", 0.0)):
        evaluation = lifecycle.evaluate(TASK, recognizer, split=split)
        predicted = recognizer.predict(evaluation.examples.places)
        scores = [answer.scores for answer in predicted]
        np.testing.assert_allclose(evaluation.scores, scores, atol=1e-5)
        assert evaluation.summary["metrics"]["accuracy"] >= least
    findings = check(ClipsConfig(source=str(cases / "late")))
    assert len(findings.longer) == 30
