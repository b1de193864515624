"""The graph of a SavedModel, read from its file without loading it."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

# TensorFlow registers them, but they call back into the Python of the process that made them.
_PYTHON_OPERATIONS = ("PyFunc", "PyFuncStateless", "EagerPyFunc")

# Ends the name of a signature that XLA must compile; a server may be built without it.
COMPILED = "_compiled"

# Operations that change variables, tables, queues or files.
_WRITES = re.compile(
    r"^Assign|Apply|(?<!Tensor)Scatter\w*(?:Add|Sub|Mul|Div|Min|Max|Update)|"
    r"Table(?:Insert|Import|Remove)|Enqueue|StackPush|RngReadAndSkip|WriteFile|SaveV2"
)


def read_graph(directory: Path) -> Any:
    """The `MetaGraphDef` for serving of the SavedModel in `directory`.

    Raises OSError where the file cannot be read, ValueError where it has no such graph.
    """
    from tensorflow.core.protobuf import saved_model_pb2

    saved = saved_model_pb2.SavedModel.FromString((directory / "saved_model.pb").read_bytes())
    (graph,) = (graph for graph in saved.meta_graphs if "serve" in graph.meta_info_def.tags)
    return graph


def foreign_operations(graph: Any) -> set[str]:
    """The operations of a `MetaGraphDef` that a plain TensorFlow on a CPU cannot run."""
    import tensorflow as tf

    functions = _functions(graph)
    nodes = [*graph.graph_def.node, *(node for f in functions.values() for node in f.node_def)]
    registry = tf.Graph()
    return {
        operation
        for operation in {node.op for node in nodes} - functions.keys()
        if "Cudnn" in operation
        or operation.startswith("Flex")
        or operation in _PYTHON_OPERATIONS
        or not _is_registered(operation, registry)
    }


def compiled_functions(graph: Any) -> set[str]:
    """Names of the nodes and functions that XLA must compile, although a server may be without it.

    Only signatures whose names end with `COMPILED` may need them.
    """
    return {
        name
        for signature in graph.signature_def
        if not signature.endswith(COMPILED)
        for name, operation, must_compile in _reached(graph, signature)
        if must_compile or operation.startswith("Xla")
    }


def changes_state(graph: Any, signature: str) -> bool:
    """Whether a call of a signature may change what the next one answers."""
    reached = _reached(graph, signature)
    return any(_WRITES.search(operation) for _, operation, _ in reached)


def _reached(graph: Any, signature: str) -> Iterator[tuple[str, str, bool]]:
    """Name, operation and whether XLA must compile it of each node and function behind a signature.

    The operation of a function is "".
    """
    functions = _functions(graph)
    seen: set[str] = set()
    nodes = _nodes_behind(graph, signature)
    while nodes:  # down into the functions that they call
        node = nodes.pop()
        yield node.name, node.op, node.attr["_XlaMustCompile"].b
        called = {node.op} | {f.name for a in node.attr.values() for f in (a.func, *a.list.func)}
        for name in called & functions.keys() - seen:
            seen.add(name)
            yield name, "", functions[name].attr["_XlaMustCompile"].b
            nodes += functions[name].node_def


def _functions(graph: Any) -> dict[str, Any]:
    return {function.signature.name: function for function in graph.graph_def.library.function}


def _nodes_behind(graph: Any, signature: str) -> list[Any]:
    """The nodes outside of functions that the outputs of a signature depend on."""
    left = {node.name: node for node in graph.graph_def.node}
    wanted = [tensor.name for tensor in graph.signature_def[signature].outputs.values()]
    nodes = []
    while wanted:  # back from the outputs, each node once
        node = left.pop(wanted.pop().lstrip("^").split(":")[0], None)
        if node is not None:
            nodes.append(node)
            wanted += node.input
    return nodes


def _is_registered(operation: str, registry: Any) -> bool:
    try:
        registry.op_def_for_type(operation)
    except RuntimeError:
        return False
    return True
