"""The sections of a report on a classifier, of texts or audio."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from textapps.core.counted import counted
from textapps.evaluation.metrics.bootstrap import paired_bootstrap
from textapps.evaluation.metrics.classification import (
    classification_metrics,
    confusion_matrix,
    length_accuracy,
    most_confident_mistakes,
    per_class_table,
)
from textapps.evaluation.metrics.differences import FEWEST
from textapps.evaluation.metrics.thresholds import predicted
from textapps.evaluation.reports import plots
from textapps.evaluation.reports.precision_recall import tradeoff
from textapps.evaluation.reports.sections import (
    NAMES,
    TOO_FEW,
    Headline,
    Plot,
    Section,
    Table,
    Texts,
    figure,
    percent,
)


def classifier_sections(
    labels: npt.ArrayLike,
    scores: npt.ArrayLike,
    label_names: Sequence[str],
    *,
    metrics: Mapping[str, float],
    examples: Sequence[str],
    lengths: npt.ArrayLike,
    length_unit: str,
    history: Sequence[Mapping[str, Any]] = (),
    baseline: tuple[str, npt.ArrayLike] | None = None,
    threshold: float | None = None,
    seed: int = 0,
) -> list[Section]:
    """Results, comparison, curves, confusion, calibration, lengths, classes and mistakes.

    Args:
        labels: int[n], the true classes.
        scores: float[n, classes], probabilities.
        label_names: the name of each class.
        metrics: the result of `classification_metrics` for labels and scores.
        examples: the text to show for each example, or the name of its clip.
        lengths: int[n], in `length_unit` ("words").
        history: the rows of history.csv.
        baseline: name and scores float[n, classes] of another model on the same examples.
        threshold: of two classes, the score of the second from which it is the answer.
        seed: for resampling.
    """
    correct = predicted(scores, threshold) == np.asarray(labels)
    sections: list[Section] = [results(metrics, len(correct))]
    if baseline:
        sections.append(_comparison(np.asarray(labels), correct, metrics, *baseline, seed=seed))
    return [
        *sections,
        *answer_plots(labels, scores, label_names, history, threshold),
        Plot(
            "Accuracy by length",
            plots.accuracy_by_length(length_accuracy(lengths, correct), length_unit),
            f"Accuracy of groups of examples by their length in {length_unit}.",
            "Groups of about equally many examples, with 95 % intervals.",
        ),
        *_trade(labels, scores, label_names, threshold),
        classes(labels, scores, label_names, threshold),
        mistakes(labels, scores, label_names, examples, threshold),
    ]


def results(metrics: Mapping[str, float], examples: int) -> Headline:
    """The main metrics, with their intervals."""
    return Headline(
        "Results",
        [(NAMES[name], *figure(metrics, name)) for name in NAMES if name in metrics],
        f"On {counted(examples, 'example')}. The 95 % interval is below each metric.",
    )


def answer_plots(
    labels: npt.ArrayLike,
    scores: npt.ArrayLike,
    label_names: Sequence[str],
    history: Sequence[Mapping[str, Any]] = (),
    threshold: float | None = None,
) -> list[Plot]:
    """Curves, if there is a history, confusion and calibration.

    Arguments as in `classifier_sections`.
    """
    matrix = confusion_matrix(labels, scores, threshold)
    curves = Plot(
        "Learning curves",
        plots.learning_curves(history),
        "Loss and accuracy on training and validation examples over the training steps.",
    )
    return [
        *([curves] if history else []),
        Plot(
            "Confusion matrix",
            plots.confusion(matrix, label_names),
            f"The diagonal has the correct ones: {int(np.trace(matrix)):,} of "
            f"{counted(int(matrix.sum()), 'example')}.",
            "Darker cells: a larger share of the true class.",
        ),
        Plot(
            "Calibration",
            plots.reliability(labels, scores, threshold),
            "Share of correct predictions against the score of the predicted class.",
            "Below the dotted line the model is overconfident; above it, underconfident.",
        ),
    ]


def _trade(
    labels: npt.ArrayLike,
    scores: npt.ArrayLike,
    label_names: Sequence[str],
    threshold: float | None,
) -> list[Plot]:
    """The precision-recall curve of the second of two classes, if it has examples."""
    if len(label_names) != 2 or not np.any(np.asarray(labels) == 1):
        return []
    name = label_names[1]
    note = (
        f"A threshold chooses a point of the curve. `evaluate --threshold auto` chooses it on "
        f"validation; without one, {name} is the answer from a score of 0.5 on."
        if threshold is None
        else f"The point is the threshold of the run, {threshold:.4f}; the ring is 0.5."
    )
    return [
        Plot(
            "Precision and recall",
            tradeoff(labels, scores, threshold),
            f"Precision of {name} over its recall, for all thresholds.",
            note,
        )
    ]


def classes(
    labels: npt.ArrayLike,
    scores: npt.ArrayLike,
    label_names: Sequence[str],
    threshold: float | None = None,
) -> Table:
    """Precision, recall and F1 of each class."""
    return Table(
        "Classes",
        ("Class", "Precision", "Recall", "F1", "Examples"),
        per_class_table(labels, scores, label_names, threshold),
    )


def mistakes(
    labels: npt.ArrayLike,
    scores: npt.ArrayLike,
    label_names: Sequence[str],
    examples: Sequence[str],
    threshold: float | None = None,
) -> Texts:
    """The wrong predictions with the highest scores."""
    return Texts(
        "Most confident mistakes",
        [
            (
                f"{label_names[m.predicted]} ({percent(m.probability)}), "
                f"labelled {label_names[m.label]}",
                m.text,
            )
            for m in most_confident_mistakes(examples, labels, scores, threshold=threshold)
        ],
    )


def _comparison(
    labels: npt.NDArray[Any],
    correct: npt.NDArray[np.bool_],
    metrics: Mapping[str, float],
    name: str,
    scores: npt.ArrayLike,
    *,
    seed: int,
) -> Table:
    theirs = classification_metrics(labels, scores, resamples=0)
    rows = [
        (NAMES[key], figure(metrics, key)[0], figure(theirs, key)[0])
        for key in NAMES
        if key in metrics and key in theirs
    ]
    other = np.argmax(np.asarray(scores), axis=1) == labels
    paired = paired_bootstrap(correct, other, seed=seed)
    chance = f"p = {paired.p_value:.4f}" if paired.p_value else "p < 0.0001"
    found = (
        f"95 % interval {100 * paired.low:+.2f} to {100 * paired.high:+.2f}, {chance} that "
        "this model is not better (paired bootstrap on the same examples)."
    )
    return Table(
        f"Comparison with {name}",
        ("", "This model", name),
        rows,
        f"Accuracy difference {100 * paired.difference:+.2f} points, "
        f"{found if len(labels) >= FEWEST else TOO_FEW}",
    )
