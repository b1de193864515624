import shutil
import sys
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from tensorflow.core.protobuf import saved_model_pb2

from textapps.core.errors import ExportError
from textapps.exporting import verification, verify_child
from textapps.exporting.archive import Endpoint, write_saved_model
from textapps.exporting.verification import Case, verify
from textapps.exporting.verify_child import decode, encode, inspect_graph

TEXTS = hnp.arrays(
    object,
    hnp.array_shapes(max_dims=2, min_side=0, max_side=3),
    elements=st.binary(max_size=5) | st.text(max_size=5).map(str.encode),
)
NUMBERS = hnp.arrays(
    st.sampled_from(["float32", "float64", "int32", "int64", "bool"]),
    hnp.array_shapes(max_dims=3, min_side=0, max_side=3),
)


@settings(deadline=None)
@given(TEXTS | NUMBERS)
def test_encoding_gives_back_every_bit(array):
    decoded = decode(encode(array))
    assert (decoded.dtype, decoded.shape) == (array.dtype, array.shape)
    if array.dtype == object:
        assert decoded.tolist() == array.tolist()
    else:
        assert np.array_equal(decoded, array, equal_nan=array.dtype.kind == "f")


def test_a_case_survives_json():
    case = Case("s", {"text": ["a\0", "ß"]}, {"scores": np.float32([[0.1], [np.inf]])})
    again = Case.from_json(case.to_json())
    assert again.signature == "s"
    assert again.inputs["text"].tolist() == [b"a\0", "ß".encode()]
    assert np.array_equal(again.outputs["scores"], case.outputs["scores"])


@pytest.mark.parametrize(
    ("actual", "expected", "same"),
    [
        ([1.0, 100.0], [1.0, 100.0009], True),  # relative beyond 1
        ([1.0, 100.0], [1.0, 100.0011], False),
        ([0.001], [0.001009], True),  # absolute below 1
        ([0.001], [0.001011], False),
        ([np.inf], [np.inf], True),
        ([1.0], [np.inf], False),
        ([np.nan], [np.nan], False),
        (["ab"], [b"ab"], True),
        (["ab"], ["ac"], False),
        ([2**53], [2**53 + 1], False),
        ([[1.0]], [1.0], False),
    ],
)
def test_answers_are_compared_by_kind(actual, expected, same):
    problem = verification._difference({"y": actual}, {"y": expected}, tolerance=1e-5)
    assert (problem is None) == same
    assert same or problem.startswith("'y'")


def test_a_case_of_one_row_cannot_show_that_batching_is_sound(exported, tiny):
    text = Case("serving_default", {"text": ["a"]}, {})
    with pytest.raises(ValueError, match="two or more rows"):
        verify(exported, [text, tiny.cases[1]])


def test_a_damaged_model_in_a_process_that_has_keras(exported, tiny, tmp_path, monkeypatch):
    """The isolation is real: without it TensorFlow imports Keras by itself, and that is seen."""
    shutil.copytree(exported, tmp_path / "m")
    data = tmp_path / "m" / "variables" / "variables.data-00000-of-00001"
    data.write_bytes(data.read_bytes()[:100])
    script = Path(verify_child.__file__).read_text(encoding="utf-8")
    line = "    sys.modules.update(dict.fromkeys(_FORBIDDEN))"
    assert line in script
    (tmp_path / "child.py").write_text(script.replace(line, "    pass"), encoding="utf-8")
    monkeypatch.setattr(verify_child, "__file__", str(tmp_path / "child.py"))
    with pytest.raises(ExportError, match="isolation: imported keras; loading: ") as failure:
        verify(tmp_path / "m", tiny.cases)
    assert "\n" not in str(failure.value)


def test_a_child_that_dies_is_reported(exported, tiny, tmp_path, monkeypatch):
    (tmp_path / "child.py").write_text("import os, sys\nsys.exit('out of luck')")
    monkeypatch.setattr(verify_child, "__file__", str(tmp_path / "child.py"))
    with pytest.raises(ExportError, match="ended with code 1: out of luck"):
        verify(exported, tiny.cases)


def test_the_child_runs_on_the_cpu_and_imports_nothing_of_ours(
    exported, tiny, tmp_path, monkeypatch
):
    lines = (
        "import os, sys\nsys.exit(f\"{os.environ['CUDA_VISIBLE_DEVICES']!r} {sys.flags.isolated}\")"
    )
    (tmp_path / "child.py").write_text(lines)
    monkeypatch.setattr(verify_child, "__file__", str(tmp_path / "child.py"))
    with pytest.raises(ExportError, match=r"'' 1$"):
        verify(exported, tiny.cases)


def test_the_operations_of_tensorflow_text_are_loaded_without_the_package(tmp_path, monkeypatch):
    operations = tmp_path / "tensorflow_text" / "python" / "ops"
    operations.mkdir(parents=True)
    (tmp_path / "tensorflow_text" / "__init__.py").write_text("raise ImportError('needs Keras')")
    for name in ("_b.so", "_a.so", "other.py"):
        (operations / name).touch()
    loaded = []
    monkeypatch.delitem(sys.modules, "tensorflow_text", raising=False)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(tf, "load_op_library", loaded.append)
    verify_child.load_text_operations()
    assert loaded == [str(operations / "_a.so"), str(operations / "_b.so")]


def test_tensorflow_text_that_is_not_installed(monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(SystemExit, match="TensorFlow Text is not installed"):
        verify_child.load_text_operations()


def test_stock_operations_pass(exported):
    assert inspect_graph(exported) == {"operations": [], "compiled": []}


@pytest.mark.parametrize("operation", ["CudnnRNNV3", "FlexTanh", "EagerPyFunc", "OfMyOwn"])
@pytest.mark.parametrize("where", ["graph", "function"])
def test_other_operations_are_refused(exported, tmp_path, operation, where):
    saved = saved_model_pb2.SavedModel.FromString((exported / "saved_model.pb").read_bytes())
    graph = saved.meta_graphs[0].graph_def
    nodes = graph.node if where == "graph" else graph.library.function[-1].node_def
    nodes.add(name="added", op=operation)
    (tmp_path / "saved_model.pb").write_bytes(saved.SerializeToString())
    assert inspect_graph(tmp_path)["operations"] == [operation]


@pytest.mark.parametrize("default", ["plain", "compiled", "loop"])
def test_only_the_default_signature_must_do_without_xla(tmp_path, default):
    @tf.function(jit_compile=True)
    def double(x):
        return x * 2.0

    def loop(x):  # the compiled function hides two calls deep
        return {"y": tf.while_loop(lambda y: tf.reduce_sum(y) < 9.0, double, [x])[0]}

    functions = {
        "plain": lambda x: {"y": x + 1.0},
        "compiled": lambda x: {"y": double(x)},
        "loop": loop,
    }
    functions["serving_default"] = functions.pop(default)
    spec = tf.TensorSpec([None], tf.float32, "x")
    write_saved_model(
        tmp_path / "m", {name: Endpoint(function, [spec]) for name, function in functions.items()}
    )
    found = inspect_graph(tmp_path / "m")
    assert found["operations"] == []
    assert bool(found["compiled"]) == (default != "plain")
