import keras
import numpy as np

from textapps.training.seeding import precision, seed_everything


def test_same_seed_same_weights_and_masks():
    def drawn(seed):
        seed_everything(seed)
        dense, dropout = keras.layers.Dense(3), keras.layers.Dropout(0.5)
        dense.build((None, 2))
        mask = dropout(np.ones((5, 7), "float32"), training=True).numpy()
        return dense.get_weights()[0].tolist(), mask.tolist(), np.random.random()

    first, again, other = drawn(3), drawn(3), drawn(4)
    assert first == again
    assert all(one != another for one, another in zip(first, other, strict=True))


def test_precision_holds_in_the_block_only():
    before = keras.config.dtype_policy().name
    with precision(True):
        assert keras.layers.Dense(3).compute_dtype == "bfloat16"
    with precision(False):
        assert keras.layers.Dense(3).compute_dtype == "float32"
    assert keras.config.dtype_policy().name == before
