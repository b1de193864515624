"""A model in integers of 8 bits, of operations that TensorFlow Lite Micro has."""

import warnings
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from textapps.core.errors import ExportError
from textapps.core.quiet import stderr_aside
from textapps.exporting.lite import trace
from textapps.savedmodel.errors import explain

# Those of its MicroMutableOpResolver that a network of convolutions may need; all of them have
# kernels for int8.
OPERATIONS = frozenset(
    {
        "ADD",
        "AVERAGE_POOL_2D",
        "CONCATENATION",
        "CONV_2D",
        "DEPTHWISE_CONV_2D",
        "EXPAND_DIMS",
        "FULLY_CONNECTED",
        "MAX_POOL_2D",
        "MEAN",
        "MUL",
        "PAD",
        "PADV2",
        "RELU",
        "RELU6",
        "RESHAPE",
        "SOFTMAX",
        "SQUEEZE",
        "STRIDED_SLICE",
        "SUB",
    }
)
_INTEGERS = ("INT8", "INT16", "INT32", "INT64")


class MicroModel:
    """A function of one tensor in int8: inputs, weights, sums and outputs.

    Weights of convolutions are scaled by channel (Jacob et al. 2018; the specification of LiteRT's
    8-bit quantisation). `operations` names what an interpreter on a device must have.

    Args:
        function: called with the input by its name, it returns one tensor by name.
        spec: a `tf.TensorSpec` of the input, of fixed shape and with a name.
        samples: inputs float32 of this shape, from which the ranges of all values are taken.

    Raises:
        ExportError: it needs an operation that TensorFlow Lite Micro lacks, or floats.
    """

    def __init__(
        self,
        function: Callable[..., Mapping[str, Any]],
        spec: Any,
        samples: Iterable[NDArray[np.float32]],
    ) -> None:
        traced, holder = trace(function, [spec])
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # advice to move on to converters for other frameworks
            converter = tf.lite.TFLiteConverter.from_concrete_functions([traced], holder)
            converter.optimizations = [tf.lite.Optimize.DEFAULT]
            converter.representative_dataset = lambda: ([each] for each in samples)
            converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
            converter.inference_input_type = converter.inference_output_type = tf.int8
            try:
                with stderr_aside():  # its C++ tells how it quantises
                    self.content: bytes = converter.convert()
            except Exception as error:  # the converter has no error class of its own
                raise ExportError(f"not in integers: {explain(error)}") from error
        self.operations = _operations(self.content)
        if lacking := sorted(set(self.operations) - OPERATIONS):
            raise ExportError(f"TensorFlow Lite Micro cannot run this model: {', '.join(lacking)}")


def _operations(content: bytes) -> tuple[str, ...]:
    """The names of the operations of a file, sorted.

    Raises:
        ExportError: one of its tensors has another type than an integer.
    """
    from tensorflow.lite.python import schema_py_generated as schema

    model = schema.ModelT.InitFromObj(schema.Model.GetRootAsModel(content, 0))
    operators, types = _names(schema.BuiltinOperator), _names(schema.TensorType)
    for graph in model.subgraphs:
        for tensor in graph.tensors:
            if types[tensor.type] not in _INTEGERS:
                raise ExportError(
                    f"not in integers: {tensor.name.decode()} is {types[tensor.type].lower()}"
                )
    codes = {max(each.builtinCode, each.deprecatedBuiltinCode) for each in model.operatorCodes}
    return tuple(sorted(operators[code] for code in codes))


def _names(kind: Any) -> dict[int, str]:
    """The name of each number of an enumeration of the schema."""
    return {number: name for name, number in vars(kind).items() if isinstance(number, int)}
