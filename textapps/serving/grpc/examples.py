"""The tf.Examples of requests to classify and regress, and the answers to these."""

from typing import Any

import numpy as np
from tensorflow_serving.apis import classification_pb2, regression_pb2

from textapps.savedmodel.errors import BadInput
from textapps.savedmodel.signature import Arrays
from textapps.serving.examples import classes_of, values_of


def read_examples(request_input: Any) -> np.ndarray:
    """object[examples] of bytes, each a serialized tf.Example, from an `Input`.

    The features of a context are those of every example, unless it has its own of the name.

    Raises BadInput if there are no examples.
    """
    kind = request_input.WhichOneof("kind")
    listed = getattr(request_input, kind).examples if kind else ()
    if not listed:
        raise BadInput("Input is empty.")
    context = b""
    if kind == "example_list_with_context":
        context = request_input.example_list_with_context.context.SerializeToString()
    examples = np.empty(len(listed), dtype=object)
    # Messages after one another are one that has the fields of both, and the later ones count.
    for number, example in enumerate(listed):
        examples[number] = context + example.SerializeToString()
    return examples


def classification(outputs: Arrays, examples: int) -> classification_pb2.ClassificationResponse:
    """The answer of a signature for classification. Raises BadInput if it gives no classes."""
    labels, scores = classes_of(outputs, examples)
    answer = classification_pb2.ClassificationResponse()
    for row, row_scores in zip(labels, scores.tolist(), strict=True):
        classes = answer.result.classifications.add().classes
        for label, score in zip(row, row_scores, strict=True):
            classes.add(label=label.decode(errors="replace"), score=score)
    return answer


def regression(outputs: Arrays, examples: int) -> regression_pb2.RegressionResponse:
    """The answer of a signature for regression. Raises BadInput if it gives no values."""
    answer = regression_pb2.RegressionResponse()
    for value in values_of(outputs, examples).tolist():
        answer.result.regressions.add(value=value)
    return answer
