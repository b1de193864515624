"""The report on a translator."""

from pathlib import Path

from textapps.evaluation.reports.sections import Report
from textapps.tasks.report import facts
from textapps.tasks.translate.evaluate import TranslateEvaluation
from textapps.tasks.translate.predictor import Translator
from textapps.training.history import read_history


def report(translator: Translator, evaluation: TranslateEvaluation) -> Report:
    """The figures, curves, sentences and attention maps of a translator."""
    # Imported here because the plotting library is slow to import.
    from textapps.evaluation.reports.translation import translation_sections

    config, summary, tokenizers = translator.config, evaluation.summary, translator.preprocessor
    sections = translation_sections(
        evaluation.examples.sources,
        evaluation.scored,
        metrics=summary["metrics"],
        history=read_history(translator.run),
        maps=evaluation.maps,
        searches=evaluation.searches,
        advice=evaluation.advice,
    )
    vocabulary = f"{tokenizers.target.vocabulary_size:,} {config.preprocessor.tokens}s"
    own = facts(
        translator,
        summary,
        "sentences",
        vocabulary=vocabulary + (", joint" if tokenizers.joint else ""),
    )
    if config.data.source_file:
        own["trained on"] = Path(config.data.source_file).name
    own["decoding"] = evaluation.searches[0].name
    title = f"Translation: {config.backbone.kind} on {summary['data']}"
    return Report(title, own, sections)
