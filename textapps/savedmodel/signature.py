"""One signature of a loaded SavedModel, called with NumPy arrays."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from textapps.savedmodel.errors import BadInput, ModelFailed, explain, for_clients
from textapps.savedmodel.manifest import TensorInfo
from textapps.savedmodel.tensors import PART, in_parts

Arrays = Mapping[str, np.ndarray]
PREDICT = "tensorflow/serving/predict"
_COLUMN = (None, 1)


class Signature:
    """A named function from named arrays to named arrays.

    `inputs` and `outputs` describe the tensors by name, in the order of the names. `method` is what
    TensorFlow Serving may be asked for: to predict, classify or regress. `stateful` says that a
    call may change later answers. `batched` says that the first dimension of every input and output
    is a batch of any size. `joinable` says that requests can share a call without changing the
    shape of an answer: with texts as inputs, an output of variable width may be as wide as the
    longest text of the batch.
    """

    def __init__(
        self, name: str, function: Any, method: str = PREDICT, *, stateful: bool = False
    ) -> None:
        """`function` is that entry of a loaded SavedModel's `signatures`."""
        self.name = name
        self.method = method
        self.stateful = stateful
        self.inputs: Mapping[str, TensorInfo] = _described(function.structured_input_signature[1])
        self.outputs: Mapping[str, TensorInfo] = _described(function.structured_outputs)
        specs = [*self.inputs.values(), *self.outputs.values()]
        self.batched = bool(self.inputs) and all(spec.batched for spec in specs)
        texts = any(spec.dtype == "string" for spec in self.inputs.values())
        wide = any(None in (spec.shape or ())[1:] for spec in self.outputs.values())
        self.joinable = self.batched and not stateful and not (texts and wide)
        self._function = function

    @property
    def dtypes(self) -> dict[str, str]:
        """The data type of each input."""
        return {name: spec.dtype for name, spec in self.inputs.items()}

    def check(self, inputs: Arrays) -> dict[str, np.ndarray]:
        """The inputs in the order of `self.inputs`, strings as bytes, if they fit.

        Strings are object arrays of `str` or `bytes`. Names, data types, ranks and fixed sizes are
        compared, and all inputs must have the same number of rows, which may be 0. The graph would
        notice only some of this, deep inside. An input [rows, 1] takes other shapes, as TensorFlow
        Serving does: clients send bare values, and most of such graphs work value by value.

        Raises:
            BadInput: something does not fit.
        """
        missing = [name for name in self.inputs if name not in inputs]
        unknown = [name for name in inputs if name not in self.inputs]
        if missing or unknown:
            problem = (
                f"lacks the input '{missing[0]}'" if missing else f"takes no input '{unknown[0]}'"
            )
            takes = ", ".join(f"'{name}'" for name in self.inputs) or "none"
            raise BadInput(f"the request {problem}; signature '{self.name}' takes {takes}")
        checked = {name: _check(name, inputs[name], spec) for name, spec in self.inputs.items()}
        if self.batched:
            rows = {name: len(array) for name, array in checked.items()}
            if len(set(rows.values())) > 1:
                sizes = ", ".join(f"'{name}' {count}" for name, count in rows.items())
                raise BadInput(f"the inputs differ in their number of rows: {sizes}")
        return checked

    def call(self, inputs: Arrays) -> dict[str, np.ndarray]:
        """The outputs for checked inputs; strings are object arrays of bytes.

        Raises:
            BadInput: the graph says that its inputs are wrong, or fails without rows.
            ModelFailed: it fails with anything else.
        """
        import tensorflow as tf

        try:
            tensors = {
                name: _to_tensor(array, self.inputs[name].dtype) for name, array in inputs.items()
            }
            return {name: _to_array(t) for name, t in self._function(**tensors).items()}
        except Exception as error:
            if any(array.shape[:1] == (0,) for array in inputs.values()):
                raise BadInput("the model does not take a request without rows") from error
            wrong = isinstance(error, tf.errors.InvalidArgumentError | tf.errors.OutOfRangeError)
            raise (BadInput if wrong else ModelFailed)(for_clients(explain(error))) from error


def _described(tensors: Mapping[str, Any]) -> dict[str, TensorInfo]:
    return {name: TensorInfo.of(tensors[name]) for name in sorted(tensors)}


def _check(name: str, array: np.ndarray, spec: TensorInfo) -> np.ndarray:
    if spec.dtype == "string":
        array = _as_bytes(array, name)
    elif array.dtype.name != spec.dtype:
        raise BadInput(f"input '{name}' is {array.dtype.name}, the signature takes {spec.dtype}")
    shape = spec.shape
    if shape == _COLUMN and array.ndim:
        return array
    if shape is not None and (
        len(shape) != array.ndim
        or any(size not in (None, given) for size, given in zip(shape, array.shape, strict=True))
    ):
        takes = ", ".join("any" if size is None else str(size) for size in shape)
        raise BadInput(
            f"input '{name}' has shape {list(array.shape)}, the signature takes [{takes}]"
        )
    return array


def _as_bytes(array: np.ndarray, name: str) -> np.ndarray:
    if array.dtype == object and all(set(map(type, part)) <= {bytes} for part in in_parts(array)):
        return array
    encoded = np.empty(array.shape, dtype=object)
    for index, item in np.ndenumerate(array):
        if isinstance(item, str):
            try:
                encoded[index] = item.encode()
            except UnicodeEncodeError as error:  # half of a surrogate pair
                raise BadInput(f"input '{name}' holds text that is not Unicode") from error
        elif isinstance(item, bytes):
            encoded[index] = item
        else:
            raise BadInput(
                f"input '{name}' holds a {type(item).__name__}, the signature takes strings"
            )
    return encoded


def _to_tensor(array: np.ndarray, dtype: str) -> Any:
    import tensorflow as tf

    if array.dtype != object or array.ndim == 0 or len(array) <= PART:
        return tf.constant(array, dtype)
    parts = range(0, len(array), PART)
    return tf.concat([tf.constant(array[i : i + PART], dtype) for i in parts], axis=0)


def _to_array(tensor: Any) -> np.ndarray:
    if tensor.dtype != "string":
        array: np.ndarray = tensor.numpy()
        return array
    if tensor.shape.rank == 0 or len(tensor) <= PART:
        return np.asarray(tensor.numpy(), dtype=object)  # one without dimensions is bytes
    parts = range(0, len(tensor), PART)
    return np.concatenate([tensor[i : i + PART].numpy() for i in parts])
