"""Seeds and precision, which must be set before a model is built."""

import contextlib
import random
from collections.abc import Iterator

import keras
import numpy as np


def seed_everything(seed: int) -> None:
    """Seeds Python, from which Keras draws its seeds, and NumPy, so that CPU runs are bit-equal.

    It determines initial weights and dropout masks. The order of batches depends only on the
    plan's seed. TensorFlow's own seed is not set: nothing here draws from it, and setting it drops
    resources such as the subword model of a loaded translator.
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


@contextlib.contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Seeds as `seed_everything` within the block; after it, draws go on as without the block."""
    before, arrays = random.getstate(), np.random.get_state()
    seed_everything(seed)
    try:
        yield
    finally:
        random.setstate(before)
        np.random.set_state(arrays)
