"""report.html of a translate run."""

from pathlib import Path
from typing import TYPE_CHECKING

from textapps.evaluation.reports.report import write_report as write
from textapps.evaluation.reports.sections import Report
from textapps.evaluation.reports.translation import translation_sections
from textapps.tasks.translate.evaluate import Evaluation
from textapps.training.evaluations import evaluation_path
from textapps.training.history import read_history

if TYPE_CHECKING:
    from textapps.tasks.translate.task import Translator


def write_report(translator: "Translator", evaluation: Evaluation) -> Path:
    """Writes what is known of an evaluation as one HTML file, and returns its path.

    That of the run's own test split is report.html, others stand beside their figures.

    Raises:
        RunError: the run cannot be written.
    """
    run, config, summary = translator.run, translator.config, evaluation.summary
    metrics = summary["metrics"]
    backbone, tokenizers = config.backbone, translator.tokenizers
    facts = {
        "run": run.name,
        "backbone": f"{backbone.kind}, {backbone.layers} x {backbone.units}",
        "attention": backbone.attention,
        "preset": config.preset,
        "parameters": f"{metrics['parameters']:,}",
        "vocabulary": f"{tokenizers.target.vocabulary_size:,} {config.preprocessor.tokens}s"
        + (", joint" if tokenizers.joint else ""),
        "trained on": config.data.source_file or config.data.source,
        "training": f"{metrics['seconds']:.0f} s",
        "evaluated on": f"{summary['data']}, {summary['split']}: {summary['examples']:,} sentences",
        "decoding": evaluation.searches[0].name,
    }
    sections = translation_sections(
        evaluation.pairs.sources,
        evaluation.scored,
        metrics=metrics,
        history=read_history(run),
        maps=evaluation.maps,
        searches=evaluation.searches,
    )
    path = evaluation_path(run, summary).with_suffix(".html")
    if evaluation.default:
        path = run.path / "report.html"
    write(path, Report(f"Translation: {backbone.kind} on {summary['data']}", facts, sections))
    return path
