"""The report on a generator."""

from textapps.core.tokens import FIRST
from textapps.evaluation.reports.sections import Report
from textapps.tasks.generate.evaluate import GenerateEvaluation
from textapps.tasks.generate.predictor import TextGenerator
from textapps.tasks.report import facts
from textapps.training.history import read_history


def report(generator: TextGenerator, evaluation: GenerateEvaluation) -> Report:
    """The figures and curves of a generator, its texts, and n-grams beside it."""
    # Imported here because the plotting library is slow to import.
    from textapps.evaluation.reports.language import language_sections

    summary, baseline = evaluation.summary, evaluation.baseline
    sections = language_sections(
        evaluation.examples.text,
        evaluation.nats,
        metrics=summary["metrics"],
        ngrams=baseline.nats,
        order=baseline.order,
        samples=evaluation.samples,
        real=evaluation.real,
        history=read_history(generator.run),
    )
    more = {"vocabulary": f"{len(generator.preprocessor.vocabulary) - FIRST:,} characters"}
    model = generator.config.model
    if model.ngrams:
        share = f"{100 * model.ngram_share:g} % of each probability"
        more["n-grams"] = f"up to {model.ngrams} characters, {share}"
    return Report(
        f"Text: {generator.config.backbone.kind} on {summary['data']}",
        facts(generator, summary, "characters", **more),
        sections,
    )
