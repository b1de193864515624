"""The export of a recogniser: verified, and asked from a process of plain TensorFlow."""

import base64
import io
import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
import tensorflow as tf

from tests import processes
from tests.preprocessing.wav_files import chunk, layout, riff
from tests.tasks.toy_words import RATE_HZ, WORDS, spoken, wav_bytes
from textapps.savedmodel.manifest import read_manifest
from textapps.tasks.speech import export

Make = Callable[[str, str], Any]
STREAMING = "lstm"  # causal, so that it has every signature

# What a client of any TensorFlow server does: it knows names, and no textapps.
CLIENT = """
import base64, json, sys
sys.modules["textapps"] = sys.modules["keras"] = None
import numpy as np
import tensorflow as tf

given = json.load(sys.stdin)
signatures = tf.saved_model.load(given["directory"]).signatures
files = [base64.b64decode(file) for file in given["files"]]
ask = signatures["serving_default"]
together = ask(audio_bytes=tf.constant(files))
answers = {name: tensor.numpy() for name, tensor in together.items()}
answers["alone"] = np.concatenate([ask(audio_bytes=tf.constant([f]))["scores"] for f in files])
step, stream = signatures["step"], np.float32(given["stream"])[None]
state = {
    name: tf.zeros([1, *spec.shape[1:]], spec.dtype)
    for name, spec in step.structured_input_signature[1].items()
    if name.startswith("state_")
}
scores = []
for piece in np.split(stream, given["cuts"], axis=1):
    answer = step(waveform=piece, samples=tf.constant([piece.shape[1]]), **state)
    state = {name: answer[name] for name in state}
    scores.append(answer["scores"][0, : int(answer["positions"][0])].numpy())
answers["stream"] = np.concatenate(scores)
json.dump(
    {
        name: [v.decode() for v in value] if value.dtype == object else value.tolist()
        for name, value in answers.items()
    },
    sys.stdout,
)
"""


def written(waveform: Any, rate_hz: int, subtype: str, channels: int = 1) -> bytes:
    """A WAV file as soundfile writes it, the same on all channels."""
    content = io.BytesIO()
    frames = np.repeat(waveform[:, None], channels, axis=1)
    soundfile.write(content, frames, rate_hz, subtype=subtype, format="WAV")
    return content.getvalue()


def upsampled(waveform: Any) -> Any:
    """float32[samples] at 44.1 kHz, long enough for a word."""
    from textapps.preprocessing.resampling import resample

    return resample(waveform, RATE_HZ, 44_100).numpy()


WORD = spoken("up", 64)
GOOD = {
    "16 bits": wav_bytes(WORD),
    "8 bits": written(WORD, RATE_HZ, "PCM_U8"),
    "24 bits": written(WORD, RATE_HZ, "PCM_24"),
    "32 bits": written(WORD, RATE_HZ, "PCM_32"),
    "float": written(WORD, RATE_HZ, "FLOAT"),
    "44.1 kHz stereo": written(upsampled(WORD), 44_100, "PCM_16", channels=2),
    "no length in the header": wav_bytes(WORD)[:40] + b"\xff\xff\xff\xff" + wav_bytes(WORD)[44:],
    "A-law": written(WORD, RATE_HZ, "ALAW"),
    "µ-law": written(WORD, RATE_HZ, "ULAW"),
}
BAD = {
    "nothing": (b"", "the file is empty"),
    "a text": (b"It is a text file, called word.wav all the same.\n", "no audio that can be read"),
    "0 samples": (riff(chunk(b"fmt ", layout(rate=8_000)), chunk(b"data", b"")), "0 samples"),
    "cut off": (wav_bytes(WORD)[:-700], "cut off, 699 bytes are missing"),
    "5 ms": (wav_bytes(WORD[:40]), "too short, 40 samples"),
    "31 seconds": (wav_bytes(np.zeros(31 * RATE_HZ, np.float32)), "the limit is 30 s"),
    "no numbers": (written(np.full(900, np.nan), RATE_HZ, "FLOAT"), "NaN or infinite"),
}
FILES = [*GOOD.values(), *(content for content, _ in BAD.values())]
STREAM = np.concatenate([spoken(word, 90) for word in WORDS])


