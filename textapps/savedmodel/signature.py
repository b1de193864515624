"""One signature of a loaded SavedModel, called with NumPy arrays."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from textapps.savedmodel.errors import BadInput, ModelFailed, explain
from textapps.savedmodel.manifest import TensorInfo

Arrays = Mapping[str, np.ndarray]


class Signature:
    """A named function from named arrays to named arrays.

    `inputs` and `outputs` describe the tensors by name, in the order of the names. `batched` says
    that the first dimension of every input and output is a batch of any size, so that requests can
    share a call; `splittable`, that the outputs of parts of a batch can be joined, because no
    other size varies.
    """

    def __init__(self, name: str, function: Any) -> None:
        """`function` is that entry of a loaded SavedModel's `signatures`."""
        self.name = name
        self.inputs: Mapping[str, TensorInfo] = _described(function.structured_input_signature[1])
        self.outputs: Mapping[str, TensorInfo] = _described(function.structured_outputs)
        specs = [*self.inputs.values(), *self.outputs.values()]
        self.batched = bool(self.inputs) and all(spec.batched for spec in specs)
        self.splittable = self.batched and all(
            None not in (spec.shape or ())[1:] for spec in self.outputs.values()
        )
        self._function = function

    def check(self, inputs: Arrays) -> dict[str, np.ndarray]:
        """The inputs in the order of `self.inputs`, strings as bytes, if they fit.

        Strings are object arrays of `str` or `bytes`. Names, data types, ranks and fixed sizes are
        compared, and all inputs must have the same number of rows, at least one. The graph would
        notice only some of this, deep inside.

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
            if 0 in rows.values():
                raise BadInput("the request has no rows")
        return checked

    def call(self, inputs: Arrays) -> dict[str, np.ndarray]:
        """The outputs for checked inputs; strings are object arrays of bytes.

        Raises:
            BadInput: the graph says that its inputs are wrong.
            ModelFailed: it fails with anything else.
        """
        import tensorflow as tf

        try:
            tensors = {
                name: tf.constant(array, self.inputs[name].dtype) for name, array in inputs.items()
            }
            return {name: tensor.numpy() for name, tensor in self._function(**tensors).items()}
        except (tf.errors.InvalidArgumentError, tf.errors.OutOfRangeError) as error:
            raise BadInput(explain(error)) from error
        except Exception as error:
            raise ModelFailed(explain(error)) from error


def _described(tensors: Mapping[str, Any]) -> dict[str, TensorInfo]:
    return {name: TensorInfo.of(tensors[name]) for name in sorted(tensors)}


def _check(name: str, array: np.ndarray, spec: TensorInfo) -> np.ndarray:
    if spec.dtype == "string":
        array = _as_bytes(name, array)
    elif array.dtype.name != spec.dtype:
        raise BadInput(f"input '{name}' is {array.dtype.name}, the signature takes {spec.dtype}")
    shape = spec.shape
    if shape is not None and (
        len(shape) != array.ndim
        or any(size not in (None, given) for size, given in zip(shape, array.shape, strict=True))
    ):
        takes = ", ".join("any" if size is None else str(size) for size in shape)
        raise BadInput(
            f"input '{name}' has shape {list(array.shape)}, the signature takes [{takes}]"
        )
    return array


def _as_bytes(name: str, array: np.ndarray) -> np.ndarray:
    encoded = np.empty(array.shape, dtype=object)
    for index, item in np.ndenumerate(array):
        if isinstance(item, str):
            try:
                encoded[index] = item.encode()
            except UnicodeEncodeError as error:  # half of a surrogate pair: JSON can spell it
                raise BadInput(f"input '{name}' holds text that is not Unicode") from error
        elif isinstance(item, bytes):
            encoded[index] = item
        else:
            raise BadInput(
                f"input '{name}' holds a {type(item).__name__}, the signature takes strings"
            )
    return encoded
