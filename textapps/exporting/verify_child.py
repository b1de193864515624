"""Loads a SavedModel where neither textapps nor Keras can be imported, and asks it questions.

Run as a script, `python -I verify_child.py questions.json answers.json`, in a process of its
own. It may therefore import nothing of textapps; the encoding of tensors is shared the other
way round. The evaluating is done by the parent process (verification.py).
"""

import base64
import gc
import importlib.util
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np

WARMUP = "assets.extra/tf_serving_warmup_requests"

# TensorFlow imports Keras by itself wherever it is installed, so leaving it out of this file
# would prove nothing: a None here makes every import of it fail.
_FORBIDDEN = ("keras", "tf_keras", "textapps")
# Registered by TensorFlow, and yet useless in another process: they call back into Python.
_PYTHON_OPS = ("PyFunc", "PyFuncStateless", "EagerPyFunc")


def as_array(value: Any) -> np.ndarray:
    """`value` as an array; strings as objects, since NumPy's own string type drops final NULs."""
    array = np.asarray(value)
    return np.asarray(value, dtype=object) if array.dtype.kind in "US" else array


def encode(value: Any) -> dict[str, Any]:
    """A tensor as JSON that gives back dtype, shape and every bit.

    >>> encode([["a", "ü"]])
    {'dtype': 'string', 'shape': [1, 2], 'values': ['a', 'ü']}
    """
    array = as_array(value)
    strings = array.dtype == object
    return {
        "dtype": "string" if strings else array.dtype.name,
        "shape": list(array.shape),
        "values": [_encode_string(item) for item in array.flat]
        if strings
        else array.ravel().tolist(),
    }


def decode(tensor: dict[str, Any]) -> np.ndarray:
    """The array that `encode` was given, strings as UTF-8 bytes."""
    values = tensor["values"]
    if tensor["dtype"] == "string":
        array = np.empty(len(values), dtype=object)
        array[:] = [_decode_string(item) for item in values]
    else:
        array = np.asarray(values, dtype=tensor["dtype"])
    return array.reshape(tensor["shape"])


def _encode_string(item: str | bytes) -> str | dict[str, str]:
    raw = item.encode() if isinstance(item, str) else item
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return {"b64": base64.b64encode(raw).decode()}


def _decode_string(item: str | dict[str, str]) -> bytes:
    return item.encode() if isinstance(item, str) else base64.b64decode(item["b64"])


def inspect_graph(directory: Path) -> dict[str, list[str]]:
    """What a plain TensorFlow could not run: `operations`, and functions that must be `compiled`.

    Compiled functions count only where the default signature reaches them: a server without
    XLA must be able to answer that one.
    """
    from tensorflow.core.protobuf import saved_model_pb2
    from tensorflow.python.framework import op_def_registry

    saved = saved_model_pb2.SavedModel.FromString((directory / "saved_model.pb").read_bytes())
    (meta,) = saved.meta_graphs
    functions = {function.signature.name: function for function in meta.graph_def.library.function}
    nodes = [*meta.graph_def.node, *(n for f in functions.values() for n in f.node_def)]
    refused = {
        node.op
        for node in nodes
        if node.op not in functions
        and (
            "Cudnn" in node.op
            or node.op.startswith("Flex")
            or node.op in _PYTHON_OPS
            or op_def_registry.get(node.op) is None
        )
    }
    return {
        "operations": sorted(refused),
        "compiled": sorted(_compiled(meta, functions)),
    }


def _compiled(meta: Any, functions: dict[str, Any]) -> set[str]:
    """Names of nodes and functions behind `serving_default` that XLA must compile."""
    outer = {node.name: node for node in meta.graph_def.node}
    outputs = meta.signature_def["serving_default"].outputs.values()
    wanted = [tensor.name for tensor in outputs]
    nodes = []
    while wanted:  # back from the outputs; a node leaves `outer` when it is met
        node = outer.pop(wanted.pop().lstrip("^").split(":")[0], None)
        if node is not None:
            nodes.append(node)
            wanted += node.input
    found: set[str] = set()
    seen: set[str] = set()
    while nodes:  # down into the functions that they call
        node = nodes.pop()
        if node.op.startswith("Xla") or node.attr["_XlaMustCompile"].b:
            found.add(node.name)
        called = {node.op} | {f.name for a in node.attr.values() for f in (a.func, *a.list.func)}
        for name in called & functions.keys() - seen:
            seen.add(name)
            if functions[name].attr["_XlaMustCompile"].b:
                found.add(name)
            nodes += functions[name].node_def
    return found


def _answer(model: Any, signature: str, inputs: dict[str, Any]) -> dict[str, Any]:
    import tensorflow as tf

    try:
        function = model.signatures[signature]
        _, specs = function.structured_input_signature
        tensors = {name: tf.constant(v, specs[name].dtype) for name, v in inputs.items()}
        return {"outputs": {k: encode(v.numpy()) for k, v in function(**tensors).items()}}
    except Exception as error:
        return {"error": explain(error)}


def _replay_warmup(model: Any, path: Path) -> str | None:
    """The first thing that goes wrong with the warm-up requests, if anything does."""
    import tensorflow as tf
    from tensorflow_serving.apis import prediction_log_pb2

    requests = 0
    try:
        for record in tf.data.TFRecordDataset([str(path)]):
            log = prediction_log_pb2.PredictionLog.FromString(record.numpy())
            request = log.predict_log.request
            inputs = {name: tf.make_ndarray(proto) for name, proto in request.inputs.items()}
            answer = _answer(model, request.model_spec.signature_name, inputs)
            if "error" in answer:
                return f"request {requests}: {answer['error']}"
            requests += 1
    except Exception as error:
        return explain(error)
    return None if requests else "no requests"


def load_text_operations() -> None:
    """Register TensorFlow Text's operations without importing the package, which needs Keras.

    TensorFlow Serving has them in the same way: linked, with no Python around them.
    """
    import tensorflow as tf

    package = importlib.util.find_spec("tensorflow_text")
    if package is None or package.origin is None:
        sys.exit("TensorFlow Text is not installed")
    for library in sorted(Path(package.origin).parent.glob("python/ops/*.so")):
        tf.load_op_library(str(library))


def explain(error: Exception) -> str:
    """An exception on one line; TensorFlow puts the cause last, behind its stack."""
    lines = [line.strip() for line in str(error).splitlines()]
    lines = [line for line in lines if line and not line.startswith("[[{{node")]
    return f"{type(error).__name__}: {lines[-1] if lines else ''}"[:300]


def main(questions_path: str, answers_path: str) -> None:
    """Answer the questions file; whatever fails is part of the answers."""
    sys.modules.update(dict.fromkeys(_FORBIDDEN))  # type: ignore[arg-type]
    questions = json.loads(Path(questions_path).read_text(encoding="utf-8"))
    directory = Path(questions["directory"])

    import tensorflow as tf

    gc.freeze()  # modules stay: their objects need not be looked through for garbage
    if questions["tensorflow_text"]:
        load_text_operations()

    answers: dict[str, Any] = inspect_graph(directory)
    try:
        model = tf.saved_model.load(str(directory))
    except Exception as error:
        answers["loading"] = explain(error)
    else:
        answers["answers"] = [
            _answer(model, q["signature"], {k: decode(v) for k, v in q["inputs"].items()})
            for q in questions["questions"]
        ]
        if (directory / WARMUP).exists():
            answers["warmup"] = _replay_warmup(model, directory / WARMUP)
    answers["imported"] = [name for name in _FORBIDDEN if sys.modules.get(name) is not None]
    Path(answers_path).write_text(json.dumps(answers), encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
