"""Macro F1 as a metric of training and validation."""

from collections.abc import Callable
from typing import Any

import keras
from keras import ops


class MacroF1(keras.metrics.Metric):
    """The mean of the F1 scores of the classes, as `evaluate` has it.

    A class that has no examples and is never predicted does not count. It keeps the confusion
    matrix, because the F1 of a batch says nothing of that of all.

    Args:
        classes: their number.
        logits: makes float32[batch, classes] of the outputs of the model, if they differ.
    """

    def __init__(
        self, classes: int, logits: Callable[[Any], Any] = lambda outputs: outputs
    ) -> None:
        super().__init__(name="macro_f1")
        self.classes = classes
        self.logits = logits
        self.matrix = self.add_variable((classes, classes), "zeros", name="matrix")

    def update_state(self, labels: Any, outputs: Any, sample_weight: Any = None) -> None:
        """Counts examples: labels, outputs, and float32[batch], 0 for padding.

        Of labels that are probabilities, float[batch, classes], the likeliest counts.
        """
        predicted = ops.one_hot(ops.argmax(self.logits(outputs), axis=-1), self.classes)
        labels = ops.argmax(labels, axis=-1) if len(labels.shape) > 1 else labels
        truth = ops.one_hot(ops.cast(labels, "int32"), self.classes)
        if sample_weight is not None:
            truth = truth * ops.cast(sample_weight, truth.dtype)[:, None]
        counts = ops.matmul(ops.transpose(truth), predicted)
        self.matrix.assign_add(ops.cast(counts, self.matrix.dtype))

    def result(self) -> Any:
        """float32[]."""
        matrix = ops.convert_to_tensor(self.matrix)
        both = ops.sum(matrix, axis=0) + ops.sum(matrix, axis=1)
        seen = ops.cast(both > 0, matrix.dtype)
        scores = 2 * ops.diagonal(matrix) / ops.maximum(both, 1)
        return ops.sum(scores) / ops.maximum(ops.sum(seen), 1)
