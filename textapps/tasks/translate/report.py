"""report.html of a translate run."""

from pathlib import Path
from typing import TYPE_CHECKING

from textapps.evaluation.report import write_report as write
from textapps.evaluation.sections import Report
from textapps.evaluation.translation_report import translation_sections
from textapps.tasks.translate.judgement import Judgement
from textapps.training.evaluations import evaluation_path
from textapps.training.history import read_history

if TYPE_CHECKING:
    from textapps.tasks.translate.task import Translator


def write_report(translator: "Translator", judgement: Judgement) -> Path:
    """Writes what is known of a judgement as one HTML file, and returns its path.

    That of the run's own test split is report.html, others stand beside their figures.

    Raises:
        RunError: the run cannot be written.
    """
    run, config, summary = translator.run, translator.config, judgement.summary
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
        "judged on": f"{summary['data']}, {summary['split']}: {summary['examples']:,} sentences",
        "decoding": judgement.searches[0].name,
    }
    sections = translation_sections(
        judgement.pairs.sources,
        judgement.scored,
        metrics=metrics,
        history=read_history(run),
        maps=judgement.maps,
        searches=judgement.searches,
    )
    path = evaluation_path(run, summary).with_suffix(".html")
    if judgement.default:
        path = run.path / "report.html"
    write(path, Report(f"Translation: {backbone.kind} on {summary['data']}", facts, sections))
    return path
