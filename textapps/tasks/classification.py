"""What classifiers have in common, whatever they classify: answers, and what training optimises."""

from collections.abc import Callable, Sequence
from typing import Any, Literal, NamedTuple

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from textapps.core.notices import notice
from textapps.datasets.labels import unequal
from textapps.evaluation.metrics.thresholds import predicted
from textapps.tasks.task import Objective
from textapps.training.class_balance import balanced_weights
from textapps.training.config import ClassifierTrainingConfig
from textapps.training.macro_f1 import MacroF1

BEST = {"accuracy": "accuracy {:.4f}", "macro_f1": "macro F1 {:.4f}", "loss": "loss {:.4f}"}
"""How the best value of each metric that can be monitored is printed."""


class Classification(NamedTuple):
    """A label, its probability, and the probabilities of all labels in their order."""

    label: str
    probability: float
    scores: tuple[float, ...]


def named_fields(
    answer: Classification, labels: Sequence[str], top_k: int | None = None
) -> dict[str, Any]:
    """The answer for `predict`: with `probabilities`, the scores by label.

    They are in the order of the scores; with `top_k` only the largest, the largest first.

    >>> answer = Classification("b", 0.5, (0.2, 0.5, 0.3))
    >>> named_fields(answer, ["a", "b", "c"], top_k=2)["probabilities"]
    {'b': 0.5, 'c': 0.3}
    """
    named = dict(zip(labels, answer.scores, strict=True))
    if top_k is not None:
        named = dict(sorted(named.items(), key=lambda item: -item[1])[:top_k])
    return {**answer._asdict(), "probabilities": named}


def classify(logits: Any, labels: Sequence[str], threshold: float | None = None) -> dict[str, Any]:
    """The outputs of a classifier's signature, in the graph.

    Args:
        logits: float32[batch, labels].
        threshold: as in `chosen`.

    Returns:
        label string[batch], its probability float32[batch], and scores float32[batch, labels], the
        probabilities of all labels.
    """
    scores = tf.nn.softmax(logits)
    if threshold is None:
        index, probability = tf.argmax(scores, axis=-1), tf.reduce_max(scores, axis=-1)
    else:
        index = chosen(scores, threshold)
        probability = tf.gather(scores, index, batch_dims=1)
    return {
        "label": tf.gather(tf.constant(labels), index),
        "probability": probability,
        "scores": scores,
    }


def chosen(scores: Any, threshold: float | None = None) -> Any:
    """float32[batch, labels] → int32[batch], in the graph: the label with the largest score.

    With a threshold it is the second of two labels where its score is not below it.
    """
    if threshold is None:
        return tf.argmax(scores, axis=1, output_type=tf.int32)
    return tf.cast(scores[:, 1] >= threshold, tf.int32)


def label_index(
    label: Any, logits: Any, labels: Sequence[str], threshold: float | None = None
) -> Any:
    """string[batch], "" for the answer, and float32[batch, labels] → int32[batch], in the graph.

    The call fails with InvalidArgumentError if a label is none of `labels`.
    """
    same = label[:, None] == tf.constant(labels)
    known = tf.reduce_any(same, axis=1)
    check = tf.debugging.Assert(
        tf.reduce_all(known | (label == "")),
        [f"label must be one of {', '.join(labels)}, or empty for the answer"],
    )
    with tf.control_dependencies([check]):
        named = tf.argmax(tf.cast(same, tf.int32), axis=1, output_type=tf.int32)
    scores = logits if threshold is None else tf.nn.softmax(logits)
    return tf.where(known, named, chosen(scores, threshold))


def classifications(
    scores: NDArray[np.float32], labels: Sequence[str], threshold: float | None = None
) -> list[Classification]:
    """One answer for each row of scores, float32[examples, labels].

    >>> classifications(np.array([[0.25, 0.75]]), ["neg", "pos"])
    [Classification(label='pos', probability=0.75, scores=(0.25, 0.75))]
    """
    return [
        Classification(labels[best], float(row[best]), tuple(map(float, row)))
        for row, best in zip(scores, predicted(scores, threshold).tolist(), strict=True)
    ]


def settled(
    training: ClassifierTrainingConfig,
    usual: str,
    name: str,
    label_names: Sequence[str],
    labels: NDArray[np.int32],
) -> ClassifierTrainingConfig:
    """The section with the metric that `monitor = "auto"` stands for; a notice says why.

    Args:
        usual: the metric where classes are equal.
        name: the data, for the notice.
        labels: int32[n], of the training examples that count.
    """
    if training.monitor != "auto":
        return training
    counts = np.bincount(labels, minlength=len(label_names)).tolist()
    told = unequal(dict(zip(label_names, counts, strict=True)))
    if told:
        notice(
            "%s: %s in train, so macro F1 selects the best weights (--monitor); "
            "--class-weights balanced or --oversample gives small classes more weight",
            name,
            told,
        )
    return training.model_copy(update={"monitor": "macro_f1" if told else usual})


def classifier_objective(
    loss: Callable[[Any, Any], Any],
    accuracy: Any,
    training: ClassifierTrainingConfig,
    usual: str,
    *,
    classes: int,
    labels: NDArray[np.int32],
    logits: Callable[[Any], Any] = lambda outputs: outputs,
) -> Objective:
    """What training optimises and monitors.

    Args:
        loss: of labels int32[batch] and the model's outputs, float32[batch].
        accuracy: Keras's metric of the same.
        usual: the metric to monitor in a run of an earlier version, which names none.
        labels: int32[n], of the examples of a pass, for class weights.
        logits: makes float32[batch, classes] of the model's outputs.
    """
    monitor = usual if training.monitor == "auto" else training.monitor
    mode: Literal["max", "min"] = "min" if monitor == "loss" else "max"
    # An earlier run goes on with the columns that its history.csv has.
    more = [MacroF1(classes, logits)] if monitor == "macro_f1" else []
    weights = balanced_weights(labels, classes) if training.class_weights == "balanced" else None
    return Objective(loss, [accuracy, *more], f"val_{monitor}", mode, class_weights=weights)
