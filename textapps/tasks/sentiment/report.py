"""The report on a classifier."""

from textapps.evaluation.reports.sections import Report
from textapps.tasks.report import facts
from textapps.tasks.sentiment.evaluate import SentimentEvaluation, stored_baseline
from textapps.tasks.sentiment.predictor import SentimentClassifier
from textapps.training.history import read_history


def report(classifier: SentimentClassifier, evaluation: SentimentEvaluation) -> Report:
    """The figures, curves and mistakes of a classifier, beside the baseline if there is one."""
    # Imported here because the plotting library is slow to import.
    from textapps.evaluation.reports.classification import classifier_sections

    config, summary, examples = classifier.config, evaluation.summary, evaluation.examples
    baseline = stored_baseline(evaluation, classifier.run)
    tokens = config.preprocessor.tokens
    in_words = tokens == "word"
    sections = classifier_sections(
        examples.labels,
        evaluation.scores,
        examples.label_names,
        metrics=summary["metrics"],
        examples=examples.texts,
        lengths=[len(text.split()) if in_words else len(text) for text in examples.texts],
        length_unit="words" if in_words else "characters",
        history=read_history(classifier.run),
        baseline=("NB-SVM", baseline.scores) if baseline else None,
        threshold=evaluation.threshold,
    )
    vocabulary = f"{classifier.preprocessor.vocabulary_size:,} {tokens}s"
    return Report(
        f"Sentiment: {config.backbone.kind} on {summary['data']}",
        facts(classifier, summary, "examples", vocabulary=vocabulary),
        sections,
    )
