"""A classifier's part of a comparison with others on the same texts."""

from collections.abc import Mapping

import numpy as np

from textapps.datasets.texts.examples import LabelledTexts
from textapps.evaluation.metrics.classification import ClassifierFigures, classification_metrics
from textapps.evaluation.metrics.thresholds import predicted
from textapps.evaluation.reports.sections import percent
from textapps.tasks.answered import ASKED, Answered, Ask, in_order_of, spread
from textapps.tasks.sentiment.predictor import SentimentClassifier


def answered(classifier: SentimentClassifier, examples: LabelledTexts) -> Answered:
    """The classifier's answers to the texts, in whatever order the labels of the texts are."""
    names, labels = examples.label_names, examples.labels
    scores = in_order_of(classifier.scores(examples.texts), classifier.labels, names)
    threshold = classifier.threshold
    if threshold is not None and classifier.labels != names:
        threshold = 1 - threshold  # that of the other label
    given = predicted(scores, threshold)

    def item(row: int) -> Mapping[str, str]:
        return {
            "": f"example {row + 1:,}, labelled {names[labels[row]]}",
            "Text": " ".join(examples.texts[row].split()),
        }

    return Answered(
        identity=examples.fingerprint,
        metrics=classification_metrics(labels, scores, threshold=threshold),
        scored=ClassifierFigures(labels, scores, threshold),
        merit=(given == labels).astype(np.float64),
        exact=True,
        noun="example",
        item=item,
        told=lambda row: f"{names[given[row]]} ({percent(float(scores[row, given[row]]))})",
        ask=asking(classifier, examples),
        asked=f"{ASKED} texts from all over the split",
        note="" if threshold is None else f"answers {names[1]} from a score of {threshold:.4f} on",
    )


def asking(classifier: SentimentClassifier, examples: LabelledTexts) -> Ask:
    """Classifies some of the texts."""
    texts = [examples.texts[row] for row in spread(len(examples))]
    return lambda count: classifier.scores(texts[:count])
