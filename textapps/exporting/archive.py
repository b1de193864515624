"""Writing a SavedModel whose signatures have named inputs and named outputs."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import tensorflow as tf

from textapps.core.errors import ExportError
from textapps.exporting.limits import within_limits
from textapps.savedmodel.limits import CallLimits
from textapps.savedmodel.manifest import SignatureInfo, TensorInfo

DEFAULT_SIGNATURE = "serving_default"
EXPLAIN = "explain"  # the signature that says why
ENROL = "enrol"  # the signature that reads a recording of a new word in many versions
_NO_LIMITS = CallLimits()


@dataclass(frozen=True)
class Endpoint:
    """One signature: a function called with the named inputs that returns a flat dict.

    Every input is a named `tf.TensorSpec` with a dynamic first dimension (the batch), every
    output a tensor with the same first dimension. The function is traced without AutoGraph:
    decorate with `tf.function` what needs Python `if` or `for` over tensors. A state goes
    through `flatten_state` and `unflatten_state`. The graph checks the limits before anything else.
    """

    function: Callable[..., Mapping[str, Any]]
    inputs: Sequence[tf.TensorSpec]
    limits: CallLimits = _NO_LIMITS

    @cached_property
    def graph(self) -> Any:
        """The function as a graph, traced once; called with the inputs in their order."""
        names = [spec.name for spec in self.inputs]

        def call(*tensors: Any) -> Mapping[str, Any]:
            inputs = dict(zip(names, tensors, strict=True))
            return self.function(**within_limits(inputs, self.limits))

        return tf.function(call, input_signature=list(self.inputs), autograph=False)

    def answer(self, inputs: Mapping[str, Any]) -> dict[str, Any]:
        """What it gives for inputs by name, as NumPy arrays."""
        tensors = [tf.constant(inputs[spec.name], spec.dtype) for spec in self.inputs]
        return {name: tensor.numpy() for name, tensor in self.graph(*tensors).items()}


def write_saved_model(
    path: Path | str, endpoints: Mapping[str, Endpoint], track: Iterable[Any] = ()
) -> dict[str, SignatureInfo]:
    """Write a SavedModel with one signature an endpoint; one must be `serving_default`.

    Variables are found from the traced functions; `track` names what is not a variable, that
    is every lookup table and tokenizer, or built layers that hold them.

    Returns the signatures as traced. Raises ExportError for an endpoint that is not flat,
    named and batch-major, and for an untracked resource; `tf.errors.OpError` where the disk
    refuses.
    """
    if DEFAULT_SIGNATURE not in endpoints:
        raise ExportError(f"an export needs an endpoint named {DEFAULT_SIGNATURE}")
    traced, signatures = {}, {}
    for name, endpoint in endpoints.items():
        _check_inputs(name, endpoint.inputs)
        traced[name] = endpoint.graph.get_concrete_function()
        outputs = traced[name].structured_outputs
        _check_outputs(name, outputs)
        signatures[name] = SignatureInfo(
            inputs={spec.name: TensorInfo.of(spec) for spec in endpoint.inputs},
            outputs={key: TensorInfo.of(tensor) for key, tensor in outputs.items()},
        )
    # Not Keras's ExportArchive: TensorFlow traces functions that hang on what is saved once more.
    root = tf.Module()
    root.tracked = list(track)
    root.used = [variable for function in traced.values() for variable in function.variables]
    try:
        tf.saved_model.save(root, str(path), signatures=traced)
    except AssertionError as error:  # what TensorFlow raises for a table it cannot find again
        if "untracked" not in str(error):
            raise
        raise ExportError(
            "an endpoint uses a lookup table or tokenizer that is not tracked: name it in `track`"
        ) from error
    return signatures


def _check_inputs(name: str, inputs: Sequence[Any]) -> None:
    for spec in inputs:
        if not isinstance(spec, tf.TensorSpec):
            raise ExportError(
                f"endpoint '{name}' has the input {spec!r}: nested inputs cannot be served, "
                "give a flat list of tf.TensorSpec (states through flatten_state)"
            )
        if not spec.name:
            raise ExportError(f"endpoint '{name}' has an input without a name: {spec!r}")
        _check_batch_major(name, f"input '{spec.name}'", spec.shape)


def _check_outputs(name: str, outputs: Any) -> None:
    if not isinstance(outputs, Mapping):
        raise ExportError(
            f"endpoint '{name}' returns a {type(outputs).__name__}: return a dict of named tensors"
        )
    for key, tensor in outputs.items():
        if not isinstance(tensor, tf.Tensor):
            raise ExportError(
                f"output '{key}' of endpoint '{name}' is a {type(tensor).__name__}: nested "
                "outputs cannot be served, return a flat dict of tensors (states through "
                "flatten_state)"
            )
        _check_batch_major(name, f"output '{key}'", tensor.shape)


def _check_batch_major(name: str, what: str, shape: tf.TensorShape) -> None:
    if shape.rank is None or shape.rank == 0 or shape[0] is not None:
        raise ExportError(
            f"{what} of endpoint '{name}' has shape {shape}: its first dimension must be the "
            "batch, of dynamic size"
        )
