"""Warm-up: a version answers a few requests before it takes traffic."""

import logging
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from textapps.core.errors import TextappsError
from textapps.savedmodel.manifest import TensorInfo
from textapps.savedmodel.signature import Signature
from textapps.savedmodel.warmup import WARMUP, replay

_log = logging.getLogger("textapps")


def warm_up(signatures: Mapping[str, Signature], directory: Path) -> None:
    """Replays the recorded predict requests of a SavedModel; without any, calls all signatures.

    Stateful signatures are not called, since a call would change later answers. A call with made-up
    inputs may fail: the model need not take them. Raises what `replay` raises.
    """
    if (directory / WARMUP).exists() and replay(signatures, directory / WARMUP):
        return
    for signature in (each for each in signatures.values() if not each.stateful):
        try:
            signature.call({name: blank(info) for name, info in signature.inputs.items()})
        except TextappsError as error:
            _log.debug(
                "%s: signature '%s' does not take zeros: %s", directory, signature.name, error
            )


def blank(info: TensorInfo) -> np.ndarray:
    """Zeros and empty texts for an input, one where its size is open."""
    import tensorflow as tf

    shape = [1 if size is None else size for size in info.shape or ()]
    if info.dtype == "string":
        return np.full(shape, b"", dtype=object)
    return np.zeros(shape, dtype=tf.as_dtype(info.dtype).as_numpy_dtype)
