"""The answers of a classifier, whatever it classifies."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray


class Classification(NamedTuple):
    """A label, its probability, and the probabilities of all labels in their order."""

    label: str
    probability: float
    scores: tuple[float, ...]


def classify(logits: Any, labels: Sequence[str]) -> dict[str, Any]:
    """The outputs of a classifier's signature, in the graph.

    Args:
        logits: float32[batch, labels].

    Returns:
        label string[batch], its probability float32[batch], and scores float32[batch, labels], the
        probabilities of all labels.
    """
    scores = tf.nn.softmax(logits)
    return {
        "label": tf.gather(tf.constant(labels), tf.argmax(scores, axis=-1)),
        "probability": tf.reduce_max(scores, axis=-1),
        "scores": scores,
    }


def classifications(scores: NDArray[np.float32], labels: Sequence[str]) -> list[Classification]:
    """One answer for each row of scores, float32[examples, labels].

    >>> classifications(np.array([[0.25, 0.75]]), ["neg", "pos"])
    [Classification(label='pos', probability=0.75, scores=(0.25, 0.75))]
    """
    return [
        Classification(labels[best], float(row[best]), tuple(map(float, row)))
        for row in scores
        for best in [int(np.argmax(row))]
    ]
