"""Recognisers for microcontrollers: int8 files, and the front end in C."""

import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from numpy.typing import NDArray

from tests.tasks.toy_words import RATE_HZ, WORDS, noise, spoken
from textapps.core.errors import ConfigurationError
from textapps.exporting.lite import LiteModel
from textapps.exporting.micro.model import OPERATIONS
from textapps.preprocessing.log_mel import FrontEnd
from textapps.savedmodel.manifest import read_manifest
from textapps.tasks import lifecycle
from textapps.tasks.speech.config import PRESETS
from textapps.tasks.speech.model import SpeechModel
from textapps.tasks.speech.rejection import Rejection
from textapps.tasks.speech.task import TASK

Make = Callable[[str, str], Any]
CLIP = 2_400
CONVOLUTIONS = {
    "model.convolutional": True,
    "model.pooling": "mean",
    "stem.channels": 0,
    "stem.separable": True,
    "stem.strides": (2, 1, 1),
    "backbone.units": 18,
    "training.epochs": 12,
}

# Reads 16-bit samples, and writes the model's inputs, the names of the labels and the model itself.
PROGRAM = """
#define FRONT_END_NAMES
#include "front_end.h"
#include <stdio.h>
#include <string.h>

int main(void) {
  static int16_t samples[FRONT_END_CLIP_SAMPLES];
  static int8_t features[FRONT_END_FRAMES * FRONT_END_BANDS];
  if (fread(samples, 2, FRONT_END_CLIP_SAMPLES, stdin) != FRONT_END_CLIP_SAMPLES) return 1;
  front_end_clip(samples, features);
  fwrite(features, 1, sizeof features, stdout);
  for (int label = 0; label < FRONT_END_LABELS; label++) {
    fwrite(front_end_labels[label], 1, strlen(front_end_labels[label]) + 1, stdout);
  }
  fwrite(model_data, 1, model_data_size, stdout);
  return 0;
}
"""


@pytest.fixture(scope="module")
def recognizer(tiny: Callable[..., Any], tmp_path_factory: pytest.TempPathFactory) -> Any:
    config = tiny("speech", "gru", **CONVOLUTIONS)
    return lifecycle.train(TASK, config, tmp_path_factory.mktemp("runs"))[0]


