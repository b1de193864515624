"""The report on a pre-trained encoder."""

from typing import Any

from textapps.evaluation.reports.sections import NAMES, Headline, Plot, Report, figure
from textapps.tasks.report import facts
from textapps.tasks.sentiment.pretraining.predictor import PretrainedEncoder
from textapps.tasks.task import Evaluation
from textapps.training.history import read_history

MONITOR = "nats_per_token"


def report(encoder: PretrainedEncoder, evaluation: Evaluation[Any]) -> Report:
    """The surprise at held-out texts, and its curve."""
    # Imported here because the plotting library is slow to import.
    from textapps.evaluation.reports.plots import learning_curves

    summary = evaluation.summary
    vocabulary = f"{encoder.preprocessor.vocabulary_size:,} {encoder.config.preprocessor.tokens}s"
    return Report(
        f"Pre-training: {encoder.config.backbone.kind} on {summary['data']}",
        facts(encoder, summary, "texts", vocabulary=vocabulary),
        [
            Headline(
                "Results",
                [(NAMES[MONITOR], *figure(summary["metrics"], MONITOR))],
                "The mean surprise at tokens of texts that were not trained on, by the whole "
                "vocabulary; unknown tokens are not counted.",
            ),
            Plot(
                "Learning curves",
                learning_curves(read_history(encoder.run), leave_out=("loss",)),
                "Nats per token over the training steps. Training estimates them by a sample of "
                "the vocabulary.",
            ),
        ],
    )
