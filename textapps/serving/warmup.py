"""Warm-up: a version answers a few requests before it takes traffic."""

import logging
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np

from textapps.serving.errors import ServingError
from textapps.serving.signature import Signature, Spec

WARMUP = "assets.extra/tf_serving_warmup_requests"

_log = logging.getLogger("textapps")


def warm_up(signatures: Mapping[str, Signature], directory: Path) -> None:
    """Replay the recorded requests of a SavedModel; without any, ask each signature once.

    Raises BadInput or ModelFailed where a recorded request fails, and what TensorFlow raises
    for a damaged record. A request that was made up may fail: the model need not take it.
    """
    if (directory / WARMUP).exists():
        for signature_name, inputs in recorded_requests(directory / WARMUP):
            signature = signatures[signature_name]
            signature.call(signature.check(inputs))
        return
    for signature in signatures.values():
        try:
            signature.call({name: _blank(spec) for name, spec in signature.inputs.items()})
        except ServingError as error:
            _log.debug(
                "%s: signature '%s' does not take zeros: %s", directory, signature.name, error
            )


def recorded_requests(path: Path) -> Iterator[tuple[str, dict[str, np.ndarray]]]:
    """Signature and inputs of each predict request in a TFRecord of TensorFlow Serving's logs.

    Read as wire format, since the generated classes are in a package that a server can do
    without: PredictionLog.predict_log = 6, PredictLog.request = 1, PredictRequest.model_spec = 1
    and .inputs = 2 (a map: key = 1, value = 2), ModelSpec.signature_name = 3.
    """
    import tensorflow as tf
    from tensorflow.core.framework import tensor_pb2

    for record in tf.data.TFRecordDataset([str(path)]):
        for log in _fields(record.numpy(), 6):
            for request in _fields(log, 1):
                names = [n for spec in _fields(request, 1) for n in _fields(spec, 3)]
                inputs = {}
                for entry in _fields(request, 2):
                    (key,), (value,) = _fields(entry, 1), _fields(entry, 2)
                    proto = tensor_pb2.TensorProto.FromString(value)
                    inputs[key.decode()] = tf.make_ndarray(proto)
                yield (names[0].decode() if names else "serving_default"), inputs


def _fields(message: bytes, wanted: int) -> list[bytes]:
    """The values of a field that holds strings, bytes or messages."""
    found = []
    position = 0
    while position < len(message):
        tag, position = _varint(message, position)
        kind = tag & 7
        if kind == 0:
            _, position = _varint(message, position)
            continue
        if kind == 2:
            size, position = _varint(message, position)
        else:
            size = {1: 8, 5: 4}[kind]
        if tag >> 3 == wanted:
            found.append(message[position : position + size])
        position += size
    return found


def _varint(message: bytes, position: int) -> tuple[int, int]:
    """A number of seven bits a byte, lowest first, and where it ends."""
    value = shift = 0
    while True:
        byte = message[position]
        value |= (byte & 0x7F) << shift
        position += 1
        if byte < 0x80:
            return value, position
        shift += 7


def _blank(spec: Spec) -> np.ndarray:
    import tensorflow as tf

    shape = [1 if size is None else size for size in spec.shape or ()]
    if spec.dtype == "string":
        return np.full(shape, b"", dtype=object)
    return np.zeros(shape, dtype=tf.as_dtype(spec.dtype).as_numpy_dtype)
