"""Classifying and regressing examples, and models that TensorFlow 1 wrote."""

import asyncio
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from tests.serving.asking import Built, Loaded, repository_of
from tests.serving.models import strings
from textapps.savedmodel.errors import BadInput
from textapps.savedmodel.loading import load_saved_model
from textapps.savedmodel.signature import Signature
from textapps.serving.examples import Verb, classes_of, example_inputs, values_of
from textapps.serving.model_version import ModelVersion
from textapps.serving.repository import Repository


@pytest.fixture(scope="module")
def repository(loaded: Loaded) -> Repository:
    return loaded("flowers", "lengths", two=("half_plus", 2), three=("half_plus", 3))


def examples(**features: list[Any]) -> np.ndarray:
    """Examples with a value of each feature."""
    found = []
    for row in zip(*features.values(), strict=True):
        example = tf.train.Example()
        for name, value in zip(features, row, strict=True):
            feature = example.features.feature[name]
            if isinstance(value, bytes):
                feature.bytes_list.value.append(value)
            else:
                feature.float_list.value.append(value)
        found.append(example.SerializeToString())
    return strings(*found)


def outputs(model: ModelVersion, name: str, verb: Verb, given: np.ndarray) -> dict[str, np.ndarray]:
    inputs = example_inputs(model.signatures[name], verb, given)
    return asyncio.run(model.predict(name, inputs))


def test_models_with_the_same_variables_are_apart(repository: Repository) -> None:
    given = examples(x=[1.0, 2.0, 80.0])
    for name, plus in [("two", 2), ("three", 3)]:
        found = outputs(repository.find(name), "regress_x_to_y", "regress", given)
        assert values_of(found, 3).tolist() == [0.5 + plus, 1 + plus, 40 + plus]


def test_classes(repository: Repository) -> None:
    model = repository.find("flowers")
    given = examples(size=[1.5, 2.0, 0.25], name=[b"a", b"", b"abc"])
    pairs = [(b"small", 1.5), (b"large", 3.0)]
    for name, first in {
        "serving_default": pairs,
        "classes_only": [(label, 0.0) for label, _ in pairs],
        "scores_only": [(b"", score) for _, score in pairs],
    }.items():
        labels, scores = classes_of(outputs(model, name, "classify", given), 3)
        assert list(zip(labels[0], scores[0], strict=True)) == first
        assert labels.shape == scores.shape == (3, 2)
        assert scores.dtype == np.float32
    assert values_of(outputs(model, "length", "regress", given), 3).tolist() == [1, 0, 3]


@pytest.mark.parametrize(
    ("model", "signature", "verb", "problem"),
    [
        ("lengths", "serving_default", "classify", "tensorflow/serving/classify: use :predict"),
        ("flowers", "serving_default", "regress", "tensorflow/serving/regress: use :classify"),
        ("flowers", "length", "classify", "tensorflow/serving/classify: use :regress"),
        ("flowers", "other_outputs", "regress", "lacks inputs or outputs that :regress needs"),
    ],
)
def test_signatures_of_another_kind(
    repository: Repository, model: str, signature: str, verb: Verb, problem: str
) -> None:
    with pytest.raises(BadInput, match=problem):
        example_inputs(repository.find(model).signatures[signature], verb, strings(b""))


def test_at_least_one_example(repository: Repository) -> None:
    signature = repository.find("flowers").signatures["serving_default"]
    with pytest.raises(BadInput, match="at least one example"):
        example_inputs(signature, "classify", strings())


@pytest.mark.parametrize(
    ("signature", "verb", "problem"),
    [
        ("flat", "classify", r"output 'scores' has shape \[3\], not \[3, classes\]"),
        ("uneven", "classify", "differ in their number of classes"),
        ("rows", "regress", r"is float32\[3, 2\], not float32\[3\]"),
        ("whole", "regress", r"is int32\[3\], not float32\[3\]"),
    ],
)
def test_outputs_of_another_kind(
    repository: Repository, signature: str, verb: Verb, problem: str
) -> None:
    model = repository.find("flowers")
    found = outputs(model, signature, verb, examples(size=[1.0, 2.0, 3.0]))
    with pytest.raises(BadInput, match=problem):
        (classes_of if verb == "classify" else values_of)(found, 3)


@pytest.mark.parametrize(
    "found",
    [
        {"classes": np.zeros((1, 2), np.int32)},
        {"scores": np.zeros((1, 2), np.float64)},
    ],
)
def test_classes_are_strings_and_scores_float32(found: dict[str, np.ndarray]) -> None:
    with pytest.raises(BadInput, match=r"classes are .* and scores"):
        classes_of(found, 1)


def test_an_example_without_a_feature_that_it_needs(repository: Repository) -> None:
    with pytest.raises(BadInput, match="size"):
        outputs(
            repository.find("flowers"), "serving_default", "classify", examples(name=[b"a", b"b"])
        )


def test_a_counter_counts_the_calls_of_clients_alone(built: Built, tmp_path: Path) -> None:
    repository = repository_of(tmp_path, built, counter="counter", other="counter")
    counter, other = repository.find("counter"), repository.find("other")

    def call(model: ModelVersion, signature: str, **inputs: np.ndarray) -> float:
        return float(asyncio.run(model.predict(signature, inputs))["output"])

    assert call(counter, "get_counter") == 0
    assert [call(counter, "incr_counter") for _ in range(3)] == [1, 2, 3]
    assert call(counter, "incr_counter_by", delta=np.array(2.5, np.float32)) == 5.5
    assert call(counter, "get_counter") == 5.5
    assert call(other, "get_counter") == 0
    assert call(counter, "reset_counter") == 0
    assert call(counter, "get_counter") == 0


def test_an_answer_stays_when_the_variable_changes(built: Built) -> None:
    saved = load_saved_model(built("counter"))
    incr, reset = (
        Signature(name, saved.signatures[name]) for name in ("incr_counter", "reset_counter")
    )
    before = incr.call({})
    reset.call({})
    assert before == {"output": 1}
