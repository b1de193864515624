"""SavedModels as TensorFlow 1 wrote them, like those that TensorFlow Serving is tested with."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import tensorflow as tf

v1 = tf.compat.v1

PREDICT, CLASSIFY, REGRESS = (
    f"tensorflow/serving/{verb}" for verb in ("predict", "classify", "regress")
)


def half_plus(directory: Path, plus: int) -> Path:
    """`x` float32[batch, 1] → `y` = x / 2 + plus; of examples with a feature `x` too."""
    with tf.Graph().as_default():
        a = v1.get_variable("a", initializer=0.5, use_resource=False)
        b = v1.get_variable("b", initializer=float(plus), use_resource=False)
        examples = v1.placeholder(tf.string, [None], name="tf_example")
        x = _feature(examples, "x", tf.io.FixedLenFeature([1], tf.float32))
        y = tf.add(a * x, b, name="y")
        signatures = {
            "serving_default": ({"x": x}, {"y": y}, PREDICT),
            "regress_x_to_y": ({"inputs": examples}, {"outputs": y}, REGRESS),
            "classify_x_to_y": ({"inputs": examples}, {"scores": y}, CLASSIFY),
            "tensorflow/serving/regress": ({"inputs": examples}, {"outputs": y}, REGRESS),
        }
        return _save(directory, signatures)


def counter(directory: Path) -> Path:
    """`incr_counter`, `incr_counter_by` `delta` float32[], `reset_counter` and `get_counter`.

    Each gives `output`, the value of a variable, as a reference where it changes it.
    """
    with tf.Graph().as_default():
        value = v1.get_variable("counter", initializer=0.0, use_resource=False)
        delta = v1.placeholder(tf.float32, [], name="delta")
        outputs = {
            "get_counter": ({}, tf.identity(value)),
            "incr_counter": ({}, v1.assign_add(value, 1.0)),
            "incr_counter_by": ({"delta": delta}, v1.assign_add(value, delta)),
            "reset_counter": ({}, v1.assign(value, 0.0)),
        }
        signatures = {
            name: (inputs, {"output": output}, PREDICT)
            for name, (inputs, output) in outputs.items()
        }
        return _save(directory, signatures)


def flowers(directory: Path) -> Path:
    """Classifies examples of a feature `size` and perhaps `name`: as "small" size, "large" 2 size.

    `classes_only` and `scores_only` lack the other output, `flat` and `uneven` have shapes that
    are none of classes; `length` regresses to the length of the name, `rows` to two values too
    many, `whole` to an integer.
    """
    with tf.Graph().as_default():
        examples = v1.placeholder(tf.string, [None], name="tf_example")
        size = _feature(examples, "size", tf.io.FixedLenFeature([1], tf.float32))
        name = _feature(examples, "name", tf.io.FixedLenFeature([], tf.string, ""))
        scores = tf.concat([size, 2 * size], axis=1)
        classes = tf.tile([["small", "large"]], [tf.shape(size)[0], 1])
        length = tf.strings.length(name)
        outputs = {
            "serving_default": ({"classes": classes, "scores": scores}, CLASSIFY),
            "classes_only": ({"classes": classes}, CLASSIFY),
            "scores_only": ({"scores": scores}, CLASSIFY),
            "flat": ({"scores": size[:, 0]}, CLASSIFY),
            "uneven": ({"classes": classes[:, :1], "scores": scores}, CLASSIFY),
            "length": ({"outputs": tf.cast(length, tf.float32)}, REGRESS),
            "rows": ({"outputs": scores}, REGRESS),
            "whole": ({"outputs": length}, REGRESS),
            "other_outputs": ({"values": size}, REGRESS),
        }
        signatures = {
            key: ({"inputs": examples}, tensors, method)
            for key, (tensors, method) in outputs.items()
        }
        return _save(directory, signatures)


def _feature(examples: Any, name: str, feature: Any) -> Any:
    return tf.identity(tf.io.parse_example(examples, {name: feature})[name], name)


def _save(
    directory: Path, signatures: Mapping[str, tuple[Mapping[str, Any], Mapping[str, Any], str]]
) -> Path:
    """Write a model of the default graph; its signatures are inputs, outputs and method."""
    with v1.Session() as session:
        session.run(v1.global_variables_initializer())
        builder = v1.saved_model.Builder(str(directory))
        described = {
            name: v1.saved_model.build_signature_def(_infos(inputs), _infos(outputs), method)
            for name, (inputs, outputs, method) in signatures.items()
        }
        builder.add_meta_graph_and_variables(session, ["serve"], signature_def_map=described)
        builder.save()
    return directory


def _infos(tensors: Mapping[str, Any]) -> dict[str, Any]:
    return {name: v1.saved_model.build_tensor_info(tensor) for name, tensor in tensors.items()}
