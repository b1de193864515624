"""A linear path beside the backbone: one weight for each n-gram that a text holds."""

import itertools
from typing import Any

import keras
import numpy as np
from keras import ops

# With two classes the difference of the logits starts at 0.02 of that of naive Bayes, which counts
# dependent n-grams many times. Starts from 0.01 to 0.05 led to the same results.
INITIAL_WEIGHT = 0.01
_FEATURES_AT_ONCE = 1 << 22


class NgramPath(keras.layers.Layer):
    """Naive Bayes features with learned weights (Wang and Manning 2012, section 2.3).

    logits[c] = bias[c] + sum over the n-grams f of a text of ratio[f, c] · weight[f, c]. The ratio
    is the log-count ratio of class c against the others; `adapt` sets it before training. The
    weights start equal, which is naive Bayes.
    """

    def __init__(self, features: int, classes: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.shape = (features + 1, classes)

    def build(self, inputs_shape: Any = None) -> None:
        """Creates the tables; row 0 stands for padding and stays zero."""
        self.ratio = self.add_weight(self.shape, "zeros", trainable=False, name="ratio")
        start = keras.initializers.Constant(INITIAL_WEIGHT)
        self.weight = self.add_weight(self.shape, start, name="weight")
        self.bias = self.add_weight(self.shape[1:], "zeros", name="bias")
        self.built = True

    def adapt(self, features: Any, row_splits: Any, labels: Any) -> None:
        """Sets the log-count ratios from the training split.

        Args:
            features, row_splits: as `NgramIndex.encode` gives them.
            labels: int32[texts], or the probabilities of the classes, float32[texts, classes],
                of which an n-gram gets its shares.
        """
        self.adapt_to(class_counts(features, row_splits, labels, *self.shape))

    def adapt_to(self, counts: Any) -> None:
        """The same, given how many texts of each class have each feature, as `class_counts`."""
        ratio = log_count_ratios(counts[1:])
        self.ratio.assign(np.concatenate([np.zeros((1, self.shape[1])), ratio]))

    def call(self, features: Any) -> Any:
        """int32[batch, n], padded with 0 → float32[batch, classes]."""
        return ops.sum(ops.take(self.ratio * self.weight, features, axis=0), axis=1) + self.bias

    def terms(self, features: Any) -> Any:
        """int32[any shape] → float32[any shape, classes]: what each n-gram adds to the logits."""
        return ops.take(self.ratio, features, axis=0) * ops.take(self.weight, features, axis=0)


def class_counts(features: Any, row_splits: Any, labels: Any, rows: int, classes: int) -> Any:
    """float64[rows, classes]: how many texts of each class have each feature.

    Args:
        features, row_splits, labels: as `NgramPath.adapt` takes them.
        rows: one more than the largest feature.
    """
    if labels.ndim > 1:
        lengths = np.diff(row_splits)
        found = [np.bincount(features, np.repeat(share, lengths), rows) for share in labels.T]
        return np.stack(found, axis=1)
    counts = np.zeros(rows * classes, np.int64)
    starts = np.arange(0, row_splits[-1], _FEATURES_AT_ONCE)
    bounds = np.unique([*np.searchsorted(row_splits, starts, "right") - 1, len(labels)])
    for first, end in itertools.pairwise(bounds):
        own = features[row_splits[first] : row_splits[end]].astype(np.int64)
        of = np.repeat(labels[first:end], np.diff(row_splits[first : end + 1]))
        counts += np.bincount(own * classes + of, minlength=len(counts))
    return counts.reshape(rows, classes).astype(np.float64)


def log_count_ratios(counts: Any) -> Any:
    """How strongly each n-gram speaks for each class against the others, smoothed by 1.

    Args:
        counts: float[n-grams, classes].

    Returns:
        float[n-grams, classes].
    """
    own, rest = 1.0 + counts, 1.0 + counts.sum(axis=1, keepdims=True) - counts
    return np.log(own / own.sum(axis=0)) - np.log(rest / rest.sum(axis=0))
