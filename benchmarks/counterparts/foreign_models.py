"""SavedModels that textapps did not export, for the serving benchmarks.

    python -m benchmarks.counterparts.foreign_models DIRECTORY

writes `DIRECTORY/<name>/1` for each: models from `number` to `answer` whose rows depend on each
other, and models that take or give much.
"""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import tensorflow as tf

Signature = tuple[Callable[..., Any], tuple[tf.TensorSpec, ...]]

NUMBERS = (tf.TensorSpec([None], tf.float32, "number"),)
# benchmarks/suites/hostile.py computes the same with NumPy.
DEPENDENT: dict[str, Callable[[Any], Any]] = {
    "deviation": lambda number: number - tf.reduce_mean(number),
    "rank": lambda number: tf.cast(tf.argsort(tf.argsort(number, stable=True)), tf.float32),
    "running-sum": tf.cumsum,
    "reverse": lambda number: number[::-1],
    "share": lambda number: tf.nn.softmax(number),
}
LARGE: dict[str, Signature] = {
    "lengths": (
        lambda text: {"length": tf.strings.length(text)},
        (tf.TensorSpec([None], tf.string, "text"),),
    ),
    "totals": (
        lambda rows: {"total": tf.reduce_sum(rows, -1)},
        (tf.TensorSpec([None, 3], tf.float32, "rows"),),
    ),
    "zeros": (
        lambda count: {"zeros": tf.zeros([tf.size(count), tf.reduce_max(count)])},
        (tf.TensorSpec([None], tf.int32, "count"),),
    ),
}


def dependent(function: Callable[[Any], Any]) -> Signature:
    """A model that gives a number for each number."""
    return lambda number: {"answer": function(number)}, NUMBERS


def main(directory: str) -> None:
    models = {name: dependent(function) for name, function in DEPENDENT.items()} | LARGE
    for name, (function, specs) in models.items():
        traced = tf.function(function, input_signature=specs, autograph=False)
        tf.saved_model.save(
            tf.Module(), str(Path(directory, name, "1")), signatures=traced.get_concrete_function()
        )


if __name__ == "__main__":
    main(*sys.argv[1:])
