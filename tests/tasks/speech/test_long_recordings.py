"""Recordings longer than a clip: the loudest stretch, wherever they are used."""

import csv
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from tests.tasks.toy_words import OTHERS, RATE_HZ, WORDS, spoken, wav_bytes
from textapps.tasks import lifecycle
from textapps.tasks.speech.data import load_split
from textapps.tasks.speech.task import TASK

VOICES = 4


@pytest.fixture
def late(tmp_path: Path) -> Path:
    """Words after 0.5 s of near silence, in recordings of 1 s at 8 kHz."""
    table = tmp_path / "late.csv"
    drawn = np.random.RandomState(3)
    with table.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["path", "label", "split"])
        for place, word in enumerate((*WORDS, *OTHERS)):
            for number in range(VOICES):
                waveform = (0.001 * drawn.normal(size=RATE_HZ)).astype(np.float32)
                sound = spoken(word, 500 + number)
                waveform[RATE_HZ // 2 :][: len(sound)] += sound
                path = tmp_path / f"{place}-{number}.wav"
                path.write_bytes(wav_bytes(waveform))
                writer.writerow([path.name, word, "test"])
    return table


def test_evaluation_training_and_export_use_the_same_stretch(
    trained: Callable[[str, str], Any], late: Path
) -> None:
    recognizer = trained("speech", "lstm")
    data = recognizer.config.data.model_copy(update={"source": str(late), "silence": 0.0})
    evaluation = lifecycle.evaluate(TASK, recognizer, data, "test")
    clips = evaluation.examples
    predicted = recognizer.predict(clips.places)
    scores = np.array([each.scores for each in predicted])
    np.testing.assert_allclose(evaluation.scores, scores, atol=1e-6)
    files = [Path(place).read_bytes() for place in clips.places]
    exported = recognizer.answer_files(tf.constant(files))
    np.testing.assert_allclose(exported["scores"], scores, atol=1e-6)
    labels = np.array([recognizer.labels.index(each.label) for each in predicted])
    assert np.mean(labels == clips.labels) > 0.8
    # Training reads its clips with the same function.
    config = recognizer.config.model_copy(update={"data": data})
    words = load_split(config, "test", recognizer.labels).waveforms()
    np.testing.assert_array_equal(words, clips.waveforms())
    assert np.abs(words).max(axis=1).min() > 0.1  # no clip without its word
