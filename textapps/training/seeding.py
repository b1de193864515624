"""What must be set before a model is built."""

import contextlib
import random
from collections.abc import Iterator

import keras
import numpy as np


def seed_everything(seed: int) -> None:
    """Seeds Python, from which Keras draws its seeds, and NumPy; CPU runs then repeat bit for bit.

    Initial weights and dropout masks follow from it. The order of batches does not: it follows
    from the seed of the plan alone. TensorFlow's own seed is left alone: nothing here draws from
    it, and to set it drops resources such as the subwords of a translator that is loaded.
    """
    random.seed(seed)
    np.random.seed(seed)


@contextlib.contextmanager
def precision(mixed: bool) -> Iterator[None]:
    """Layers built in the block compute in bfloat16 if `mixed`; their weights stay float32."""
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy("mixed_bfloat16" if mixed else before)
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)
