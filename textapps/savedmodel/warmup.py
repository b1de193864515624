"""Warm-up requests that come with a SavedModel, as TensorFlow Serving has them."""

from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np

from textapps.savedmodel.signature import Signature

WARMUP = "assets.extra/tf_serving_warmup_requests"


def recorded_requests(path: Path) -> Iterator[tuple[str, dict[str, np.ndarray]]]:
    """Signature and inputs of each predict request in a TFRecord of `PredictionLog`s.

    Requests of other kinds are passed over. Raises what TensorFlow and protobuf raise for a damaged
    record.
    """
    import tensorflow as tf
    from tensorflow_serving.apis import prediction_log_pb2

    for record in tf.data.TFRecordDataset([str(path)]):
        log = prediction_log_pb2.PredictionLog.FromString(record.numpy())
        if not log.HasField("predict_log"):
            continue
        request = log.predict_log.request
        inputs = {name: tf.make_ndarray(tensor) for name, tensor in request.inputs.items()}
        yield request.model_spec.signature_name or "serving_default", inputs


def replay(signatures: Mapping[str, Signature], path: Path) -> int:
    """Calls the signatures with the recorded requests; returns how many there are.

    Raises BadInput or ModelFailed where one fails, KeyError for a signature that does not exist,
    and what `recorded_requests` raises.
    """
    requests = 0
    for name, inputs in recorded_requests(path):
        signatures[name].call(signatures[name].check(inputs))
        requests += 1
    return requests
