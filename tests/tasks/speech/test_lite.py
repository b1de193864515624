"""Recognisers as files of LiteRT, run where there is no TensorFlow."""

import json
import subprocess
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.tasks.toy_words import RATE_HZ, WORDS, spoken
from textapps.backbones.registry import BACKBONES
from textapps.savedmodel.manifest import read_manifest
from textapps.tasks.speech import data, lite

Make = Callable[[str, str], Any]

# What a small device does: it has NumPy and LiteRT.
DEVICE = """
import json, sys
for name in ("tensorflow", "keras", "textapps"):
    sys.modules[name] = None
import numpy as np
from ai_edge_litert.interpreter import Interpreter

given = json.load(sys.stdin)
answers = {}
for file in given["files"]:
    interpreter = Interpreter(model_path=file)
    interpreter.allocate_tensors()
    (into,), (out,) = interpreter.get_input_details(), interpreter.get_output_details()
    answers[file + " signatures"] = interpreter.get_signature_list()
    answers[file] = []
    for clip in given["clips"]:
        interpreter.set_tensor(into["index"], np.float32(clip)[None])
        interpreter.invoke()
        answers[file].append(interpreter.get_tensor(out["index"])[0].tolist())
    answers[file + " operations"] = [op["op_name"] for op in interpreter._get_ops_details()]
json.dump(answers, sys.stdout)
"""


@pytest.fixture(scope="module")
def published(untrained: Make, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """`published("gru")` is the directory of the files, which no test may change."""

    @cache
    def publish(kind: str) -> Path:
        folder = tmp_path_factory.mktemp(kind)
        path: Path = untrained("speech", kind).export(folder, format="tflite", name="words")
        assert path == folder / "tflite" / "words" / "1"
        return path

    return publish


@pytest.mark.parametrize("kind", BACKBONES)
def test_files_answer_where_there_is_no_tensorflow(
    untrained: Make, published: Callable[[str], Path], kind: str
) -> None:
    pytest.importorskip("ai_edge_litert")
    recognizer, path = untrained("speech", kind), published(kind)
    manifest = json.loads((path / "textapps.json").read_bytes())
    files = {kind: path / each["file"] for kind, each in manifest["files"].items()}
    clips = np.zeros((5, manifest["clip_samples"]), np.float32)
    for row, clip in enumerate(clips[:4]):
        word = spoken((*WORDS, "hiss")[row], 55)
        clip[: len(word)] = word
    child = subprocess.run(
        [sys.executable, "-I", "-c", DEVICE],
        input=json.dumps(
            {"files": [str(each) for each in files.values()], "clips": clips.tolist()}
        ),
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert child.returncode == 0, child.stderr[-2000:]
    answers = json.loads(child.stdout)
    expected = recognizer.scores(list(clips))
    np.testing.assert_allclose(answers[str(files["float"])], expected, atol=1e-4)
    small = np.array(answers[str(files["int8"])])
    assert np.isfinite(small).all()
    assert (small.argmax(axis=1) == expected.argmax(axis=1))[:4].sum() >= 3
    for each in files.values():
        names = {"serving_default": {"inputs": ["waveform"], "outputs": ["scores"]}}
        assert answers[f"{each} signatures"] == names
        used = answers[f"{each} operations"]
        assert used
        assert not [name for name in used if name.startswith(("Flex", "CUSTOM"))]


def test_what_the_manifest_says(untrained: Make, published: Callable[[str], Path]) -> None:
    recognizer, path = untrained("speech", "gru"), published("gru")
    manifest = json.loads((path / "textapps.json").read_bytes())
    assert (manifest["format"], manifest["task"], manifest["name"]) == (1, "speech", "words")
    assert tuple(manifest["labels"]) == recognizer.labels
    assert (manifest["sample_rate_hz"], manifest["clip_samples"]) == (RATE_HZ, 2_400)
    for each in manifest["files"].values():
        assert (path / each["file"]).stat().st_size == each["bytes"]
        assert each["milliseconds_per_clip"] > 0
    assert manifest["files"]["int8"]["bytes"] < manifest["files"]["float"]["bytes"]
    assert read_manifest(path).sha256.keys() == {"words.tflite", "words-int8.tflite"}
    assert manifest["evaluated_on"] == {"data": "words", "split": "test", "examples": 33}
    pairs = manifest["int8_against_float"]
    assert sum(pairs.values()) == 33
    whole = (pairs["both_right"] + pairs["only_float_right"]) / 33
    assert manifest["accuracy"]["float"] == pytest.approx(whole)
    assert manifest["accuracy"]["float"] == pytest.approx(manifest["accuracy"]["run"])
    clips = data.load_split(recognizer.config, "test", recognizer.labels)
    small = lite.LiteModel((path / manifest["files"]["int8"]["file"]).read_bytes())
    right = np.argmax(lite.lite_scores(small, clips), axis=1) == clips.labels
    assert manifest["accuracy"]["int8"] == pytest.approx(right.mean())
