"""Files for LiteRT, which runs models on devices that have no room for TensorFlow."""

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from textapps.core.errors import ExportError
from textapps.savedmodel.errors import explain


def convert(
    function: Callable[[Any], Any], spec: Any, *, output: str = "output", int8: bool = False
) -> bytes:
    """A function of one tensor as a file that has LiteRT's own operations only.

    The file has the signature `serving_default`, from the name of `spec` to `output`.

    The shape must be fixed: LiteRT has loops over time, but a recurrent layer that is converted
    with an open shape, as Keras's own export does, needs TensorFlow beside it wherever it runs.

    Args:
        function: float tensor → tensor; it is traced without AutoGraph.
        spec: `tf.TensorSpec` of its input, with a name.
        output: the name of its output.
        int8: whether weights have 8 bits, while sums stay in float (dynamic range).

    Raises:
        ExportError: it has an operation that LiteRT lacks.
    """
    named = tf.function(lambda tensor: {output: function(tensor)}, autograph=False)
    traced = named.get_concrete_function(spec)
    holder = tf.Module()
    # Without a signature the converter would keep no names; for one it must find all variables.
    holder.all_variables = list(traced.graph.variables)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # advice to move on to converters for other frameworks
        converter = tf.lite.TFLiteConverter.from_concrete_functions([traced], holder)
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS]
        if int8:
            converter.optimizations = [tf.lite.Optimize.DEFAULT]
        try:
            content: bytes = converter.convert()
        except Exception as error:  # the converter has no error class of its own
            raise ExportError(f"LiteRT cannot run this model: {explain(error)}") from error
    return content


class LiteModel:
    """A file of `convert`, run by LiteRT: by ai-edge-litert where it is installed, else by
    TensorFlow's copy of it.

    Args:
        content: of the file.
        threads: that it may use.
    """

    def __init__(self, content: bytes, threads: int = 1) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # TensorFlow's copy says that it will go
            self._interpreter = _interpreter()(model_content=content, num_threads=threads)
        self._interpreter.allocate_tensors()
        (self.input,) = self._interpreter.get_input_details()
        (self.output,) = self._interpreter.get_output_details()

    def __call__(self, values: Any) -> NDArray[Any]:
        """The output for an input of the file's fixed shape."""
        self._interpreter.set_tensor(self.input["index"], np.asarray(values, self.input["dtype"]))
        self._interpreter.invoke()
        answer: NDArray[Any] = self._interpreter.get_tensor(self.output["index"])
        return answer


def _interpreter() -> Any:
    try:
        from ai_edge_litert.interpreter import Interpreter
    except ImportError:
        return tf.lite.Interpreter
    return Interpreter
