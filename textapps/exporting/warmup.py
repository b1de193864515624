"""Warm-up requests: TensorFlow Serving replays them before a version takes traffic."""

from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np

from textapps.exporting.archive import ENROL, EXPLAIN
from textapps.exporting.verification import Case
from textapps.savedmodel.graph import COMPILED
from textapps.savedmodel.manifest import SignatureInfo
from textapps.savedmodel.tensors import as_array
from textapps.savedmodel.warmup import WARMUP

BATCH_SIZES = (1, 4, 16)
ALONE = (EXPLAIN, ENROL)  # people ask why for one answer, and record one word, at a time


def write_warmup_requests(
    directory: Path, name: str, signatures: Mapping[str, SignatureInfo], cases: Iterable[Case]
) -> None:
    """Writes one request for each signature and batch size into the SavedModel `directory`.

    Signatures that XLA must compile have none: a server without it would not load the model. The
    file is a TFRecord of `PredictionLog`s, of which TensorFlow Serving reads at most 1,000.
    The rows of a signature's first case are repeated until the batch is full. Raises
    `tf.errors.OpError` where the disk refuses.
    """
    import tensorflow as tf
    from tensorflow_serving.apis import prediction_log_pb2

    first: dict[str, Case] = {}
    for case in cases:
        if not case.signature.endswith(COMPILED):
            first.setdefault(case.signature, case)
    path = directory / WARMUP
    path.parent.mkdir(exist_ok=True)
    with tf.io.TFRecordWriter(str(path)) as writer:
        for case in first.values():
            for size in (1,) if case.signature in ALONE else BATCH_SIZES:
                log = prediction_log_pb2.PredictionLog()
                request = log.predict_log.request
                request.model_spec.name = name
                request.model_spec.signature_name = case.signature
                for key, info in signatures[case.signature].inputs.items():
                    rows = as_array(case.inputs[key])
                    batch = rows[np.arange(size) % len(rows)]
                    request.inputs[key].CopyFrom(tf.make_tensor_proto(batch, dtype=info.dtype))
                writer.write(log.SerializeToString())
