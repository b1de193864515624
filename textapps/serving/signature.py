"""One signature of a loaded SavedModel, called with NumPy arrays."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from textapps.serving.errors import BadInput, ModelFailed, explain

Arrays = Mapping[str, np.ndarray]
Shape = tuple[int | None, ...]


class Spec(NamedTuple):
    """Data type (TensorFlow's name) and shape of a tensor.

    None stands for a dynamic size, and for a shape of which not even the rank is known.
    """

    dtype: str
    shape: Shape | None

    @property
    def batched(self) -> bool:
        """Whether the first dimension is a batch of any size."""
        return self.shape is not None and self.shape[:1] == (None,)


class Signature:
    """A named function from named arrays to named arrays.

    `inputs` and `outputs` map names to specs. `batched` says that the first dimension of every
    input and output is a batch of any size, so that requests can share a call; `splittable`,
    that the outputs of parts of a batch can be put together, since no other size varies.
    """

    def __init__(self, name: str, function: Any) -> None:
        """`function` is that entry of a loaded SavedModel's `signatures`."""
        self.name = name
        self.inputs: Mapping[str, Spec] = _specs(function.structured_input_signature[1])
        self.outputs: Mapping[str, Spec] = _specs(function.structured_outputs)
        specs = [*self.inputs.values(), *self.outputs.values()]
        self.batched = bool(self.inputs) and all(spec.batched for spec in specs)
        self.splittable = self.batched and all(
            None not in (spec.shape or ())[1:] for spec in self.outputs.values()
        )
        self._function = function

    def check(self, inputs: Arrays) -> dict[str, np.ndarray]:
        """The inputs in the order of the specs, strings as bytes, if they fit.

        Strings are object arrays of `str` or `bytes`. Compared are names, data types, ranks and
        fixed sizes, and that all inputs have as many rows, at least one: of these the graph
        would notice some only, deep inside.

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


def _specs(tensors: Mapping[str, Any]) -> dict[str, Spec]:
    return {name: _spec(tensors[name]) for name in sorted(tensors)}


def _spec(tensor: Any) -> Spec:
    shape = tensor.shape
    return Spec(tensor.dtype.name, None if shape.rank is None else tuple(shape.as_list()))


def _check(name: str, array: np.ndarray, spec: Spec) -> np.ndarray:
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
