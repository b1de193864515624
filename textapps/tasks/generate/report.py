"""report.html of a generate run."""

from pathlib import Path
from typing import TYPE_CHECKING

from textapps.evaluation.language_report import language_sections
from textapps.evaluation.report import write_report as write
from textapps.evaluation.sections import Report
from textapps.tasks.generate.judgement import Judgement
from textapps.token_ids import FIRST
from textapps.training.evaluations import evaluation_path
from textapps.training.history import read_history

if TYPE_CHECKING:
    from textapps.tasks.generate.task import TextGenerator


def write_report(generator: "TextGenerator", judgement: Judgement) -> Path:
    """Writes what is known of a judgement as one HTML file, and returns its path.

    That of the run's own test split is report.html, others stand beside their figures.

    Raises:
        RunError: the run cannot be written.
    """
    run, config, summary = generator.run, generator.config, judgement.summary
    metrics = summary["metrics"]
    facts = {
        "run": run.name,
        "backbone": f"{config.backbone.kind}, {config.backbone.layers} x {config.backbone.units}",
        "preset": config.preset,
        "parameters": f"{metrics['parameters']:,}",
        "vocabulary": f"{len(generator.preprocessor.vocabulary) - FIRST:,} characters",
        "trained on": config.data.source,
        "training": f"{metrics['seconds']:.0f} s",
        "judged on": f"{summary['data']}, {summary['split']}: {summary['examples']:,} characters",
    }
    sections = language_sections(
        judgement.corpus.text,
        judgement.nats,
        metrics=metrics,
        ngrams=judgement.baseline.nats,
        order=judgement.baseline.order,
        samples=judgement.samples,
        real=judgement.real,
        history=read_history(run),
    )
    path = evaluation_path(run, summary).with_suffix(".html")
    if judgement.default:
        path = run.path / "report.html"
    write(path, Report(f"Text: {config.backbone.kind} on {summary['data']}", facts, sections))
    return path
