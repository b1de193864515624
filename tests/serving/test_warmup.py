"""A version answers its recorded requests before it serves."""

import numpy as np
import pytest
import tensorflow as tf
from tensorflow_serving.apis import prediction_log_pb2

from tests.serving import models
from textapps.savedmodel.signature import Signature
from textapps.savedmodel.warmup import WARMUP, recorded_requests
from textapps.serving import warmup
from textapps.serving.repository import Repository


def record(directory, *requests):
    """Write warm-up requests of (signature or None, inputs); returns their file."""
    path = directory / WARMUP
    path.parent.mkdir(parents=True, exist_ok=True)
    with tf.io.TFRecordWriter(str(path)) as writer:
        for signature, inputs in requests:
            log = prediction_log_pb2.PredictionLog()
            log.log_metadata.sampling_config.sampling_rate = 0.5  # fields that are skipped
            request = log.predict_log.request
            request.model_spec.name = "m"
            request.model_spec.version.value = 300
            if signature:
                request.model_spec.signature_name = signature
            request.output_filter.append("doubled")
            for name, array in inputs.items():
                request.inputs[name].CopyFrom(tf.make_tensor_proto(array))
            writer.write(log.SerializeToString())
    return path


def test_requests_are_read_as_they_were_written(tmp_path) -> None:
    random = np.random.default_rng(5)
    first = {
        "ids": random.integers(0, 9, (3, 200), np.int32),
        "weights": random.normal(size=(3, 3)).astype(np.float32),
    }
    path = record(tmp_path, (None, first), ("other", {"text": ["a" * 300, "ü"]}))
    (name, inputs), (other, texts) = recorded_requests(path)
    assert (name, other) == ("serving_default", "other")
    assert inputs.keys() == first.keys()
    for key, array in first.items():
        assert inputs[key].dtype == array.dtype
        assert (inputs[key] == array).all()
    assert texts["text"].tolist() == [b"a" * 300, "ü".encode()]


@pytest.fixture
def asked(monkeypatch):
    """The signatures that are called, with the shapes of their inputs."""
    calls = []
    call = Signature.call

    def note(signature, inputs):
        calls.append((signature.name, {name: array.shape for name, array in inputs.items()}))
        return call(signature, inputs)

    monkeypatch.setattr(Signature, "call", note)
    return calls


def test_a_version_answers_its_recorded_requests_before_it_serves(directory, place, asked) -> None:
    path = place("m", 1, "sums")
    inputs = {"ids": np.zeros((2, 5), np.int32), "weights": np.zeros((2, 3), np.float32)}
    record(path, ("serving_default", inputs), ("whole", {"number": np.float32(2)}))
    repository = Repository(directory)
    repository.poll()
    assert repository.ready
    shapes = {"ids": (2, 5), "weights": (2, 3)}
    assert asked == [("serving_default", shapes), ("whole", {"number": ()})]


def test_without_a_record_every_signature_is_asked_once(directory, place, asked) -> None:
    place("m", 1, "generator")
    place("typed", 1, "typed")
    repository = Repository(directory)
    repository.poll()
    assert repository.ready
    names = [
        "continue",
        "explain",
        "generate",
        "score",
        "serving_default",
        "serving_default",
        "start",
    ]
    assert sorted(name for name, _ in asked) == names
    assert dict(asked)["continue"]["logits"] == (1, 5)


def test_of_recorded_requests_of_other_kinds_alone_signatures_are_called(
    directory, place, asked
) -> None:
    from tensorflow_serving.apis import prediction_log_pb2

    path = place("m", 1, "sums") / WARMUP
    path.parent.mkdir(parents=True, exist_ok=True)
    log = prediction_log_pb2.PredictionLog()
    log.classify_log.request.model_spec.name = "m"
    with tf.io.TFRecordWriter(str(path)) as writer:
        writer.write(log.SerializeToString())
    repository = Repository(directory)
    repository.poll()
    assert repository.ready
    assert "serving_default" in dict(asked)


def test_a_model_need_not_take_what_was_made_up(directory, built, monkeypatch) -> None:
    monkeypatch.setattr(warmup, "blank", lambda spec: models.strings("bad"))
    models.copy(built("lengths"), directory / "m" / "1")
    repository = Repository(directory)
    repository.poll()
    assert repository.ready


@pytest.mark.parametrize(
    ("requests", "message"),
    [
        ([(None, {"text": ["a", "bad"]})], "a bad text"),
        ([(None, {"ids": [1]})], "lacks the input 'text'"),
        ([("missing", {"text": ["a"]})], "missing"),
    ],
)
def test_a_recorded_request_that_fails_keeps_the_version_out(
    directory, place, requests, message
) -> None:
    record(place("m", 1, "lengths"), *requests)
    repository = Repository(directory)
    repository.poll()
    (status,) = repository.statuses("m")
    assert status.state == "END"
    assert message in status.message


def test_a_damaged_record_keeps_the_version_out(directory, place) -> None:
    path = record(place("m", 1, "lengths"), (None, {"text": ["a"]}))
    path.write_bytes(path.read_bytes()[:-1])
    repository = Repository(directory)
    repository.poll()
    assert repository.statuses("m")[0][:3] == (1, "END", "DATA_LOSS")
