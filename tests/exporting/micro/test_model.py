"""Models in integers, and what TensorFlow Lite Micro lacks."""

import numpy as np
import pytest
import tensorflow as tf

from textapps.core.errors import ExportError
from textapps.exporting.lite import LiteModel
from textapps.exporting.micro.model import MicroModel

SPEC = tf.TensorSpec([1, 7, 5], tf.float32, "features")


def samples(count=40, seed=1):
    return list(np.random.default_rng(seed).normal(size=(count, 1, 7, 5)).astype("float32"))


def dense(features):
    weights = np.random.default_rng(2).normal(size=(5, 3)).astype("float32")
    return {"scores": tf.nn.softmax(tf.matmul(tf.reduce_mean(features, axis=1), weights))}


def test_integers_in_and_out():
    micro = MicroModel(dense, SPEC, samples())
    assert micro.operations == ("FULLY_CONNECTED", "MEAN", "SOFTMAX")
    model = LiteModel(micro.content)
    (scale, zero), (out_scale, out_zero) = model.quantization
    assert (out_scale, out_zero) == (1 / 256, -128)
    for x in samples(9, seed=3):
        rounded = np.clip(np.rint(x / scale) + zero, -128, 127)
        scores = model(rounded)
        assert scores.dtype == np.int8
        expected = dense(tf.constant(x))["scores"]
        np.testing.assert_allclose(out_scale * (scores - float(out_zero)), expected, atol=0.04)


def test_what_it_lacks_is_named():
    def sine(features):
        return {"scores": tf.sin(features)}

    with pytest.raises(ExportError, match=r"(cannot run this model|not in integers): "):
        MicroModel(sine, SPEC, samples())

    def tanh(features):
        return {"scores": tf.tanh(features)}

    with pytest.raises(ExportError, match="Micro cannot run this model: TANH"):
        MicroModel(tanh, SPEC, samples())
