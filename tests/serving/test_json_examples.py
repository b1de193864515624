"""Examples in JSON become the tf.Examples that TensorFlow Serving makes of them."""

import json
import math
from typing import Any

import pytest
import tensorflow as tf
from hypothesis import given
from hypothesis import strategies as st

from textapps.savedmodel.errors import BadInput
from textapps.serving.json_examples import read_examples


def read(**request: Any) -> list[dict[str, list[Any]]]:
    """The features of the examples in a request."""
    found = read_examples(json.dumps(request).encode(), 8).inputs["inputs"]
    return [features(example) for example in found]


def features(serialized: bytes) -> dict[str, list[Any]]:
    found = tf.train.Example.FromString(serialized).features.feature
    return {
        name: list(getattr(feature, feature.WhichOneof("kind")).value)
        if feature.WhichOneof("kind")
        else []
        for name, feature in found.items()
    }


@pytest.mark.parametrize(
    ("value", "found"),
    [
        ("foo", [b"foo"]),
        (["ü", "", {"b64": "AP8="}], ["ü".encode(), b"", b"\x00\xff"]),
        (8.5, [8.5]),
        ([8.0, math.inf, -math.inf, 2.0**70], [8.0, math.inf, -math.inf, 2.0**70]),
        (2**64, [2.0**64]),
        ([20, True, False, -1], [20, 1, 0, -1]),
        ([2**63 - 1, -(2**63)], [2**63 - 1, -(2**63)]),
        ([], []),
    ],
)
def test_features(value: Any, found: list[Any]) -> None:
    assert read(examples=[{"x": value}, {}]) == [{"x": found}, {}]


@given(
    st.lists(
        st.dictionaries(
            st.text(max_size=5),
            st.lists(st.integers(-(2**63), 2**63 - 1), max_size=300)
            | st.lists(st.floats(width=32, allow_nan=False), max_size=300)
            | st.lists(st.text(max_size=300), max_size=3),
            max_size=4,
        ),
        min_size=1,
        max_size=3,
    )
)
def test_every_example_comes_back(examples: list[dict[str, list[Any]]]) -> None:
    encoded = [
        {
            name: [item.encode() if isinstance(item, str) else item for item in values]
            for name, values in example.items()
        }
        for example in examples
    ]
    assert read(examples=examples) == encoded


def test_nan() -> None:
    ((found,),) = (example["x"] for example in read(examples=[{"x": math.nan}]))
    assert math.isnan(found)


def test_the_context_is_in_every_example() -> None:
    assert read(context={"a": 1, "b": "x"}, examples=[{}, {"c": 2.5}, {"a": 3}]) == [
        {"a": [1], "b": [b"x"]},
        {"a": [1], "b": [b"x"], "c": [2.5]},
        {"a": [3], "b": [b"x"]},
    ]


def test_the_signature() -> None:
    assert read_examples(b'{"examples": [{}]}', 5).signature == "serving_default"
    assert read_examples(b'{"examples": [{}], "signature_name": "s"}', 5).signature == "s"


@pytest.mark.parametrize(
    ("request_", "problem"),
    [
        ({}, "should have 'examples', a list of at least one"),
        ({"examples": []}, "a list of at least one"),
        ({"examples": {"x": 1}}, "a list of at least one"),
        ({"examples": [[1]]}, "an example should be an object"),
        ({"examples": [{}], "context": [1]}, "an example should be an object"),
        ({"examples": [{}], "signature_name": 1}, "'signature_name' should be a string"),
        ({"examples": [{"x": None}]}, "feature 'x' should hold numbers or strings"),
        ({"examples": [{"x": [[1]]}]}, "feature 'x' should hold numbers or strings"),
        ({"examples": [{"x": [1, 2.5]}]}, "feature 'x' mixes"),
        ({"examples": [{"x": ["a", 2.5]}]}, "feature 'x' mixes"),
        ({"examples": [{"x": [{"b64": "a"}]}]}, "feature 'x' has a 'b64' that is not base64"),
        ({"examples": [{"x": {"y": 1}}]}, "an object in feature 'x' is not of the form"),
        ({"examples": [{"x": 2**63}]}, "feature 'x' has a whole number beyond the range of int64"),
        ({"examples": [{"x": 3.5e38}]}, "feature 'x' has a number beyond the range of float32"),
        ({"examples": [{"x": 10**400}]}, "feature 'x' has a number beyond the range of float32"),
        ({"examples": [{"x": "\ud800"}]}, "feature 'x' holds text that is not Unicode"),
        ({"examples": [{"\ud800": 1}]}, "the name of a feature is not Unicode"),
    ],
)
def test_what_is_no_example(request_: dict[str, Any], problem: str) -> None:
    with pytest.raises(BadInput, match=problem):
        read(**request_)
