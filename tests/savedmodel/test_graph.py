"""What a graph needs to be run."""

import pytest
import tensorflow as tf
from tensorflow.core.protobuf import saved_model_pb2

from textapps.exporting.archive import Endpoint, write_saved_model
from textapps.savedmodel.graph import (
    changes_state,
    compiled_functions,
    foreign_operations,
    read_graph,
)


def test_stock_operations_pass(built):
    graph = read_graph(built("generator"))
    assert foreign_operations(graph) == compiled_functions(graph) == set()


@pytest.mark.parametrize("operation", ["CudnnRNNV3", "FlexTanh", "EagerPyFunc", "OfMyOwn"])
@pytest.mark.parametrize("where", ["graph", "function"])
def test_other_operations_are_refused(built, tmp_path, operation, where):
    content = (built("generator") / "saved_model.pb").read_bytes()
    saved = saved_model_pb2.SavedModel.FromString(content)
    graph = saved.meta_graphs[0].graph_def
    nodes = graph.node if where == "graph" else graph.library.function[-1].node_def
    nodes.add(name="added", op=operation)
    (tmp_path / "saved_model.pb").write_bytes(saved.SerializeToString())
    assert foreign_operations(read_graph(tmp_path)) == {operation}


@pytest.mark.parametrize("other", ["plain", "compiled", "loop"])
@pytest.mark.parametrize("name", ["other", "other_compiled"])
def test_only_signatures_that_are_named_so_may_need_xla(tmp_path, name, other):
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
    functions = {"serving_default": functions["plain"], name: functions[other]}
    spec = tf.TensorSpec([None], tf.float32, "x")
    write_saved_model(
        tmp_path / "m", {name: Endpoint(function, [spec]) for name, function in functions.items()}
    )
    graph = read_graph(tmp_path / "m")
    assert foreign_operations(graph) == set()
    assert bool(compiled_functions(graph)) == (name == "other" and other != "plain")


def test_signatures_that_change_state(built, tmp_path):
    graph = read_graph(built("counter"))
    changing = {name for name in graph.signature_def if changes_state(graph, name)}
    assert changing == {"incr_counter", "incr_counter_by", "reset_counter"}
    generator = read_graph(built("generator"))
    assert not any(changes_state(generator, name) for name in generator.signature_def)
    module = tf.Module()
    module.total = tf.Variable(0.0)
    add = tf.function(lambda x: module.total.assign_add(x))

    @tf.function(input_signature=[tf.TensorSpec([], tf.float32, "x")])
    def total(x):  # the change hides in a function that is called
        return {"y": add(x)}

    tf.saved_model.save(module, str(tmp_path / "m"), signatures=total)
    assert changes_state(read_graph(tmp_path / "m"), "serving_default")
