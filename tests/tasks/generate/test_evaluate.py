"""How good a generator is, as figures, texts and files of its run."""

import html
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from textapps.core.errors import DataError, RunError
from textapps.datasets.config import CorpusConfig
from textapps.datasets.corpus.loader import load_corpora
from textapps.evaluation.baselines.ngram_model import NgramModel
from textapps.tasks import lifecycle
from textapps.tasks.generate import evaluate as evaluating
from textapps.tasks.generate.task import TASK
from textapps.tasks.lifecycle import evaluate, write_report


@pytest.fixture
def generator(
    trained: Callable[[str, str], Any],
    copied: Callable[[Any], Any],
    monkeypatch: pytest.MonkeyPatch,
) -> Any:
    """One that has not been evaluated, of a run that a test may change."""
    monkeypatch.setattr(evaluating, "LENGTH", 60)
    return copied(trained("generate", "lstm"))


def write_text(path: Path, text: str) -> CorpusConfig:
    path.write_text(text, encoding="utf-8")
    return CorpusConfig(source=str(path), test_source=str(path))


def test_a_evaluation_leaves_figures_and_surprise(generator: Any) -> None:
    evaluation = evaluate(TASK, generator)
    run = generator.run.path
    summary = json.loads((run / "evaluations" / "verses-test.json").read_bytes())
    assert summary == evaluation.summary == json.loads((run / "metrics.json").read_bytes())
    with np.load(run / "evaluations" / "verses-test.npz") as arrays:
        np.testing.assert_array_equal(arrays["nats"], evaluation.nats)
        assert arrays["sha256"].item() == evaluation.examples.fingerprint
    assert evaluation.default
    metrics = summary["metrics"]
    assert summary["examples"] == len(evaluation.examples.text) == len(evaluation.nats)
    assert metrics["nats_per_character"] == pytest.approx(evaluation.nats.mean(), rel=1e-5)
    loaded = lifecycle.load(TASK, generator.run).model  # without the states of streams
    assert metrics["parameters"] == loaded.count_params()
    assert metrics["seconds"] > 0


def test_the_baseline_learns_from_the_training_text_alone(generator: Any) -> None:
    evaluation = evaluate(TASK, generator)
    encode = generator.preprocessor.encode
    texts = load_corpora(generator.config.data, ("train", "validation", "test"))
    train, validation, test = (encode("\n" + corpus.text) for corpus in texts)
    model = NgramModel().fit(train[1:], len(generator.preprocessor.vocabulary))
    expected = model.by_order(test)[:, 1:]
    np.testing.assert_allclose(evaluation.baseline.nats, expected, rtol=1e-6)
    order = int(model.by_order(validation)[:, 1:].mean(axis=1).argmin()) + 1
    assert evaluation.baseline.order == order
    theirs = evaluation.baseline.summary["metrics"]
    ours = evaluation.summary["metrics"]
    assert theirs["nats_per_character"] == pytest.approx(expected[order - 1].mean(), rel=1e-5)
    assert ours["gain_over_ngrams"] == pytest.approx(
        theirs["nats_per_character"] - ours["nats_per_character"]
    )
    path = generator.run.path / "evaluations" / "verses-test-baseline.json"
    stored = json.loads(path.read_bytes())
    assert stored["metrics"] == theirs
    assert stored["orders"][str(order)] == pytest.approx(theirs["nats_per_character"])


def test_samples_are_the_same_each_time(generator: Any) -> None:
    first, second = (evaluate(TASK, generator) for _ in range(2))
    assert first.samples == second.samples
    assert [each.name for each in first.samples] == [
        f"temperature {t}" for t in evaluating.TEMPERATURES
    ]
    texts = [text for each in first.samples for text in each.texts]
    assert len(texts) == 3 * evaluating.SAMPLES
    assert first.samples[0].texts != first.samples[2].texts
    assert {len(text) for text in texts} == {60}
    path = generator.run.path / "evaluations" / "verses-test-samples.json"
    stored = json.loads(path.read_bytes())
    assert [row["texts"] for row in stored[:3]] == [list(each.texts) for each in first.samples]
    assert stored[3]["name"] == "the text evaluated"
    assert stored[3]["copied"] == first.real.figures.copied > 0.9  # the verses repeat themselves


def test_pieces_of_the_text_are_spread_over_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(evaluating, "LENGTH", 3)
    assert evaluating._pieces("abcdefghijkl") == ["abc", "def", "ghi", "jkl"]
    assert evaluating._pieces("ab") == ["ab"] * 4


def test_only_the_own_test_split_becomes_metrics_json(generator: Any, tmp_path: Path) -> None:
    assert evaluate(TASK, generator, split="validation").summary["split"] == "validation"
    other = write_text(tmp_path / "more verses.txt", "the cat sat.\n")
    evaluation = evaluate(TASK, generator, other)
    assert not evaluation.default
    assert evaluation.summary["examples"] == 13
    report = write_report(TASK, generator, evaluation)
    found = {path.name for path in (generator.run.path / "evaluations").iterdir()}
    stem = report.stem
    assert {f"{stem}.{end}" for end in ("json", "npz", "html")} <= found
    assert {f"{stem}-baseline.json", f"{stem}-samples.json", "verses-validation.json"} <= found
    assert not (generator.run.path / "metrics.json").exists()
    assert not (generator.run.path / "report.html").exists()


def test_the_report_shows_surprise_and_samples(generator: Any) -> None:
    evaluation = evaluate(TASK, generator)
    path = write_report(TASK, generator, evaluation)
    assert path == generator.run.path / "report.html"
    page = path.read_text(encoding="utf-8")
    assert page.count(' nats">') == len(evaluation.examples.text)
    for each in evaluation.samples:
        assert html.escape(each.texts[0]).replace("&#x27;", "&#39;") in page
    assert "6-grams" in page
    for gain, told in ((0.25, "better by 0.2500"), (-0.25, "worse by 0.2500")):
        metrics = {**evaluation.summary["metrics"], "gain_over_ngrams": gain}
        other = replace(evaluation, summary={**evaluation.summary, "metrics": metrics})
        assert other.remarks[0].endswith(f"the model is {told}")
    assert f"{evaluation.summary['metrics']['perplexity']:.4f}" in page


def test_a_text_of_one_character_that_training_has_not_seen(generator: Any, tmp_path: Path) -> None:
    evaluation = evaluate(TASK, generator, write_text(tmp_path / "one.txt", "語"))
    metrics = evaluation.summary["metrics"]
    assert "nats_per_character_low" not in metrics  # all resamples are alike
    assert evaluation.baseline.nats.shape == (6, 1)
    write_report(TASK, generator, evaluation)


def test_the_training_text_must_be_there(generator: Any, tmp_path: Path) -> None:
    other = write_text(tmp_path / "other.txt", "the cat sat on the mat.\n")
    gone = CorpusConfig(source=str(tmp_path / "gone.txt"))
    generator.config = generator.config.model_copy(update={"data": gone})
    with pytest.raises(DataError, match=r"gone\.txt"):
        evaluate(TASK, generator, other)
    assert not (generator.run.path / "evaluations").exists()


def test_figures_that_cannot_be_written(generator: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(path: Path, data: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("textapps.core.files.write_file", full)
    with pytest.raises(RunError, match=r"cannot write .*evaluations.*: No space left on device"):
        evaluate(TASK, generator)
    assert not (generator.run.path / "metrics.json").exists()
