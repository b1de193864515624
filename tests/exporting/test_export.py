import json

import numpy as np
import pytest
import tensorflow as tf
from pydantic import ValidationError

from textapps.core.errors import ExportError
from textapps.exporting import export
from textapps.exporting.archive import Endpoint
from textapps.exporting.config import ExportConfig
from textapps.exporting.export import export_model
from textapps.exporting.verification import Case
from textapps.savedmodel.manifest import read_manifest


@pytest.mark.parametrize("name", ["", "../up", "a/b", "a.b", "a b", ".", "новый", "a\n"])
def test_a_name_that_is_no_directory_of_its_own_is_refused(name):
    with pytest.raises(ValidationError, match="name"):
        ExportConfig(name=name)


def test_export_is_published_and_answers_like_the_model(tiny, exported):
    assert exported.parts[-3:] == ("exported", "tiny-gru", "1")
    loaded = tf.saved_model.load(str(exported))
    assert set(loaded.signatures) == {"serving_default", "step"}
    texts = ["so dull", "", "a very very fine film", "?"]  # none of them a case
    got = loaded.signatures["serving_default"](text=tf.constant(texts))
    expected = tiny.answer(tiny.endpoints["serving_default"], text=texts)
    assert got.keys() == expected.keys()
    np.testing.assert_allclose(got["scores"], expected["scores"], atol=1e-6)
    assert got["label"].numpy().tolist() == expected["label"].tolist()


def test_state_goes_through_the_step_signature_in_chunks(tiny, exported):
    step = tf.saved_model.load(str(exported)).signatures["step"]
    ids = tf.constant([[3, 4, 5, 6, 7], [9, 8, 2, 2, 10]], tf.int32)
    start = tf.zeros([2, 4])
    whole = step(ids=ids, state_0_h=start)
    first = step(ids=ids[:, :2], state_0_h=start)
    second = step(ids=ids[:, 2:], state_0_h=first["state_0_h"])
    np.testing.assert_allclose(second["logits"], whole["logits"], atol=1e-5)


def test_manifest_describes_the_export(tiny, exported):
    manifest = read_manifest(exported)
    assert (manifest.format, manifest.name, manifest.labels) == (
        1,
        "tiny-gru",
        tiny.fields["labels"],
    )
    scores = manifest.signatures["serving_default"].outputs["scores"]
    assert (scores.dtype, scores.shape) == ("float32", (None, 3))
    assert manifest.signatures["step"].inputs["state_0_h"].shape == (None, 4)
    assert manifest.state == ("state_0_h",)
    assert manifest.metrics == {"accuracy": 0.5, "auc": None, "parameters": 11}
    assert manifest.versions["tensorflow"] == tf.__version__
    files = {p.relative_to(exported).as_posix() for p in exported.rglob("*") if p.is_file()}
    assert files - manifest.sha256.keys() == {"assets.extra/textapps.json"}
    text = (exported / "assets.extra/textapps.json").read_text(encoding="utf-8")
    assert next(iter(json.loads(text))) == "format"


