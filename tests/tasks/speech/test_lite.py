"""Recognisers as files of LiteRT, run where there is no TensorFlow."""

import json
import subprocess
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest
import tensorflow as tf

from tests.quick import quick
from tests.tasks.toy_words import RATE_HZ, WORDS, spoken
from textapps.backbones.registry import BACKBONES
from textapps.core.errors import ExportError
from textapps.exporting.state import flatten_state
from textapps.preprocessing.log_mel import FrontEnd
from textapps.savedmodel.manifest import read_manifest
from textapps.tasks.speech import data, lite
from textapps.tasks.speech.lite_step import LiteStep
from textapps.tasks.speech.model import SpeechModel
from textapps.tasks.speech.rejection import Rejection
from textapps.training.seeding import seed_everything

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

# The same for a stream: chunk after chunk, with the state passed along by its names.
STREAMING_DEVICE = """
import json, sys
for name in ("tensorflow", "keras", "textapps"):
    sys.modules[name] = None
import numpy as np
from ai_edge_litert.interpreter import Interpreter

given = json.load(sys.stdin)
interpreter = Interpreter(model_path=given["file"])
step = interpreter.get_signature_runner("serving_default")
inputs = step.get_input_details()
state = {name: np.zeros(inputs[name]["shape"], inputs[name]["dtype"]) for name in given["state"]}
stream, size, scores = np.float32(given["stream"]), given["chunk_samples"], []
for start in range(0, len(stream), size):
    chunk = np.full((1, size), 0.5, np.float32)
    samples = len(stream[start:start + size])
    chunk[0, :samples] = stream[start:start + size]
    answer = step(waveform=chunk, samples=np.array([samples], np.int32), **state)
    state = {name: answer[name] for name in state}
    scores += answer["scores"][0, :answer["positions"][0]].tolist()
used = [op["op_name"] for op in interpreter._get_ops_details()]
json.dump({"scores": scores, "inputs": sorted(inputs), "operations": used}, sys.stdout)
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


@pytest.mark.parametrize("kind", quick(BACKBONES, "gru", "lstm"))
def test_files_answer_where_there_is_no_tensorflow(
    untrained: Make, published: Callable[[str], Path], kind: str
) -> None:
    pytest.importorskip("ai_edge_litert")
    recognizer, path = untrained("speech", kind), published(kind)
    manifest = json.loads((path / "textapps.json").read_bytes())
    files = {kind: path / manifest["files"][kind]["file"] for kind in ("float", "int8")}
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


@pytest.mark.slow
@pytest.mark.parametrize(
    "kind", [pytest.param("lstm", marks=pytest.mark.exhaustive), "transformer"]
)
def test_a_stream_is_answered_in_chunks_as_by_the_saved_model(
    untrained: Make, published: Callable[[str], Path], tmp_path: Path, kind: str
) -> None:
    pytest.importorskip("ai_edge_litert")
    recognizer, path = untrained("speech", kind), published(kind)
    manifest = json.loads((path / "textapps.json").read_bytes())
    stream = np.concatenate([spoken(word, 55) for word in WORDS])
    given = {name: manifest[name] for name in ("state", "chunk_samples")}
    exported = recognizer.export(tmp_path, verify=False)
    saved = tf.saved_model.load(str(exported)).signatures["step"]
    shapes = saved.structured_input_signature[1]
    zeros = {
        name: tf.zeros([1, *shapes[name].shape[1:]], shapes[name].dtype) for name in given["state"]
    }
    whole = saved(
        waveform=tf.constant(stream[None]), samples=tf.constant([len(stream)], tf.int32), **zeros
    )
    expected = whole["scores"][0, : whole["positions"][0]].numpy()
    assert len(expected) > 2 * recognizer.model.clip_positions
    for file, tolerance in (("step_float", 1e-4), ("step_int8", 0.2)):
        child = subprocess.run(
            [sys.executable, "-I", "-c", STREAMING_DEVICE],
            input=json.dumps(
                {
                    "file": str(path / manifest["files"][file]["file"]),
                    "stream": stream.tolist(),
                    **given,
                }
            ),
            capture_output=True,
            encoding="utf-8",
            check=False,
        )
        assert child.returncode == 0, child.stderr[-2000:]
        answer = json.loads(child.stdout)
        np.testing.assert_allclose(answer["scores"], expected, atol=tolerance)
        assert answer["inputs"] == sorted(("waveform", "samples", *given["state"]))
        used = answer["operations"]
        assert not [name for name in used if name.startswith(("Flex", "CUSTOM"))]


@pytest.mark.slow
@pytest.mark.parametrize(
    "kind", quick([kind for kind in BACKBONES if kind not in ("lstm", "transformer")], "gru")
)
def test_the_step_of_every_other_backbone(tiny: Callable[..., Any], kind: str) -> None:
    features = "pcen" if kind == "gru" else "log-mel"  # which has a state of its own
    config = tiny("speech", kind, **{"model.streaming": True, "preprocessor.kind": features})
    seed_everything(3)
    model = SpeechModel(config, FrontEnd(config.preprocessor), classes=4)
    model.build()
    answers = SimpleNamespace(rejection=Rejection(("a", "b", "c", "d"), None))
    recognizer = SimpleNamespace(config=config, model=model, answers=answers)
    step = LiteStep(cast(Any, recognizer))
    file = lite.LiteModel(step.convert(int8=False))
    step.verify(file)
    model.head.bias.assign([0.1, 0, 0, 0])
    with pytest.raises(ExportError, match="the step does not verify: scores after chunk"):
        LiteStep(cast(Any, recognizer)).verify(file)


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
    assert (manifest["state"], manifest["chunk_samples"]) == ([], None)
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


@pytest.mark.slow
def test_what_the_manifest_says_of_a_stream(
    untrained: Make, published: Callable[[str], Path]
) -> None:
    recognizer, path = untrained("speech", "lstm"), published("lstm")
    manifest = json.loads((path / "textapps.json").read_bytes())
    files = manifest["files"]
    assert list(files) == ["float", "int8", "step_float", "step_int8"]
    assert files["step_int8"]["file"] == "words-step-int8.tflite"
    assert files["step_int8"]["bytes"] < files["step_float"]["bytes"]
    assert all(each["milliseconds_per_clip"] > 0 for each in files.values())
    assert set(manifest["accuracy"]) == {"run", "float", "int8"}
    assert manifest["chunk_samples"] == recognizer.config.preprocessor.hop_samples * 2
    leaves = flatten_state(recognizer.model.initial_state(1))
    assert manifest["state"] == list(leaves)
