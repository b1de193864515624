import numpy as np
import tensorflow as tf
from tensorflow_serving.apis import prediction_log_pb2

from textapps.exporting.warmup import BATCH_SIZES
from textapps.savedmodel.warmup import WARMUP


def test_every_signature_is_warmed_up_at_every_batch_size(tiny, exported):
    logs = [
        prediction_log_pb2.PredictionLog.FromString(record.numpy())
        for record in tf.data.TFRecordDataset([str(exported / WARMUP)])
    ]
    requests = [log.predict_log.request for log in logs]
    assert all(log.WhichOneof("log_type") == "predict_log" for log in logs)
    assert {request.model_spec.name for request in requests} == {"tiny-gru"}
    asked = [
        (r.model_spec.signature_name, r.inputs[key].tensor_shape.dim[0].size)
        for r in requests
        for key in r.inputs
        if key in ("text", "ids")
    ]
    signatures = ("serving_default", "step")
    assert sorted(asked) == sorted((s, size) for s in signatures for size in BATCH_SIZES)
    largest = next(
        r for r in requests if "text" in r.inputs and len(r.inputs["text"].string_val) > 9
    )
    repeated = [text.encode() for text in tiny.texts * 4][: BATCH_SIZES[-1]]
    assert tf.make_ndarray(largest.inputs["text"]).tolist() == repeated
    first = next(r for r in requests if "ids" in r.inputs)
    assert tf.make_ndarray(first.inputs["state_0_h"]).dtype == np.float32