def test_an_export_that_does_not_verify_is_not_published(tmp_path):
    """One SavedModel with a fault for every check, so that one process finds them all."""

    @tf.function(jit_compile=True)
    def compiled(x):
        return x * 2.0

    def faulty(text):
        length = tf.cast(tf.strings.length(text), tf.float32)
        # Nothing for the empty text, infinity beyond ASCII, NaN for a very long one.
        safe = tf.debugging.assert_greater(tf.reduce_min(length), 0.0, message="no text at all")
        with tf.control_dependencies([safe]):
            score = compiled(length)
        foreign = tf.strings.length(text, "UTF8_CHAR") != tf.strings.length(text)
        score = tf.where(foreign, np.inf, score)
        return {"score": tf.where(length > 90_000, np.nan, score)}

    def neighbours(x):
        return {"share": x / tf.reduce_sum(x)}

    def picky(x):
        with tf.control_dependencies([tf.debugging.assert_equal(tf.size(x), 3, "not three")]):
            return {"y": tf.identity(x)}

    def python(x):
        return {"x": tf.reshape(tf.numpy_function(lambda a: a, [x], tf.float32), [-1])}

    number = tf.TensorSpec([None], tf.float32, "x")
    endpoints = {
        "serving_default": Endpoint(faulty, [tf.TensorSpec([None], tf.string, "text")]),
        "neighbours": Endpoint(neighbours, [number]),
        "python": Endpoint(python, [number]),
        "wrong": Endpoint(lambda x: {"y": x + 1.0}, [number]),
        "renamed": Endpoint(lambda x: {"y": x}, [number]),
        "picky": Endpoint(picky, [number]),
    }
    x = np.asarray([1.0, 2.0, 5.0], "float32")
    cases = [
        Case("serving_default", {"text": ["ab", "c"]}, {"score": [4.0, 2.0]}),
        Case("neighbours", {"x": x}, {"share": x / 8}),
        Case("python", {"x": x}, {"x": x}),
        Case("wrong", {"x": x}, {"y": x + np.float32([1, 1, 1.001])}),
        Case("renamed", {"x": x}, {"z": x}),
        Case("picky", {"x": x}, {"y": x}),
    ]
    with pytest.raises(ExportError) as failure:
        export_model(
            endpoints,
            track=[],
            manifest_fields={"task": "sentiment", "backbone": "gru", "preset": "tiny"},
            cases=lambda: cases,
            models_dir=tmp_path,
            config=ExportConfig(),
        )
    message = str(failure.value)
    assert "\n" not in message
    for expected in (
        "operations: not in plain TensorFlow: PyFunc",
        "compilation: XLA is needed for",
        "answers of wrong: 'y' at (2,) is",
        "answers of renamed: outputs ['y'] instead of ['z']",
        "batching of neighbours: row 0 alone: 'share'",
        "batching of picky: row 0 alone: not three",
        "empty text: no text at all",
        "very long text: 'score' is not finite",
        "non-Latin text: 'score' is not finite",
        "warm-up: BadInput: ",
    ):
        assert expected in message
    for sound in ("loading", "isolation", "answers of neighbours", "batching of wrong"):
        assert sound not in message
    assert list((tmp_path / "exported" / "sentiment").iterdir()) == []


@pytest.mark.parametrize("writer", ["write_saved_model", "write_warmup_requests"])
def test_a_full_disk_as_tensorflow_says_it(tiny, tmp_path, monkeypatch, writer):
    def full(directory, *_):
        (directory / "half").write_bytes(b"a part")
        raise tf.errors.ResourceExhaustedError(None, None, "m/1; No space left on device")

    monkeypatch.setattr(export, writer, full)
    with pytest.raises(ExportError, match=r"could not write the export: .*No space left on device"):
        export_model(
            tiny.endpoints,
            track=tiny.track,
            manifest_fields=tiny.fields,
            cases=lambda: tiny.cases,
            models_dir=tmp_path,
            config=ExportConfig(),
        )
    assert list((tmp_path / "exported" / "sentiment").iterdir()) == []


def test_every_endpoint_needs_a_case(tiny, tmp_path):
    with pytest.raises(ExportError, match="no verification case for the endpoint step"):
        export_model(
            tiny.endpoints,
            track=tiny.track,
            manifest_fields=tiny.fields,
            cases=lambda: tiny.cases[:1],
            models_dir=tmp_path,
            config=ExportConfig(),
        )


def test_without_verification_and_warm_up(tiny, tmp_path):
    def unasked():
        raise AssertionError("nobody asks for cases")

    path = export_model(
        {"serving_default": tiny.endpoints["serving_default"]},
        track=tiny.track,
        manifest_fields=tiny.fields,
        cases=unasked,
        models_dir=tmp_path,
        config=ExportConfig(verify=False, warmup=False),
    )
    assert path == tmp_path / "exported" / "sentiment" / "1"  # the task's name by default
    assert [p.name for p in (path / "assets.extra").iterdir()] == ["textapps.json"]
