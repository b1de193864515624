"""The stack of convolutions: training, and that it converts; its laws stand in test_contract."""

import numpy as np
import pytest
import tensorflow as tf

from tests.backbones.maps import FEATURES, STEMS, TIME, built
from textapps.exporting.lite import LiteModel, convert


@pytest.mark.parametrize("name", STEMS)
def test_gradients_reach_every_weight_in_training(name):
    stem, x = built(f"stem {name}").layer, built(f"stem {name}").inputs()
    with tf.GradientTape() as tape:
        outputs, _, _ = stem(x, training=True)
        total = tf.reduce_sum(outputs**2)
    for weight, gradient in zip(
        stem.trainable_variables, tape.gradient(total, stem.trainable_variables), strict=True
    ):
        assert gradient is not None, weight.path
        assert np.isfinite(gradient).all()


@pytest.mark.parametrize("name", STEMS)
def test_converts_to_builtin_operations(name):
    made = built(f"stem {name}", causal=False)
    stem, x = made.layer, made.inputs()[:1]
    spec = tf.TensorSpec([1, TIME, FEATURES], name="x")
    content = convert(lambda x: {"outputs": stem(x)[0]}, [spec])
    np.testing.assert_allclose(LiteModel(content)(x), stem(x)[0], atol=1e-4, rtol=1e-4)
