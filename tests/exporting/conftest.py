"""A tiny text classifier (vocabulary 11, width 6, state 4, classes 3) and its export."""

from types import SimpleNamespace

import keras
import numpy as np
import pytest
import tensorflow as tf

from textapps.exporting.archive import Endpoint
from textapps.exporting.config import ExportConfig
from textapps.exporting.export import export_model
from textapps.exporting.state import flatten_state, unflatten_state
from textapps.exporting.verification import Case
from textapps.training.seeding import seed_everything

LABELS = ("bad", "good", "no idea")
WORDS = ["a", "fine", "film", "dull", "play", "not", "so", "very", "cast"]
TEXTS = ["a fine film", "not so fine", "", "very dull play with a very fine cast", "映画"]


def build_tiny():
    """Endpoints `serving_default` (text) and `step` (ids, state), and what they must track."""
    table = tf.lookup.StaticHashTable(
        tf.lookup.KeyValueTensorInitializer(
            tf.constant(WORDS), tf.range(2, 2 + len(WORDS), dtype=tf.int32)
        ),
        default_value=1,
    )
    seed_everything(7)
    embedding = keras.layers.Embedding(11, 6, name="embedding")
    cell = keras.layers.GRU(4, use_cudnn=False, return_state=True, name="gru")
    head = keras.layers.Dense(len(LABELS), name="head")
    labels = tf.constant(LABELS)

    def logits_and_state(ids, state=None):
        outputs, state = cell(embedding(ids), mask=ids > 0, initial_state=state)
        return head(outputs), state

    logits_and_state(tf.constant([[1, 2, 0, 0, 0]]))  # builds the layers

    def classify(text):
        words = tf.strings.split(text).to_tensor("", shape=[None, None])[:, :50]
        ids = tf.where(words == "", 0, table.lookup(words))
        ids = tf.pad(ids, [[0, 0], [0, 1]])  # a GRU needs one step
        scores = tf.nn.softmax(logits_and_state(ids)[0])
        best = tf.argmax(scores, axis=-1)
        return {
            "label": tf.gather(labels, best),
            "probability": tf.reduce_max(scores, axis=-1),
            "scores": scores,
        }

    def step(ids, **state):
        ((leaves),) = unflatten_state(state)
        logits, new = logits_and_state(ids, leaves["h"])
        return {"logits": logits, **flatten_state(({"h": new},))}

    endpoints = {
        "serving_default": Endpoint(classify, [tf.TensorSpec([None], tf.string, "text")]),
        "step": Endpoint(
            step,
            [
                tf.TensorSpec([None, None], tf.int32, "ids"),
                tf.TensorSpec([None, 4], tf.float32, "state_0_h"),
            ],
        ),
    }
    return endpoints, [table, embedding, cell, head]


def answer(endpoint, **inputs):
    """What the model itself, not its export, gives for a batch."""
    specs = {spec.name: spec for spec in endpoint.inputs}
    tensors = {name: tf.constant(value, specs[name].dtype) for name, value in inputs.items()}
    return {name: value.numpy() for name, value in endpoint.function(**tensors).items()}


@pytest.fixture(scope="session")
def tiny():
    endpoints, track = build_tiny()
    random = np.random.default_rng(3)
    asked = {
        "serving_default": {"text": TEXTS},
        "step": {
            "ids": random.integers(1, 11, (3, 5)).astype("int32"),
            "state_0_h": random.normal(size=(3, 4)).astype("float32"),
        },
    }
    cases = [Case(name, i, answer(endpoints[name], **i)) for name, i in asked.items()]
    fields = {
        "task": "sentiment",
        "backbone": "gru",
        "preset": "tiny",
        "labels": LABELS,
        "state": ("state_0_h",),
        "metrics": {"accuracy": 0.5, "auc": float("nan"), "parameters": 11},
    }
    return SimpleNamespace(
        endpoints=endpoints, track=track, cases=cases, fields=fields, texts=TEXTS, answer=answer
    )


@pytest.fixture(scope="session")
def exported(tiny, tmp_path_factory):
    """The tiny model, exported and verified."""
    return export_model(
        tiny.endpoints,
        track=tiny.track,
        manifest_fields=tiny.fields,
        cases=lambda: tiny.cases,
        models_dir=tmp_path_factory.mktemp("models"),
        config=ExportConfig(name="tiny-gru"),
    )
