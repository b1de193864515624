"""report.html of a sentiment run."""

from pathlib import Path
from typing import TYPE_CHECKING

from textapps.evaluation.reports.classification import classifier_sections
from textapps.evaluation.reports.report import write_report as write
from textapps.evaluation.reports.sections import Report
from textapps.tasks.sentiment.evaluate import Evaluation
from textapps.training.evaluations import evaluation_path
from textapps.training.history import read_history

if TYPE_CHECKING:
    from textapps.tasks.sentiment.task import SentimentClassifier


def write_report(
    classifier: "SentimentClassifier", evaluation: Evaluation, baseline: Evaluation | None = None
) -> Path:
    """Writes what is known of an evaluation as one HTML file, and returns its path.

    That of the run's own test split is report.html, others stand beside their figures.

    Raises:
        RunError: the run cannot be written.
    """
    run, config, summary = classifier.run, classifier.config, evaluation.summary
    metrics, examples = summary["metrics"], evaluation.examples
    vocabulary = len(classifier.featurizer.preprocessor.vocabulary)
    facts = {
        "run": run.name,
        "backbone": f"{config.backbone.kind}, {config.backbone.layers} x {config.backbone.units}",
        "preset": config.preset,
        "parameters": f"{metrics['parameters']:,}",
        "vocabulary": f"{vocabulary:,} {config.preprocessor.tokens}s",
        "trained on": config.data.source,
        "training": f"{metrics['seconds']:.0f} s",
        "evaluated on": f"{summary['data']}, {summary['split']}: {len(examples):,} examples",
    }
    in_words = config.preprocessor.tokens == "word"
    sections = classifier_sections(
        examples.labels,
        evaluation.scores,
        examples.label_names,
        metrics=metrics,
        examples=examples.texts,
        lengths=[len(text.split()) if in_words else len(text) for text in examples.texts],
        length_unit="words" if in_words else "characters",
        history=read_history(run),
        baseline=("NB-SVM", baseline.scores) if baseline else None,
    )
    path = evaluation_path(run, summary).with_suffix(".html")
    if evaluation.default:
        path = run.path / "report.html"
    write(path, Report(f"Sentiment: {config.backbone.kind} on {summary['data']}", facts, sections))
    return path
