"""report.html of a generate run."""

from pathlib import Path
from typing import TYPE_CHECKING

from textapps.core.tokens import FIRST
from textapps.evaluation.reports.language import language_sections
from textapps.evaluation.reports.report import write_report as write
from textapps.evaluation.reports.sections import Report
from textapps.tasks.generate.evaluate import Evaluation
from textapps.training.evaluations import evaluation_path
from textapps.training.history import read_history

if TYPE_CHECKING:
    from textapps.tasks.generate.task import TextGenerator


def write_report(generator: "TextGenerator", evaluation: Evaluation) -> Path:
    """Writes what is known of an evaluation as one HTML file, and returns its path.

    That of the run's own test split is report.html, others stand beside their figures.

    Raises:
        RunError: the run cannot be written.
    """
    run, config, summary = generator.run, generator.config, evaluation.summary
    metrics = summary["metrics"]
    facts = {
        "run": run.name,
        "backbone": f"{config.backbone.kind}, {config.backbone.layers} x {config.backbone.units}",
        "preset": config.preset,
        "parameters": f"{metrics['parameters']:,}",
        "vocabulary": f"{len(generator.preprocessor.vocabulary) - FIRST:,} characters",
        "trained on": config.data.source,
        "training": f"{metrics['seconds']:.0f} s",
        "evaluated on": f"{summary['data']}, {summary['split']}: "
        f"{summary['examples']:,} characters",
    }
    sections = language_sections(
        evaluation.corpus.text,
        evaluation.nats,
        metrics=metrics,
        ngrams=evaluation.baseline.nats,
        order=evaluation.baseline.order,
        samples=evaluation.samples,
        real=evaluation.real,
        history=read_history(run),
    )
    path = evaluation_path(run, summary).with_suffix(".html")
    if evaluation.default:
        path = run.path / "report.html"
    write(path, Report(f"Text: {config.backbone.kind} on {summary['data']}", facts, sections))
    return path
