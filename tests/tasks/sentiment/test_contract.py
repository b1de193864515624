"""What must hold of a trained classifier, whatever its backbone."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

import textapps
from textapps.backbones.config import BACKBONES
from textapps.datasets.texts.loader import load_texts
from textapps.savedmodel.manifest import read_manifest
from textapps.tasks.classification import Classification
from textapps.tasks.sentiment.export import EXAMPLES

LABELS = ("0", "größer als", 'so "la, la"')
HARD = {
    "empty": "",
    "white space": " \t\u0085\u2028\n ",
    "unknown words only": "xyzzy plugh",
    "100,000 characters": ("a dull film " * 9000)[:100_000],
    "non-Latin": "这部电影非常好看 Прекрасный фильм فيلم رائع चलचित्र 🎬👍🏽",
    "no UTF-8": b"a \xff\xfe great \xc3 film".decode("utf-8", "surrogateescape"),
    "half of a surrogate pair": "great \ud83d film",
    "NUL": "a great\0film",
}
ENCODED = {HARD["half of a surrogate pair"]: "surrogatepass"}
TEXTS = ["a fine film", *HARD.values(), "it was awful", "the night was so-so " * 30, *EXAMPLES]

Trained = Callable[[str], object]

each_backbone = pytest.mark.parametrize("kind", BACKBONES)


@each_backbone
def test_it_learns_and_metrics_json_holds_every_figure(trained: Trained, kind: str) -> None:
    run = trained(kind).run
    summary = trained(kind).classifier.evaluate()
    metrics = summary.pop("metrics")
    assert summary == {
        "task": "sentiment",
        "run": run.name,
        "data": "opinions",
        "split": "test",
        "examples": 12,
    }
    intervals = ("accuracy", "macro_f1", "log_loss", "auc", "calibration_error")
    names = {f"{name}{end}" for name in intervals for end in ("", "_low", "_high")}
    assert set(metrics) == names | {"seconds", "parameters"}
    for name in intervals:
        assert metrics[f"{name}_low"] <= metrics[name] <= metrics[f"{name}_high"]
    assert metrics["accuracy"] >= 10 / 12
    assert metrics["parameters"] == trained(kind).classifier.model.count_params()
    assert metrics["seconds"] == pytest.approx(trained(kind).result.seconds)
    assert json.loads((run.path / "metrics.json").read_bytes()) == {**summary, "metrics": metrics}


@each_backbone
def test_answers_are_labels_with_their_probabilities(trained: Trained, kind: str) -> None:
    classifier = trained(kind).classifier
    assert classifier.labels == LABELS
    for answer, scores in zip(classifier.predict(TEXTS), classifier.scores(TEXTS), strict=True):
        assert isinstance(answer, Classification)
        assert answer.label == LABELS[int(np.argmax(scores))]
        assert answer.probability == max(answer.scores)
        assert answer.scores == tuple(map(float, scores))
    assert classifier.predict([]) == []


@each_backbone
@pytest.mark.parametrize("name", HARD)
def test_every_text_is_answered(trained: Trained, kind: str, name: str) -> None:
    (scores,) = trained(kind).classifier.scores([HARD[name]])
    assert np.isfinite(scores).all()
    assert scores.sum() == pytest.approx(1, abs=1e-5)


@each_backbone
def test_neighbours_do_not_matter(trained: Trained, kind: str) -> None:
    """Of more texts than go into one batch, so that they stand among others when turned round."""
    classifier = trained(kind).classifier
    texts = TEXTS * 6
    together = classifier.scores(texts)
    np.testing.assert_allclose(classifier.scores(texts[::-1])[::-1], together, atol=1e-5)
    for text, scores in zip(TEXTS, together[: len(TEXTS)], strict=True):
        np.testing.assert_allclose(classifier.scores([text])[0], scores, atol=1e-5)


@each_backbone
def test_saved_loaded_and_exported_are_the_same(
    trained: Trained, kind: str, tmp_path: Path
) -> None:
    """Exported into this process; one export is verified in a process without Keras below."""
    classifier = trained(kind).classifier
    loaded = textapps.load("sentiment", classifier.run.path)
    assert (loaded.labels, loaded.config) == (classifier.labels, classifier.config)
    for ours, theirs in zip(
        loaded.model.get_weights(), classifier.model.get_weights(), strict=True
    ):
        np.testing.assert_array_equal(ours, theirs)

    expected = classifier.scores(TEXTS)
    path = classifier.export(tmp_path, verify=False)
    exported = tf.saved_model.load(str(path)).signatures["serving_default"]
    texts = [text.encode("utf-8", ENCODED.get(text, "surrogateescape")) for text in TEXTS]
    answer = exported(text=tf.constant(texts))
    assert set(answer) == {"label", "probability", "scores"}
    np.testing.assert_allclose(answer["scores"], expected, atol=1e-5)
    np.testing.assert_allclose(answer["probability"], expected.max(axis=1), atol=1e-5)
    best = [LABELS[index] for index in np.argmax(expected, axis=1)]
    assert [label.decode() for label in answer["label"].numpy()] == best


def test_an_export_is_verified_and_says_what_it_is(trained: Trained, tmp_path: Path) -> None:
    classifier = trained("lstm").classifier
    summary = classifier.evaluate()
    path = classifier.export(tmp_path, name="opinions")
    assert path == tmp_path / "exported" / "opinions" / "1"
    manifest = read_manifest(path)
    assert (manifest.task, manifest.name, manifest.backbone) == ("sentiment", "opinions", "lstm")
    assert manifest.labels == LABELS
    assert manifest.metrics == summary["metrics"]
    (signature,) = manifest.signatures.values()
    assert {name: info.shape for name, info in signature.outputs.items()} == {
        "label": (None,),
        "probability": (None,),
        "scores": (None, 3),
    }
    assert (path / "assets.extra" / "tf_serving_warmup_requests").stat().st_size > 0


def test_the_latest_run_is_loaded_by_name_of_the_task(trained: Trained) -> None:
    run = trained("gru").run
    classifier = textapps.load("sentiment", models_dir=run.path.parent.parent)
    assert classifier.run.path == run.path
    (test,) = load_texts(classifier.config.data, ("test",), classifier.labels)
    answers = classifier.predict(test.texts)
    right = [test.label_names[label] for label in test.labels]
    assert sum(answer.label == label for answer, label in zip(answers, right, strict=True)) >= 10
