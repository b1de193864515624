"""Choosing the threshold of a classifier of two classes, on the validation split."""

from typing import Literal

from textapps.core.errors import ConfigurationError
from textapps.core.notices import notice
from textapps.datasets.texts.examples import LabelledTexts
from textapps.evaluation.metrics.thresholds import best_threshold
from textapps.tasks.evaluation import load_evaluated
from textapps.tasks.registry import get_task
from textapps.tasks.sentiment.predictor import SentimentClassifier
from textapps.training.decision import write_threshold
from textapps.training.run_keeping import check_own


def decide_by(classifier: SentimentClassifier, wanted: float | Literal["auto", "none"]) -> None:
    """Gives the classifier and its run a threshold on the score of the second class.

    Args:
        wanted: "auto" for the one with the highest macro F1 on the validation split of the run's
            own data, "none" to take it away, or the threshold itself, between 0 and 1.

    Raises:
        ConfigurationError: there are not two classes.
        DataError: the validation split is missing.
        RunError: the run cannot be written.
    """
    check_own(classifier.run)
    labels = classifier.labels
    if len(labels) != 2:
        raise ConfigurationError(
            f"a threshold tells two classes apart, but {classifier.run.path} has {len(labels)}"
        )
    threshold = wanted if isinstance(wanted, float) else None
    if wanted == "auto":
        validation: LabelledTexts = load_evaluated(
            get_task("sentiment"), classifier, split="validation"
        )
        choice = best_threshold(validation.labels, classifier.scores(validation.texts))
        threshold = choice.threshold
        notice(
            "%s from a score of %.4f on: macro F1 on validation %.4f, %.4f without a threshold",
            labels[1],
            choice.threshold,
            choice.macro_f1,
            choice.without,
        )
    write_threshold(classifier.run, threshold)
    classifier.set_up()
