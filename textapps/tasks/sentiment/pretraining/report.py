"""The report on a pre-trained encoder."""

from typing import Any

from textapps.evaluation.reports.sections import Report
from textapps.tasks.report import facts
from textapps.tasks.sentiment.pretraining.predictor import PretrainedEncoder
from textapps.tasks.task import Evaluation


def report(encoder: PretrainedEncoder, evaluation: Evaluation[Any]) -> Report:
    """The surprise at held-out texts, and its curve."""
    summary = evaluation.summary
    vocabulary = f"{encoder.preprocessor.vocabulary_size:,} {encoder.config.preprocessor.tokens}s"
    return Report(
        f"Pre-training: {encoder.config.backbone.kind} on {summary['data']}",
        facts(encoder, summary, "texts", vocabulary=vocabulary),
        [],
    )
