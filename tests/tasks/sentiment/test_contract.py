"""What must hold of a classifier, whatever its backbone."""

import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import textapps
from tests.quick import quick
from tests.tasks.tiny import LABELS, TRAINED
from textapps.backbones.registry import BACKBONES
from textapps.datasets.texts.loader import load_texts
from textapps.savedmodel.manifest import read_manifest
from textapps.tasks.sentiment.export import EXAMPLES

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
TEXTS = ["a fine film", *HARD.values(), "it was awful", "the night was so-so " * 30, *EXAMPLES]

Make = Callable[[str, str], Any]


@pytest.mark.parametrize("kind", quick(TRAINED["sentiment"], *TRAINED["sentiment"]))
def test_it_learns_and_metrics_json_holds_every_figure(trained: Make, kind: str) -> None:
    classifier = trained("sentiment", kind)
    summary = classifier.evaluate()
    metrics = summary.pop("metrics")
    assert summary == {
        "task": "sentiment",
        "run": classifier.run.name,
        "data": "opinions",
        "split": "test",
        "examples": 12,
    }
    intervals = ("accuracy", "macro_f1", "log_loss", "auc", "calibration_error")
    names = {f"{name}{end}" for name in intervals for end in ("", "_low", "_high")}
    assert (
        {*intervals, "seconds", "parameters"} <= set(metrics) <= {*names, "seconds", "parameters"}
    )
    for name in intervals:
        if f"{name}_low" in metrics:
            assert metrics[f"{name}_low"] <= metrics[name] <= metrics[f"{name}_high"]
        else:  # the same in every resample
            assert metrics[name] == 1
    assert metrics["accuracy"] >= 10 / 12
    assert metrics["parameters"] == classifier.model.count_params()
    stored = json.loads((classifier.run.path / "metrics.json").read_bytes())
    assert stored == {**summary, "metrics": metrics}


@pytest.mark.parametrize("kind", BACKBONES)
def test_answers_are_labels_with_their_probabilities(untrained: Make, kind: str) -> None:
    classifier = untrained("sentiment", kind)
    assert classifier.labels == LABELS
    answers, rows = classifier.predict(TEXTS), classifier.scores(TEXTS)
    assert np.isfinite(rows).all()
    np.testing.assert_allclose(rows.sum(axis=1), 1, atol=1e-5)
    for answer, scores in zip(answers, rows, strict=True):
        assert answer.label == LABELS[int(np.argmax(scores))]
        assert answer.probability == max(answer.scores)
        assert answer.scores == tuple(map(float, scores))


@pytest.mark.parametrize("kind", BACKBONES)
def test_hard_texts_among_others_are_answered_as_alone(untrained: Make, kind: str) -> None:
    classifier = untrained("sentiment", kind)
    for text, scores in zip(TEXTS, classifier.scores(TEXTS), strict=True):
        np.testing.assert_allclose(classifier.scores([text])[0], scores, atol=1e-5)


@pytest.mark.slow
def test_an_export_says_what_it_is(exported: Callable[..., Any], untrained: Make) -> None:
    """And it has been verified, with the n-grams beside the backbone."""
    path = exported("sentiment", "lstm")
    assert path.parts[-3:] == ("exported", "tiny-lstm", "1")
    manifest = read_manifest(path)
    assert (manifest.task, manifest.name, manifest.backbone) == ("sentiment", "tiny-lstm", "lstm")
    assert manifest.labels == LABELS
    assert set(manifest.signatures) == {"serving_default", "explain", "length"}
    signature = manifest.signatures["serving_default"]
    assert {name: info.shape for name, info in signature.outputs.items()} == {
        "label": (None,),
        "probability": (None,),
        "scores": (None, 3),
    }
    assert (path / "assets.extra" / "tf_serving_warmup_requests").stat().st_size > 0


def test_an_export_has_the_figures_of_its_run(
    untrained: Make, copied: Callable[[Any], Any], tmp_path: Any
) -> None:
    classifier = copied(untrained("sentiment", "simple_rnn"))
    summary = classifier.evaluate()
    path = classifier.export(tmp_path, verify=False, warmup=False, explain=False)
    assert path == tmp_path / "exported" / "sentiment" / "1"
    assert read_manifest(path).metrics == summary["metrics"]


def test_the_latest_run_is_loaded_by_name_of_the_task(trained: Make) -> None:
    run = trained("sentiment", "transformer").run
    classifier = textapps.load("sentiment", models_dir=run.path.parent.parent)
    assert classifier.run.path == run.path
    (test,) = load_texts(classifier.config.data, ("test",), classifier.labels)
    answers = classifier.predict(test.texts)
    right = [test.label_names[label] for label in test.labels]
    assert sum(answer.label == label for answer, label in zip(answers, right, strict=True)) >= 10