@pytest.fixture(scope="module")
def published(recognizer: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path: Path = recognizer.export(tmp_path_factory.mktemp("micro"), format="micro", name="words")
    assert path.parts[-3:] == ("micro", "words", "1")
    return path


def quantized(recognizer: Any, clips: NDArray[np.float32], model: LiteModel) -> NDArray[np.int8]:
    scale, zero = model.quantization[0]
    frames = recognizer.preprocessor.frames(clips).numpy()
    return np.clip(np.rint(frames / scale) + zero, -128, 127).astype(np.int8)


@pytest.mark.slow
def test_the_run_is_named_by_what_it_is(recognizer: Any) -> None:
    assert recognizer.run.name.endswith("-convolution")
    assert recognizer.config.backbone_size == "convolution, 3 x 18"
    names = {variable.path.split("/")[1] for variable in recognizer.model.trainable_variables}
    assert names == {"stem", "head"}


def test_the_manifest(recognizer: Any, published: Path) -> None:
    manifest = json.loads((published / "textapps.json").read_bytes())
    assert set(read_manifest(published).sha256) == {
        "words.tflite",
        "model_data.c",
        "front_end.h",
        "front_end.c",
    }
    assert (manifest["backbone"], list(manifest["files"])) == ("convolution", ["int8"])
    content = (published / "words.tflite").read_bytes()
    assert manifest["files"]["int8"]["bytes"] == len(content) < 40_000
    assert manifest["accuracy"]["run"] > 0.8
    assert abs(manifest["accuracy"]["int8"] - manifest["accuracy"]["run"]) <= 2 / 33
    assert sum(manifest["int8_against_float"].values()) == manifest["evaluated_on"]["examples"]


def test_its_answers_are_those_of_the_run(recognizer: Any, published: Path) -> None:
    model = LiteModel((published / "words.tflite").read_bytes())
    (details,) = model.inputs.values()
    assert details["dtype"] == np.int8
    clips = np.zeros((9, CLIP), np.float32)
    for row, clip in enumerate(clips):
        word = spoken(WORDS[row % 3], 200 + row)
        clip[: len(word)] = word
    inputs = quantized(recognizer, clips, model)
    scale, zero = model.quantization[1]
    scores = np.concatenate([model(each[None]) for each in inputs])
    expected = recognizer.scores(list(clips))
    np.testing.assert_allclose(scale * (scores - float(zero)), expected, atol=0.15)


@pytest.mark.exhaustive
def test_it_keeps_the_margin_of_other_words(recognizer: Any, tmp_path: Path) -> None:
    recognizer = lifecycle.load(TASK, recognizer.run)  # whose functions are not traced yet
    margin = Rejection(["unknown", *recognizer.labels[1:]], 2.0)
    recognizer.answers.rejection = margin
    path = recognizer.export(tmp_path, format="micro", name="words")
    model = LiteModel((path / "words.tflite").read_bytes())
    clip = np.zeros(CLIP, np.float32)
    word = spoken(WORDS[1], 200)
    clip[: len(word)] = word
    scale, zero = model.quantization[1]
    scores = scale * (model(quantized(recognizer, clip[None], model)) - float(zero))
    logits = recognizer.model.logits(recognizer.preprocessor.frames(clip[None]))
    expected = np.exp(margin(logits)) / np.exp(margin(logits)).sum()
    np.testing.assert_allclose(scores, expected, atol=0.1)


@pytest.mark.skipif(shutil.which("cc") is None, reason="needs a C compiler, cc")
def test_c_computes_the_same_features_to_one_unit(
    recognizer: Any, published: Path, tmp_path: Path
) -> None:
    (tmp_path / "main.c").write_text(PROGRAM)
    sources = [published / name for name in ("front_end.c", "model_data.c")]
    strict = ("-std=c99", "-O1", "-Wall", "-Wextra", "-Wconversion", "-Wno-float-conversion")
    subprocess.run(
        ["cc", *strict, "-Werror", f"-I{published}", "main.c", *sources, "-lm", "-o", "main"],
        cwd=tmp_path,
        check=True,
    )
    content = (published / "words.tflite").read_bytes()
    model = LiteModel(content)
    sounds = [spoken(word, 91) for word in WORDS] + [noise()[:CLIP], np.zeros(CLIP, np.float32)]
    sounds.append(np.tile(np.float32([1, -1]), CLIP // 2))
    for sound in sounds:
        pcm = np.zeros(CLIP, "<i2")
        pcm[: len(sound)] = np.clip(np.rint(sound * 32_768), -32_768, 32_767)
        child = subprocess.run(
            [tmp_path / "main"], input=pcm.tobytes(), capture_output=True, check=True
        )
        expected = quantized(recognizer, pcm[None].astype(np.float32) / 32_768, model)[0]
        features = np.frombuffer(child.stdout[: expected.size], np.int8).reshape(expected.shape)
        assert np.abs(features.astype(int) - expected).max() <= 1
        assert np.mean(features != expected) < 0.02
        *names, data = child.stdout[expected.size :].split(b"\0", len(recognizer.labels))
        assert tuple(name.decode() for name in names) == recognizer.labels
        assert data == content


def test_other_models_are_refused(untrained: Make, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"this model has a backbone: .*--preset micro"):
        untrained("speech", "gru").export(tmp_path, format="micro")
    assert not list(tmp_path.iterdir())


def test_the_preset_fits_a_microcontroller() -> None:
    config = PRESETS.resolve(flags={"preset": "micro"})
    model = SpeechModel(config, FrontEnd(config.preprocessor), classes=10)
    model.build()
    assert 20_000 < model.count_params() <= 60_000
    assert len(OPERATIONS) > 9
    assert model.logits(tf.zeros([2, 98, 40])).shape == (2, 10)


def test_convolutions_alone_can_listen(tiny: Callable[..., Any]) -> None:
    """Chunks give the scores of the whole, with the state of the convolutions only."""
    config = tiny("speech", "gru", **CONVOLUTIONS, **{"model.streaming": True})
    model = SpeechModel(config, FrontEnd(config.preprocessor), classes=3, rows=5)
    model.build()
    assert model.carried is None
    stream = noise()[None, : 2 * RATE_HZ]
    whole, mask, _ = model.listen(stream, model.initial_state(1))
    state, found = model.initial_state(1), []
    for piece in np.array_split(stream, 7, axis=1):
        logits, valid, state = model.listen(piece, state)
        found.append(logits.numpy()[valid.numpy()])
    np.testing.assert_allclose(np.concatenate(found), whole.numpy()[mask.numpy()], atol=1e-4)
