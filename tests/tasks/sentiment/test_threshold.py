"""The threshold of a classifier of two classes, from evaluation to export."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from click.testing import Result

from textapps.core.errors import ConfigurationError, DataError, RunError
from textapps.evaluation.metrics.classification import classification_metrics
from textapps.evaluation.metrics.thresholds import best_threshold
from textapps.tasks import lifecycle
from textapps.tasks.comparison import compare
from textapps.tasks.registry import get_task
from textapps.tasks.sentiment.threshold import decide_by
from textapps.training.decision import THRESHOLD, read_threshold
from textapps.training.evaluations import METRICS, read_metrics
from textapps.training.run_directory import RunDirectory

TASK = get_task("sentiment")
WORDS = ("fine", "dull", "night", "film", "great", "awful", "meh")


@pytest.fixture(scope="module")
def ready(tiny: Callable[..., Any], tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A classifier of two classes that has seen little."""
    folder = tmp_path_factory.mktemp("two")
    random = np.random.default_rng(3)
    rows = ["text,label"]
    for number in range(130):
        label = "no" if number % 3 else "yes"
        words = random.choice(WORDS[2:] + (("fine",) if label == "yes" else ("dull",)), 4)
        rows.append(f"{' '.join(words)} {number},{label}")
    path = folder / "two.csv"
    path.write_text("\n".join(rows))
    changes = {"data.source": str(path), "training.epochs": 1}
    config = tiny("sentiment", "simple_rnn", **changes)
    return lifecycle.train(TASK, config, folder)[0]


@pytest.fixture
def classifier(ready: Any, copied: Callable[[Any], Any]) -> Any:
    """The same with a run of its own."""
    return copied(ready)


def texts_of(classifier: Any, split: str = "test") -> Any:
    return TASK.load_split(classifier.config, split, classifier.labels)


def median(classifier: Any) -> float:
    """A threshold that makes other answers than the larger score."""
    return float(np.median(classifier.scores(texts_of(classifier).texts)[:, 1]))


def test_auto_is_chosen_on_validation_and_kept(classifier: Any) -> None:
    validation = texts_of(classifier, "validation")
    expected = best_threshold(validation.labels, classifier.scores(validation.texts)).threshold
    decide_by(classifier, "auto")
    assert classifier.threshold == expected
    again = lifecycle.load(TASK, RunDirectory.open(classifier.run.path))
    assert again.threshold == expected
    decide_by(again, "none")
    assert again.threshold is read_threshold(classifier.run) is None


def test_figures_by_another_rule_are_taken_away(classifier: Any) -> None:
    classifier.run.write_json(METRICS, {"metrics": {"accuracy": 0.5}})
    decide_by(classifier, "none")  # as before
    assert read_metrics(classifier.run)
    (classifier.run.path / THRESHOLD).write_text("{")  # damaged
    decide_by(classifier, 0.25)
    assert not (classifier.run.path / METRICS).exists()
    assert read_threshold(classifier.run) == 0.25


def test_predictions_figures_and_report_follow_it(classifier: Any) -> None:
    examples, threshold = texts_of(classifier), median(classifier)
    plain = classifier.predict(examples.texts)
    decide_by(classifier, threshold)
    scores = classifier.scores(examples.texts)
    answers = classifier.predict(examples.texts)
    expected = [classifier.labels[int(row[1] >= np.float32(threshold))] for row in scores]
    assert [answer.label for answer in answers] == expected
    assert expected != [answer.label for answer in plain]
    assert [answer.probability for answer in answers] == [
        answer.scores[classifier.labels.index(answer.label)] for answer in answers
    ]
    evaluation = lifecycle.evaluate(TASK, classifier)
    right = np.mean([classifier.labels[label] for label in examples.labels] == np.array(expected))
    metrics = json.loads((classifier.run.path / "metrics.json").read_text())["metrics"]
    assert metrics["accuracy"] == pytest.approx(right)
    assert metrics["threshold"] == threshold
    assert evaluation.remarks == (f"yes from a score of {threshold:.4f} on",)
    page = lifecycle.write_report(TASK, classifier, evaluation).read_text(encoding="utf-8")
    assert "Precision and recall" in page
    assert f"The point is the threshold of the run, {threshold:.4f}" in page


