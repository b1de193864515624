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
