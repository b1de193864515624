"""Files for LiteRT."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from textapps.core.errors import ExportError
from textapps.exporting.lite import LiteModel, convert
from textapps.training.seeding import seed_everything


@pytest.fixture(scope="module")
def layer():
    """A recurrence and a wide layer: float32[1, 7, 5] → float32[1, 3]."""
    seed_everything(2)  # Keras's own would drop the subword models of other tests
    layers = [keras.layers.GRU(64, use_cudnn=False), keras.layers.Dense(3)]

    def answer(frames):
        for each in layers:
            frames = each(frames)
        return {"scores": frames}

    answer(tf.zeros([1, 7, 5]))
    return answer


SPEC = tf.TensorSpec([1, 7, 5], tf.float32, "frames")


def test_a_file_answers_as_the_function(layer):
    content, small = convert(layer, [SPEC]), convert(layer, [SPEC], int8=True)
    assert len(small) < 0.6 * len(content)
    whole, rounded = LiteModel(content), LiteModel(small, threads=2)
    for seed in range(3):
        x = np.random.RandomState(seed).normal(size=(1, 7, 5))
        expected = layer(tf.constant(x, tf.float32))["scores"].numpy()
        np.testing.assert_allclose(whole(x), expected, atol=1e-5)
        gap = np.abs(rounded(x) - expected).max()
        assert 0 < gap < 0.1


@pytest.mark.filterwarnings("ignore:[\\s\\S]*tf.lite.Interpreter is deprecated")
@pytest.mark.parametrize("int8", [False, True])
def test_input_and_output_have_names(layer, int8):
    content = convert(layer, [SPEC], int8=int8)
    interpreter = tf.lite.Interpreter(model_content=content)
    assert interpreter.get_signature_list() == {
        "serving_default": {"inputs": ["frames"], "outputs": ["scores"]}
    }
    x = np.random.RandomState(4).normal(size=(1, 7, 5)).astype(np.float32)
    answer = interpreter.get_signature_runner()(frames=x)["scores"]
    np.testing.assert_allclose(answer, layer(tf.constant(x))["scores"], atol=0.1 if int8 else 1e-5)


def test_nothing_is_written_to_stderr(layer, capfd):
    LiteModel(convert(layer, [SPEC], int8=True))(np.zeros((1, 7, 5)))
    assert capfd.readouterr().err == ""


def test_what_it_has_not_is_refused():
    def lower(x):
        return {"length": tf.strings.length(tf.strings.as_string(x))}

    with pytest.raises(ExportError, match="LiteRT cannot run this model"):
        convert(lower, [tf.TensorSpec([1, 2], tf.float32, "x")])


def test_several_inputs_and_outputs():
    def answer(frames, past):
        return {"sum": past + tf.reduce_sum(frames, axis=1), "past": 2 * past}

    specs = [SPEC, tf.TensorSpec([1, 5], tf.float32, "past")]
    model = LiteModel(convert(answer, specs))
    x, past = np.random.RandomState(4).normal(size=(1, 7, 5)), np.arange(5.0)[None]
    found = model.answer({"past": past, "frames": x})
    np.testing.assert_allclose(found["sum"], past + x.sum(axis=1), atol=1e-5)
    np.testing.assert_array_equal(found["past"], 2 * past)
