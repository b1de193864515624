"""The answers to requests to classify and regress."""

from tensorflow_serving.apis import classification_pb2, regression_pb2

from textapps.savedmodel.signature import Arrays
from textapps.serving.examples import classes_of, values_of


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
