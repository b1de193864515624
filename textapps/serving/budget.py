"""The memory that a call of a signature may need, estimated before the call."""

from collections.abc import Mapping
from math import prod

import numpy as np

from textapps.savedmodel.errors import BadInput
from textapps.savedmodel.limits import CallLimits, Size
from textapps.savedmodel.manifest import TensorInfo
from textapps.savedmodel.signature import Arrays, Signature
from textapps.savedmodel.tensors import string_bytes

_STRING_BYTES = 64  # overhead of a string in an array and in a tensor
_MEGABYTE = 2**20


class Budget:
    """Checks the size of a call against the limits of its signature and against its memory."""

    def __init__(self, signature: Signature, limits: CallLimits, most_bytes: int) -> None:
        """No call may need more than `most_bytes`."""
        self._signature = signature
        self._limits = limits
        self._most_bytes = most_bytes

    def size_of(self, inputs: Arrays) -> Size:
        """The size of a call with checked inputs. Raises BadInput if it is too large."""
        size = self._limits.size_of(inputs)
        size = size._replace(tensor_bytes=self._tensor_bytes(inputs, size.rows))
        needed = self._memory(size)
        if needed > self._most_bytes:
            raise BadInput(
                f"the request needs about {needed / _MEGABYTE:,.0f} MB of memory; the limit is "
                f"{self._most_bytes / _MEGABYTE:,.0f} MB: send fewer or shorter rows"
            )
        return size

    def fits(self, size: Size) -> bool:
        """Whether a call of this size is allowed."""
        return self._limits.allow(size) and self._memory(size) <= self._most_bytes

    def _memory(self, size: Size) -> int:
        return self._limits.memory(size) + size.tensor_bytes

    def _tensor_bytes(self, inputs: Arrays, rows: int) -> int:
        """The bytes of the inputs, and of the outputs as far as their shapes are known."""
        dynamic = [
            given
            for name, spec in self._signature.inputs.items()
            for given, size in zip(inputs[name].shape[1:], (spec.shape or ())[1:], strict=False)
            if size is None
        ]
        outputs = sum(
            _bytes_of(spec, rows, max(dynamic, default=1))
            for spec in self._signature.outputs.values()
        )
        return sum(map(_bytes_in, inputs.values())) + outputs


def limits_of(manifest: Mapping[str, object], signature: str) -> CallLimits:
    """The limits of a signature according to the manifest of its model.

    Exports of textapps whose manifest has no limits yet get those of their task; other models have
    no limits.
    """
    limits = manifest.get("limits")
    if isinstance(limits, dict) and isinstance(limits.get(signature), dict):
        known = {k: v for k, v in limits[signature].items() if k in CallLimits.model_fields}
        return CallLimits.model_validate(known)
    return _FORMER.get(str(manifest.get("task")), CallLimits()) if limits is None else CallLimits()


# For models of any size, so the estimates of memory are high.
_FORMER = {
    "sentiment": CallLimits(
        longest={"text": 1_000_000}, counted=1_000, row_bytes=2_000, cell_bytes=4_000
    ),
    "generate": CallLimits(
        longest={"seed": 200_000, "text": 200_000, "ids": 512, "length": 100_000},
        cells=2_000_000,
        counted=512,
        row_bytes=1_000_000,
        cell_bytes=20_000,
        step_bytes=100,
    ),
    "translate": CallLimits(
        longest={"source": 200_000}, counted=256, row_bytes=1_000_000, cell_bytes=20_000
    ),
    # usually 32,000 bytes per second of audio, but it can be as few as 4,000
    "speech": CallLimits(
        longest={"audio_bytes": 50_000_000, "waveform": 1_500_000},
        row_bytes=1_000_000,
        cell_bytes=40,
    ),
}


def _bytes_in(array: np.ndarray) -> int:
    if array.dtype == object:
        return string_bytes(array) + _STRING_BYTES * array.size
    return array.nbytes


def _bytes_of(spec: TensorInfo, rows: int, dynamic: int) -> int:
    """The bytes of a tensor; dynamic dimensions are `rows` if first and `dynamic` otherwise."""
    first, *others = spec.shape or (1,)
    count = (rows if first is None else first) * prod(dynamic if n is None else n for n in others)
    return count * (_STRING_BYTES if spec.dtype == "string" else _size_of(spec.dtype))


def _size_of(dtype: str) -> int:
    import tensorflow as tf

    size: int = tf.as_dtype(dtype).size
    return size
