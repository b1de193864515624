"""Files for LiteRT, which runs models on devices that have no room for TensorFlow."""

import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from textapps.core.errors import ExportError
from textapps.core.quiet import stderr_aside
from textapps.savedmodel.errors import explain


def convert(
    function: Callable[..., Mapping[str, Any]], specs: Sequence[Any], *, int8: bool = False
) -> bytes:
    """A function as a file that has LiteRT's own operations only.

    The signature of the file, `serving_default`, has the names of `specs` and of the outputs.

    Shapes must be fixed: LiteRT has loops over time, but a recurrent layer that is converted
    with an open shape, as Keras's own export does, needs TensorFlow beside it wherever it runs.

    Args:
        function: called with the inputs by name, it returns tensors by name; it is traced without
            AutoGraph.
        specs: a `tf.TensorSpec` of each input, with a name.
        int8: whether weights have 8 bits, while sums stay in float (dynamic range).

    Raises:
        ExportError: it has an operation that LiteRT lacks.
    """
    traced, holder = trace(function, specs)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # advice to move on to converters for other frameworks
        converter = tf.lite.TFLiteConverter.from_concrete_functions([traced], holder)
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS]
        if int8:
            converter.optimizations = [tf.lite.Optimize.DEFAULT]
        try:
            with stderr_aside():  # its C++ tells how it quantises
                content: bytes = converter.convert()
        except Exception as error:  # the converter has no error class of its own
            raise ExportError(f"LiteRT cannot run this model: {explain(error)}") from error
    return content


def trace(function: Callable[..., Mapping[str, Any]], specs: Sequence[Any]) -> tuple[Any, Any]:
    """A concrete function, and a module that holds its variables, for a converter."""

    def call(**tensors: Any) -> dict[str, Any]:
        return dict(function(**tensors))

    graph = tf.function(call, autograph=False)
    traced = graph.get_concrete_function(**{spec.name: spec for spec in specs})
    holder = tf.Module()
    # Without a signature the converter would keep no names; for one it must find all variables.
    holder.all_variables = list(traced.graph.variables)
    return traced, holder


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
            with stderr_aside():  # it tells of the delegate that it makes
                self._interpreter = _interpreter()(model_content=content, num_threads=threads)
                self._interpreter.allocate_tensors()
        self._signature = self._interpreter.get_signature_runner()
        self.inputs: dict[str, Any] = self._signature.get_input_details()

    def __call__(self, values: Any) -> NDArray[Any]:
        """The output of a file that has one, for its input of fixed shape."""
        (name,) = self.inputs
        (answer,) = self.answer({name: values}).values()
        return answer

    @property
    def quantization(self) -> tuple[tuple[float, int], tuple[float, int]]:
        """(scale, zero point) of the input and of the output of a file in int8."""
        (into,), (out,) = self.inputs.values(), self._signature.get_output_details().values()
        return into["quantization"], out["quantization"]

    def answer(self, inputs: Mapping[str, Any]) -> dict[str, NDArray[Any]]:
        """The outputs by name, for inputs by name."""
        arrays = {
            name: np.asarray(inputs[name], each["dtype"]) for name, each in self.inputs.items()
        }
        answers: dict[str, NDArray[Any]] = self._signature(**arrays)
        return answers


def _interpreter() -> Any:
    try:
        from ai_edge_litert.interpreter import Interpreter
    except ImportError:
        return tf.lite.Interpreter
    return Interpreter
