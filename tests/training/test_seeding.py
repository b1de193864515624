import keras

from textapps.training.seeding import precision, seed_everything


def test_same_seed_same_weights():
    def weights(seed):
        seed_everything(seed)
        return keras.layers.Dense(3), keras.random.uniform((4,)).numpy().tolist()

    assert weights(3)[1] == weights(3)[1] != weights(4)[1]


def test_precision_holds_in_the_block_only():
    before = keras.config.dtype_policy().name
    with precision(True):
        assert keras.layers.Dense(3).compute_dtype == "bfloat16"
    with precision(False):
        assert keras.layers.Dense(3).compute_dtype == "float32"
    assert keras.config.dtype_policy().name == before
