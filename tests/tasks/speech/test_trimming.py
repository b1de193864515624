"""A recogniser trained with --trim: one rule on every path."""

import csv
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from tests.tasks.toy_words import CLIP_SECONDS, RATE_HZ, WORDS, spoken, wav_bytes
from textapps.core.errors import ConfigurationError
from textapps.savedmodel.loading import load_saved_model
from textapps.tasks import lifecycle
from textapps.tasks.speech.data import load_split
from textapps.tasks.speech.task import TASK

Tiny = Callable[..., Any]
CLIP = round(CLIP_SECONDS * RATE_HZ)
MARGIN = RATE_HZ // 10


@pytest.fixture(scope="module")
def padded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Words in long recordings: after a silence, before one, and at the end.

    Some test recordings have sound for longer than a clip, and silence in their loudest stretch.
    """
    folder = tmp_path_factory.mktemp("padded")
    with (folder / "padded.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["path", "label", "split"])
        for split, voices in {"train": 6, "validation": 2, "test": 3}.items():
            for place, word in enumerate(WORDS):
                for voice in range(voices):
                    waveform = np.zeros(RATE_HZ, np.float32)
                    sound = spoken(word, 40 * len(split) + voice)
                    start = (0, 3_000, RATE_HZ - len(sound))[voice % 3]
                    waveform[start : start + len(sound)] = sound
                    if (split, word) == ("test", "stay"):
                        waveform[:] = 0
                        waveform[3_500:3_900] = sound[:400]
                        waveform[[0, -1]] = 0.2
                    path = folder / f"{split}{place}-{voice}.wav"
                    path.write_bytes(wav_bytes(waveform))
                    writer.writerow([path.name, word, split])
    return folder / "padded.csv"


@pytest.fixture(scope="module")
def recognizer(tiny: Tiny, padded: Path, tmp_path_factory: pytest.TempPathFactory) -> Any:
    changes = {
        "data.source": str(padded),
        "data.commands": (),
        "preprocessor.trim": True,
        "training.epochs": 1,
        "training.checkpoint_steps": None,
    }
    config = tiny("speech", "simple_rnn", **changes)
    return lifecycle.train(TASK, config, tmp_path_factory.mktemp("runs"))[0]


@pytest.mark.slow
def test_every_path_trims_alike(recognizer: Any, tmp_path: Path) -> None:
    """Evaluation, prediction, files in the export, the waveform signature, and listening."""
    evaluation = lifecycle.evaluate(TASK, recognizer)
    clips = evaluation.examples
    predicted = np.array([each.scores for each in recognizer.predict(clips.places)])
    np.testing.assert_allclose(evaluation.scores, predicted, atol=1e-5)
    files = [Path(place).read_bytes() for place in clips.places]
    options = {"verify": False, "warmup": False, "explain": False, "words": False}
    model = load_saved_model(recognizer.export(tmp_path, **options))
    answers = model.signatures["serving_default"](audio_bytes=tf.constant(files))
    np.testing.assert_allclose(answers["scores"], predicted, atol=1e-5)
    # A shorter recording is answered as the same one with silence behind it.
    word = spoken("up", 9)
    window = np.zeros(CLIP, np.float32)
    window[: len(word)] = word
    (heard,) = list(recognizer.listener(60).answers([window]))[:1]
    np.testing.assert_allclose(heard.scores[:1], recognizer.scores([word]), atol=1e-5)


def test_training_has_the_words_where_trimming_leaves_them(recognizer: Any) -> None:
    clips = load_split(recognizer.config, "train", recognizer.labels)
    loud = np.abs(clips.waveforms()) > 0.05
    assert (clips.lengths < CLIP + 1).all()
    assert loud.any(axis=1).all()
    assert np.argmax(loud, axis=1).max() < MARGIN + RATE_HZ // 20
    plain = recognizer.config.preprocessor.model_copy(update={"trim": False})
    config = recognizer.config.model_copy(update={"preprocessor": plain})
    assert load_split(config, "train", recognizer.labels).audio.longer == len(clips)
    # The longest words and 100 ms on both sides are longer than a clip.
    assert clips.audio.longer < len(clips)


@pytest.mark.slow
def test_files_for_devices_trim_too(recognizer: Any, tmp_path: Path) -> None:
    """Their export is verified against the run, which trims the sounds that it is asked."""
    pytest.importorskip("ai_edge_litert")
    from textapps.exporting.lite import LiteModel

    path = recognizer.export(tmp_path, format="tflite", name="words")
    word = spoken("stay", 3)[: CLIP // 2]
    early, late = np.zeros((2, 1, CLIP), np.float32)
    early[0, MARGIN : MARGIN + len(word)] = word
    late[0, -len(word) :] = word
    model = LiteModel((path / "words.tflite").read_bytes())
    expected = recognizer.answers.clips(tf.constant(early)).numpy()
    np.testing.assert_allclose(model(early), expected, atol=1e-4)
    np.testing.assert_allclose(model(late), recognizer.scores([late[0]]), atol=1e-4)
    assert np.abs(model(early) - model(late)).max() < 0.02  # but for parts of blocks


def test_a_stream_cannot_be_trimmed(tiny: Tiny) -> None:
    with pytest.raises(ConfigurationError, match="leave out --trim or --streaming"):
        tiny("speech", "lstm", **{"preprocessor.trim": True, "model.streaming": True})
