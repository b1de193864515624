"""How good a classifier is, as figures and files of its run."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import textapps
from textapps.core.errors import DataError, RunError
from textapps.datasets.config import DataConfig
from textapps.tasks.lifecycle import evaluate, write_report
from textapps.tasks.sentiment.evaluate import fit_baseline, stored_baseline
from textapps.tasks.sentiment.task import TASK


@pytest.fixture
def classifier(trained: Callable[[str, str], Any], copied: Callable[[Any], Any]) -> Any:
    """One that has not been evaluated, of a run that a test may change."""
    return copied(trained("sentiment", "simple_rnn"))


def write_rows(path: Path, *rows: tuple[str, str]) -> DataConfig:
    lines = [f"{label}\t{text}\n" for text, label in rows]
    path.write_text("".join(lines), encoding="utf-8")
    return DataConfig(source=str(path), test_source=str(path))


def test_a_evaluation_leaves_figures_and_scores(classifier: Any) -> None:
    evaluation = evaluate(TASK, classifier)
    run = classifier.run.path
    summary = json.loads((run / "evaluations" / "opinions-test.json").read_bytes())
    assert summary == evaluation.summary == json.loads((run / "metrics.json").read_bytes())
    with np.load(run / "evaluations" / "opinions-test.npz") as arrays:
        np.testing.assert_array_equal(arrays["scores"], evaluation.scores)
    assert evaluation.default
    right = np.argmax(evaluation.scores, axis=1) == evaluation.examples.labels
    assert summary["metrics"]["accuracy"] == pytest.approx(right.mean())


def test_other_splits_and_data_stand_beside_each_other(classifier: Any, tmp_path: Path) -> None:
    evaluation = evaluate(TASK, classifier, split="train")
    assert (evaluation.summary["split"], evaluation.summary["examples"]) == ("train", 94)
    other = write_rows(tmp_path / "more reviews.txt", ("a fine film", "größer als"), ("meh", "0"))
    evaluation = evaluate(TASK, classifier, other)
    assert not evaluation.default
    assert evaluation.summary["data"] == "more-reviews"
    assert evaluation.summary["examples"] == 2
    report = write_report(TASK, classifier, evaluation)
    found = {path.name for path in (classifier.run.path / "evaluations").iterdir()}
    names = ("opinions-train.json", "opinions-train.npz", "more-reviews-test.json")
    assert found == {*names, "more-reviews-test.npz", report.name}
    assert not (classifier.run.path / "metrics.json").exists()
    assert not (classifier.run.path / "report.html").exists()


def test_the_baseline_on_other_data_warns_of_changed_training_data(
    untrained: Callable[[str, str], Any],
    copied: Callable[[Any], Any],
    toy_data: Callable[[str], Path],
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    own = tmp_path / "own.csv"
    content = toy_data("sentiment").read_bytes()
    own.write_bytes(content)
    classifier = copied(untrained("sentiment", "simple_rnn"))
    classifier = classifier.configured({"data.source": str(own)})
    other = write_rows(tmp_path / "more.txt", ("a fine film", "größer als"), ("meh", "0"))
    fit_baseline(classifier, other)
    assert "other data" not in caplog.text
    own.write_bytes(content.replace(b" film", b" firm"))
    fit_baseline(classifier, other)
    (message,) = (line for line in caplog.messages if "other data" in line)
    assert "was trained on other data: its train split had 94 examples" in message
    assert message.endswith("; the baseline is fitted to them as they are now")


def test_python_evaluates_other_data_whole(classifier: Any, tmp_path: Path) -> None:
    path = tmp_path / "more.csv"
    rows = ["a fine film,größer als", *(f"meh {number},0" for number in range(6))]
    path.write_text("\n".join(["said,label", *rows]), encoding="utf-8")
    summary = classifier.evaluate(data={"source": path, "text_column": "said"})
    assert (summary["data"], summary["split"], summary["examples"]) == ("more", "all", 7)
    assert classifier.evaluate()["split"] == "test"


def test_changed_data_are_said(classifier: Any, tmp_path: Path, caplog) -> None:
    opinions = Path(classifier.config.data.source)
    evaluate(TASK, classifier)
    assert not caplog.messages
    again = tmp_path / opinions.name
    text = opinions.read_text(encoding="utf-8")
    again.write_text(text, encoding="utf-8")
    data = classifier.config.data.model_copy(update={"source": str(again)})
    classifier.config = classifier.config.model_copy(update={"data": data})
    evaluate(TASK, classifier)
    assert not caplog.messages
    again.write_text(text + "one more,0,train\r\n", encoding="utf-8")
    evaluate(TASK, classifier)
    [message] = caplog.messages
    assert "was trained on other data: its train split had 94 examples, now it has" in message


def test_labels_of_other_data_must_be_known(classifier: Any, tmp_path: Path) -> None:
    other = write_rows(tmp_path / "other.txt", ("a fine film", "0"), ("dull", "bad"))
    with pytest.raises(DataError, match=r"other\.txt:2: label 'bad', the classes are 0, größer"):
        evaluate(TASK, classifier, other)
    assert not (classifier.run.path / "evaluations").exists()


def test_the_baseline_is_kept_for_the_examples_it_was_evaluated_on(
    classifier: Any, tmp_path: Path
) -> None:
    baseline = fit_baseline(classifier)
    assert baseline.summary["metrics"]["accuracy"] >= 10 / 12
    assert baseline.summary["metrics"]["seconds"] > 0
    evaluation = evaluate(TASK, classifier)
    stored = stored_baseline(evaluation, classifier.run)
    assert stored is not None
    assert stored.summary == baseline.summary
    np.testing.assert_array_equal(stored.scores, baseline.scores)
    html = write_report(TASK, classifier, evaluation).read_text(encoding="utf-8")
    assert "NB-SVM" in html
    assert "größer als" in html

    data = write_rows(tmp_path / "opinions.txt", ("a fine film", "größer als"), ("meh", "0"))
    assert stored_baseline(evaluate(TASK, classifier, data), classifier.run) is None


def test_a_damaged_baseline_is_as_none(classifier: Any) -> None:
    fit_baseline(classifier)
    scores = classifier.run.path / "evaluations" / "opinions-test-baseline.npz"
    for content in (b"", b"PK\x03\x04 but no archive", scores.read_bytes()[:200]):
        scores.write_bytes(content)
        assert stored_baseline(evaluate(TASK, classifier), classifier.run) is None


def test_figures_that_cannot_be_written(classifier: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(path: Path, data: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("textapps.core.files.write_file", full)
    with pytest.raises(RunError, match=r"cannot write .*evaluations.*: No space left on device"):
        evaluate(TASK, classifier)
    assert not (classifier.run.path / "metrics.json").exists()


def test_evaluate_from_python(classifier: Any) -> None:
    loaded = textapps.load("sentiment", classifier.run.path)
    loaded.answer = classifier.answer
    assert loaded.evaluate()["examples"] == 12
    assert loaded.evaluate("validation")["examples"] == 9