@pytest.fixture(scope="module")
def exported(trained: Make, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A published, verified export of a model that listens."""
    return trained("speech", STREAMING).export(tmp_path_factory.mktemp("exports"), name="words")


@pytest.fixture(scope="module")
def answers(exported: Path) -> dict[str, Any]:
    """What it answers in a process that has no textapps."""
    question = {
        "directory": str(exported),
        "files": [base64.b64encode(file).decode() for file in FILES],
        "stream": STREAM.tolist(),
        "cuts": [1, 700, 700, 4_000],
    }
    child = processes.run(
        [sys.executable, "-I", "-c", CLIENT],
        input=json.dumps(question),
        capture_output=True,
        encoding="utf-8",
        env={**os.environ, "CUDA_VISIBLE_DEVICES": ""},
    )
    assert child.returncode == 0, child.stderr[-2000:]
    found: dict[str, Any] = json.loads(child.stdout)
    return found


@pytest.mark.slow
def test_every_kind_of_file_is_answered_alike(answers: dict[str, Any], trained: Make) -> None:
    (expected,) = trained("speech", STREAMING).predict([GOOD["16 bits"]])
    for place, name in enumerate(GOOD):
        assert answers["error"][place] == "", name
        assert answers["label"][place] == expected.label == "up", name
        near = {"8 bits": 0.1}.get(name, 0.02)
        np.testing.assert_allclose(
            answers["scores"][place], expected.scores, atol=near, err_msg=name
        )
    np.testing.assert_allclose(answers["scores"][0], expected.scores, atol=1e-5)


def test_a_bad_file_never_fails_its_neighbours(answers: dict[str, Any]) -> None:
    for place, (name, (_, reason)) in enumerate(BAD.items(), len(GOOD)):
        assert reason in answers["error"][place], name
        assert (answers["label"][place], answers["probability"][place]) == ("", 0), name
        assert set(answers["scores"][place]) == {0}, name
    np.testing.assert_allclose(answers["alone"], answers["scores"], atol=1e-5)


def test_steps_are_the_answers_of_the_run_to_a_stream(
    answers: dict[str, Any], trained: Make
) -> None:
    model = trained("speech", STREAMING).model
    logits, mask, _ = model.listen(STREAM[None], model.initial_state(1))
    scores = np.exp(logits) / np.exp(logits).sum(axis=2, keepdims=True)
    scores = scores[mask.numpy()]
    assert len(scores) > 30
    np.testing.assert_allclose(answers["stream"], scores, atol=1e-5)


def test_what_the_manifest_says(exported: Path, trained: Make) -> None:
    recognizer, manifest = trained("speech", STREAMING), read_manifest(exported)
    assert (manifest.task, manifest.name, manifest.backbone) == ("speech", "words", STREAMING)
    assert manifest.labels == recognizer.labels
    assert manifest.sample_rate_hz == RATE_HZ
    assert manifest.decoding["clip_seconds"] == 0.3
    assert manifest.state[:2] == ("state_0_samples", "state_0_count")
    step = manifest.signatures["step"]
    assert list(step.inputs) == ["waveform", "samples", *manifest.state]
    assert set(step.outputs) == {"scores", "positions", *manifest.state}
    outputs = manifest.signatures["waveform"].outputs
    assert outputs == manifest.signatures["serving_default"].outputs
    assert outputs["scores"].shape == (None, len(recognizer.labels))
    assert (exported / "assets.extra" / "tf_serving_warmup_requests").stat().st_size > 0


def test_samples_that_do_not_count(trained: Make) -> None:
    """The loudest stretch of a long recording is answered, wherever it lies."""
    recognizer = trained("speech", STREAMING)
    clip = recognizer.config.preprocessor.clip_samples
    word = np.zeros(clip, np.float32)
    word[: len(WORD)] = WORD
    quiet = 1e-4 * np.ones(5 * clip, np.float32)
    later = quiet.copy()
    later[3 * clip : 4 * clip] += word
    shown = np.stack([np.pad(word, (0, 4 * clip), constant_values=np.nan), later, quiet, quiet])
    counts = np.array([clip, 5 * clip, 0, 9_999_999], np.int32)
    found = recognizer.answer(shown, counts)
    assert [label.decode() for label in found["label"].numpy()[:2]] == ["up", "up"]
    errors = [error.decode() for error in found["error"].numpy()]
    assert errors == ["", "", "the recording holds no sample", ""]
    np.testing.assert_allclose(
        found["scores"][0], recognizer.scores([word[: len(WORD)]])[0], atol=1e-5
    )


@pytest.mark.slow
def test_the_signatures_that_learn_words(exported: Path, trained: Make) -> None:
    """They give what `add_word` computes of recordings and of its negatives."""
    from textapps.tasks.speech.enrolment import Enrolment
    from textapps.tasks.speech.negatives import embedded, own_negatives
    from textapps.tasks.speech.versions import VERSIONS

    recognizer = trained("speech", STREAMING)
    signatures = tf.saved_model.load(str(exported)).signatures
    clips = np.zeros((3, recognizer.config.preprocessor.clip_samples), np.float32)
    for number, clip in enumerate(clips):
        word = spoken("stay", 70 + number)
        clip[: len(word)] = word
    files = [written(clip, RATE_HZ, "FLOAT") for clip in clips]
    one = signatures["embed"](audio_bytes=tf.constant([files[1], b"no sound"]))
    expected = embedded(recognizer, clips)
    np.testing.assert_allclose(one["embedding"][0], expected.embeddings[1], atol=1e-5)
    np.testing.assert_allclose(one["logits"][0], expected.logits[1], atol=1e-4)
    assert one["error"].numpy()[0] == b""
    assert b"no audio that can be read" in one["error"].numpy()[1]
    assert not np.any(one["embedding"][1])
    assert not np.any(one["logits"][1])

    enrolled = signatures["enrol"](
        audio_bytes=tf.constant([files[2], files[0]]), number=tf.constant([2, 0])
    )
    versions = Enrolment(("a", "b", "c"), clips, RATE_HZ).versions(recognizer.config)
    assert versions.shape[:2] == (3, VERSIONS)
    for place, number in enumerate((2, 0)):
        expected = embedded(recognizer, versions[number])
        np.testing.assert_allclose(
            enrolled["embeddings"][place], expected.embeddings, atol=1e-4, rtol=1e-4
        )

    train, validation = own_negatives(recognizer)
    count = len(train) + len(validation)
    numbers = [len(train), count - 1, count, -1]
    found = {
        name: tensor.numpy()
        for name, tensor in signatures["negatives"](number=tf.constant(numbers)).items()
    }
    np.testing.assert_allclose(found["embedding"][:2], validation.embeddings[[0, -1]], atol=1e-5)
    np.testing.assert_allclose(found["logits"][:2], validation.logits[[0, -1]], atol=1e-4)
    for name, values in {"kind": validation.kinds, "word": validation.words}.items():
        assert [text.decode() for text in found[name]] == [*values[[0, -1]].tolist(), "", ""]
    assert found["split"].tolist() == [b"validation", b"validation", b"", b""]
    assert not found["embedding"][2:].any()


def test_an_export_without_the_data_cannot_learn_words(
    trained: Make, tmp_path: Path, caplog: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[list[str]] = []

    def keep(endpoints: Any, **given: Any) -> Path:
        asked.append(sorted(endpoints))
        return tmp_path

    monkeypatch.setattr(export, "export_model", keep)
    recognizer = trained("speech", STREAMING)
    moved = recognizer.configured({"data.source": str(tmp_path / "gone")})
    options = {"verify": False, "warmup": False, "explain": False}
    moved.export(tmp_path, **options)
    assert asked == [["serving_default", "step", "waveform"]]
    assert "the web page cannot add words to this export" in caplog.text
    caplog.clear()
    moved.export(tmp_path, **options, words=False, examples=0)
    assert caplog.text == ""