@pytest.mark.slow
def test_a_comparison_uses_the_threshold_of_each_run(
    ready: Any, classifier: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    threshold = median(classifier)
    decide_by(classifier, threshold)
    by_path = {one.run.path: one for one in (ready, classifier)}
    monkeypatch.setattr(lifecycle, "load", lambda task, run: by_path[run.path])
    found = compare([ready.run, classifier.run])
    examples = texts_of(ready)
    scores = ready.scores(examples.texts)
    for run, used in zip(found.runs, (None, threshold), strict=True):
        assert run.metrics == classification_metrics(examples.labels, scores, threshold=used)
    assert found.notes == [f"B answers yes from a score of {threshold:.4f} on"]


@pytest.mark.slow
def test_the_export_has_it(classifier: Any, tmp_path: Path) -> None:
    examples = texts_of(classifier)
    decide_by(classifier, median(classifier))
    folder = classifier.export(tmp_path, examples=0, warmup=False)  # verified
    manifest = json.loads((folder / "assets.extra" / "textapps.json").read_text())
    assert manifest["decoding"] == {"threshold": classifier.threshold}
    model = tf.saved_model.load(str(folder))
    found = model.signatures["serving_default"](text=tf.constant(examples.texts))
    answers = classifier.predict(examples.texts)
    assert [label.decode() for label in found["label"].numpy()] == [a.label for a in answers]
    assert found["probability"].numpy() == pytest.approx([a.probability for a in answers])
    explained = model.signatures["explain"](
        text=tf.constant(examples.texts), label=tf.constant([""] * len(examples))
    )
    assert explained["label"].numpy().tolist() == found["label"].numpy().tolist()


def test_without_one_the_manifest_has_none(classifier: Any) -> None:
    assert "decoding" not in classifier.manifest_fields


def test_it_is_not_used_after_further_training(
    classifier: Any, caplog: pytest.LogCaptureFixture
) -> None:
    decide_by(classifier, 0.25)
    path = classifier.run.path / THRESHOLD
    path.write_text(json.dumps({**json.loads(path.read_text()), "step": 1_000}))
    assert read_threshold(classifier.run) is None
    assert "was chosen before the run was trained further" in caplog.text


@pytest.mark.parametrize("content", ["{", '{"format": 1}', '{"format": 1, "threshold": "x"}'])
def test_a_damaged_one_is_told(classifier: Any, content: str) -> None:
    (classifier.run.path / THRESHOLD).write_text(content)
    with pytest.raises(RunError, match=r"threshold\.json is damaged"):
        read_threshold(classifier.run)


def test_what_cannot_have_one(
    untrained: Callable[[str, str], Any], classifier: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    three = untrained("sentiment", "simple_rnn")
    with pytest.raises(ConfigurationError, match=r"tells two classes apart, but .* has 3"):
        decide_by(three, "auto")
    packaged = classifier.run.path / "pretrained.json"
    packaged.write_text("{}")
    for wanted in (0.25, "auto"):
        with pytest.raises(RunError, match="comes with the package and stays as it is"):
            decide_by(classifier, wanted)  # type: ignore[arg-type]
    packaged.unlink()
    Path(classifier.config.data.source).rename(classifier.config.data.source + ".away")
    try:
        with pytest.raises(DataError):
            decide_by(classifier, "auto")
    finally:
        Path(classifier.config.data.source + ".away").rename(classifier.config.data.source)
    assert classifier.threshold is None


@pytest.fixture
def ask(
    cli: Callable[..., Result], classifier: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Callable[..., Result]:
    """`ask("evaluate", …)` runs a command of the task on the run."""
    monkeypatch.setattr(lifecycle, "load", lambda task, run: classifier)
    models = str(classifier.run.path.parents[1])
    return lambda *arguments: cli("sentiment", *arguments, "--models-dir", models)


def test_the_command_line_chooses_and_says_it(ask: Callable[..., Result], classifier: Any) -> None:
    result = ask("evaluate", "--threshold", "auto")
    assert result.exit_code == 0, result.stderr
    told = f"yes from a score of {classifier.threshold:.4f} on"
    assert result.stdout.splitlines()[-1] == told
    assert f"{told}: macro F1 on validation" in result.stderr
    assert ask("evaluate").stdout == result.stdout  # it stays
    assert ask("evaluate", "--threshold", "none").exit_code == 0
    assert classifier.threshold is None


@pytest.mark.slow
@pytest.mark.parametrize("given", ["0", "1", "1.5", "nan", "best"])
def test_other_thresholds_are_refused(ask: Callable[..., Result], given: str) -> None:
    result = ask("evaluate", "--threshold", given)
    assert (result.exit_code, result.stdout) == (2, "")
    assert "give auto, none, or a number above 0 and below 1" in result.stderr


def test_a_run_is_not_changed_where_it_cannot_be_evaluated(
    ask: Callable[..., Result], classifier: Any, tmp_path: Path
) -> None:
    ask("evaluate", "--threshold", "none")
    metrics = (classifier.run.path / "metrics.json").read_bytes()
    (tmp_path / "other.csv").write_text("text,label\nfine,x\n")
    for data in ("nofile.csv", str(tmp_path / "other.csv")):
        result = ask("evaluate", "--threshold", "0.3", "--data", data)
        assert (result.exit_code, result.stdout) == (3, "")
        assert (classifier.run.path / "metrics.json").read_bytes() == metrics
        assert not (classifier.run.path / "threshold.json").exists()


def test_predict_abstains(ask: Callable[..., Result], classifier: Any) -> None:
    texts = ["fine fine fine", "dull dull night"]
    sure, unsure = sorted(classifier.predict(texts), key=lambda answer: -answer.probability)
    limit = (sure.probability + unsure.probability) / 2
    result = ask("predict", *texts, "--abstain-below", str(limit))
    lines = [line.split("\t") for line in result.stdout.splitlines()]
    assert sorted(lines) == sorted(
        [[sure.label, f"{sure.probability:.4f}"], ["-", f"{unsure.probability:.4f}"]]
    )
    assert result.stderr.splitlines()[1:] == ["no label for 1 of 2 texts"]
    found = map(
        json.loads,
        ask("predict", *texts, "--abstain-below", str(limit), "--json").stdout.splitlines(),
    )
    assert sorted(row["label"] or "" for row in found) == ["", sure.label]
    assert "-" not in {line.split("\t")[0] for line in ask("predict", *texts).stdout.splitlines()}
