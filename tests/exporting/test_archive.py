import pytest
import tensorflow as tf

from textapps.core.errors import ExportError
from textapps.exporting.archive import Endpoint, write_saved_model

NUMBER = tf.TensorSpec([None], tf.float32, "x")


def write(path, function=lambda x: {"y": x}, inputs=(NUMBER,), name="serving_default", track=()):
    return write_saved_model(path / "m", {name: Endpoint(function, list(inputs))}, track)


def test_inputs_are_passed_by_name(tmp_path):
    def subtract(first, second):
        return {"difference": first - second}

    specs = [tf.TensorSpec([None], tf.float32, name) for name in ("second", "first")]
    signatures = write(tmp_path, subtract, specs)
    loaded = tf.saved_model.load(str(tmp_path / "m")).signatures["serving_default"]
    answer = loaded(first=tf.constant([5.0, 7.0]), second=tf.constant([1.0, 2.0]))
    assert answer["difference"].numpy().tolist() == [4.0, 5.0]
    assert list(signatures["serving_default"].inputs) == ["second", "first"]


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (lambda x: {"a": {"h": x}}, "output 'a'.*nested outputs cannot be served.*flatten_state"),
        (lambda x: {"a": (x, x)}, "output 'a'.*nested"),
        (lambda x: x, "return a dict of named tensors"),
        (lambda x: {"sum": tf.reduce_sum(x)}, r"output 'sum'.*shape \(\).*batch"),
        (lambda x: {"one": tf.constant([1.0])}, r"output 'one'.*shape \(1,\).*batch"),
    ],
)
def test_outputs_that_cannot_be_served(tmp_path, function, message):
    with pytest.raises(ExportError, match=message):
        write(tmp_path, function)


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ([NUMBER, NUMBER], "nested inputs cannot be served"),
        (tf.TensorSpec([None], tf.float32), "input without a name"),
        (tf.TensorSpec([3], tf.float32, "x"), r"input 'x'.*shape \(3,\).*batch"),
        (tf.TensorSpec([], tf.float32, "x"), r"input 'x'.*shape \(\).*batch"),
        (tf.TensorSpec(None, tf.float32, "x"), "input 'x'.*unknown.*batch"),
    ],
)
def test_inputs_that_cannot_be_served(tmp_path, spec, message):
    with pytest.raises(ExportError, match=message):
        write(tmp_path, inputs=[spec])


def test_a_default_signature_is_needed(tmp_path):
    with pytest.raises(ExportError, match="endpoint named serving_default"):
        write(tmp_path, name="classify")


def test_an_untracked_table_is_named_as_the_cause(tmp_path):
    def look_up(table):
        return lambda text: {"id": table.lookup(text)}

    words = tf.lookup.KeyValueTensorInitializer(["a"], tf.constant([5]))
    table = tf.lookup.StaticHashTable(words, 0)
    text = tf.TensorSpec([None], tf.string, "text")
    with pytest.raises(ExportError, match="not tracked: name it in `track`"):
        write(tmp_path, look_up(table), [text])
    write(tmp_path, look_up(table), [text], track=[table])
    loaded = tf.saved_model.load(str(tmp_path / "m")).signatures["serving_default"]
    assert loaded(text=tf.constant(["a", "b"]))["id"].numpy().tolist() == [5, 0]
