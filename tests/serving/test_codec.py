"""Tests of the encoding, against TensorFlow Serving's rules for it."""

import base64
import math
from typing import Any

import ml_dtypes
import numpy as np
import pytest

from textapps.savedmodel.errors import BadInput
from textapps.serving.codec import ModelSpec, decode_request, signature_dtypes


def model(**dtypes: str) -> ModelSpec:
    return ModelSpec("m", {"serving_default": dtypes})


def decode(body: dict[str, Any], **dtypes: str) -> dict[str, np.ndarray]:
    return decode_request(body, model(**dtypes)).inputs


def b64(data: bytes) -> dict[str, str]:
    return {"b64": base64.b64encode(data).decode()}


@pytest.mark.parametrize(
    ("dtype", "instances", "shape", "values"),
    [
        ("string", ["a", "ü"], (2,), [b"a", b"\xc3\xbc"]),
        (
            "string",
            [["a", "b", "c"], ["d", "e", "f"]],
            (2, 3),
            [b"a", b"b", b"c", b"d", b"e", b"f"],
        ),
        ("string", [b64(b"\x00\xff"), "a"], (2,), [b"\x00\xff", b"a"]),
        ("string", ["a", b64(b"\x00\xff")], (2,), [b"a", b"\x00\xff"]),
        ("string", [{"b64": "AP8"}], (1,), [b"\x00\xff"]),
        ("string", [{"b64": ""}], (1,), [b""]),
        ("string", [{"b64": "AP\n8 =\r\n"}, {"b64": " AA.. "}], (2,), [b"\x00\xff", b"\x00"]),
        ("int32", [[[1], [2], [-3]]], (1, 3, 1), [1, 2, -3]),
        ("int32", [[], []], (2, 0), []),
        ("int64", [2**63 - 1, -(2**63)], (2,), [2**63 - 1, -(2**63)]),
        ("uint64", [2**64 - 1, 0], (2,), [2**64 - 1, 0]),
        ("int8", [-128, 127], (2,), [-128, 127]),
        ("bool", [True, False], (2,), [True, False]),
        ("float32", [1, 2.5, -3e38], (3,), [1.0, 2.5, np.float32(-3e38)]),
        ("float32", [2**24 - 1, -(2**24) + 1], (2,), [2**24 - 1, -(2**24) + 1]),
        ("float32", [2**24 + 1, -1_764_374_400, 2**127], (3,), [2.0**24, -1764374400.0, 2.0**127]),
        ("float64", [2**53 + 1, -(2**64), 10**308], (3,), [2.0**53, -(2.0**64), 1e308]),
        ("float32", [math.inf, -math.inf], (2,), [math.inf, -math.inf]),
        ("float64", [2**53 - 1, 1e308], (2,), [2**53 - 1, 1e308]),
        ("float16", [0.5, 2047, 65504.0], (3,), [0.5, 2047, 65504]),
        ("bfloat16", [0.5, 255, 3.3e38], (3,), [0.5, 255, ml_dtypes.bfloat16(3.3e38)]),
    ],
)
def test_rows_of_a_single_input(
    dtype: str, instances: list[Any], shape: tuple[int, ...], values: list[Any]
) -> None:
    _, row_format, inputs = decode_request({"instances": instances}, model(x=dtype))
    assert row_format
    assert inputs["x"].shape == shape
    assert inputs["x"].dtype == (object if dtype == "string" else np.dtype(dtype))
    assert inputs["x"].ravel().tolist() == values
    _, row_format, inputs = decode_request({"inputs": {"x": instances}}, model(x=dtype))
    assert not row_format
    assert inputs["x"].ravel().tolist() == values


def test_nan_is_a_number() -> None:
    assert np.isnan(decode({"instances": [math.nan]}, x="float32")["x"]).all()


def test_rows_of_named_inputs() -> None:
    inputs = decode(
        {"instances": [{"x": [1, 2], "y": "a"}, {"y": b64(b"b"), "x": [3, 4]}]},
        x="int32",
        y="string",
    )
    assert inputs["x"].tolist() == [[1, 2], [3, 4]]
    assert inputs["y"].tolist() == [b"a", b"b"]
    assert decode({"instances": [{"x": 5}]}, x="int64")["x"].tolist() == [5]


@pytest.mark.parametrize(
    ("given", "array"),
    [
        (3, np.array(3, np.int32)),
        ([3, 4], np.array([3, 4], np.int32)),
        ({"x": [[3]], "other": "left alone"}, np.array([[3]], np.int32)),
    ],
)
def test_columns(given: Any, array: np.ndarray) -> None:
    inputs = decode({"inputs": given}, x="int32")
    np.testing.assert_array_equal(inputs["x"], array)
    assert inputs["x"].shape == array.shape


def test_a_string_in_base64_is_a_value_not_an_object_of_inputs() -> None:
    assert decode({"inputs": b64(b"\xff")}, x="string")["x"].tolist() == b"\xff"
    assert decode({"inputs": {"b64": ["a"]}}, b64="string")["b64"].tolist() == [b"a"]


ONE: dict[str, str] = {"x": "float32"}
TWO = {"x": "int32", "y": "string"}


@pytest.mark.parametrize(
    ("body", "inputs", "problem"),
    [
        ({}, ONE, "one of 'instances' and 'inputs'"),
        ({"instances": [1], "inputs": [1]}, ONE, "one of 'instances' and 'inputs'"),
        ({"instances": []}, ONE, "a list of at least one"),
        ({"instances": {}}, ONE, "a list of at least one"),
        ({"instances": None}, ONE, "a list of at least one"),
        ({"instances": "abc"}, {"x": "string"}, "a list of at least one"),
        ({"instances": [1]}, {}, "has no inputs"),
        ({"instances": [{"x": 1}, 2]}, ONE, "all objects or all values"),
        ({"instances": [1, {"x": 2}]}, ONE, "all objects or all values"),
        ({"instances": [1, 2]}, TWO, "objects with the keys 'x', 'y'"),
        ({"instances": [{"x": 1}]}, TWO, "instance 0 should have the keys 'x', 'y'"),
        (
            {"instances": [{"x": 1, "y": "a"}, {"x": 1, "y": "a", "z": 1}]},
            TWO,
            "instance 1 should have the keys",
        ),
        ({"instances": [{"x": 1}, {"z": 1}]}, ONE, "instance 1 should have the keys 'x'"),
        ({"instances": [[1, 2], [3]]}, ONE, "differ in length or depth"),
        ({"instances": [[1, 2], 3]}, ONE, "differ in length or depth"),
        ({"instances": [1, [2]]}, ONE, "values of type float32"),
        ({"instances": [[[1]], [[]]]}, ONE, "differ in length or depth"),
        ({"instances": ["1"]}, ONE, "values of type float32"),
        ({"instances": [True]}, ONE, "values of type float32"),
        ({"instances": [None]}, ONE, "values of type float32"),
        ({"instances": [{"x": {}}]}, ONE, "values of type float32"),
        ({"instances": [b64(b"a")]}, ONE, "values of type float32"),
        ({"instances": [10**400]}, ONE, "beyond the range of float32"),
        ({"instances": [-(10**39)]}, ONE, "beyond the range of float32"),
        ({"instances": [1e39]}, ONE, "beyond the range of float32"),
        ({"instances": [65505.0]}, {"x": "float16"}, "beyond the range of float16"),
        ({"instances": [2**31]}, {"x": "int32"}, "beyond the range of int32"),
        ({"instances": [2**63]}, {"x": "int64"}, "beyond the range of int64"),
        ({"instances": [-1]}, {"x": "uint8"}, "beyond the range of uint8"),
        ({"instances": [128]}, {"x": "int8"}, "beyond the range of int8"),
        ({"instances": [1.0]}, {"x": "int32"}, "values of type int32"),
        ({"instances": [True]}, {"x": "int32"}, "values of type int32"),
        ({"instances": [1]}, {"x": "bool"}, "values of type bool"),
        ({"instances": [1]}, {"x": "string"}, "values of type string"),
        ({"instances": ["a", 1]}, {"x": "string"}, "values of type string"),
        ({"instances": [["a"], [{"b64": 1}]]}, {"x": "string"}, "not of the form"),
        ({"instances": [["a"], [{"b64": "A", "c": 1}]]}, {"x": "string"}, "not of the form"),
        ({"instances": [{"b64": "ä"}]}, {"x": "string"}, "not base64"),
        ({"instances": [{"b64": "A"}]}, {"x": "string"}, "not base64"),
        ({"instances": [{"b64": "A A="}]}, {"x": "string"}, "not base64"),
        ({"instances": [{"b64": "A-_A"}]}, {"x": "string"}, "not base64"),
        ({"instances": [{"b64": "AA===="}]}, {"x": "string"}, "not base64"),
        ({"instances": ["\ud800"]}, {"x": "string"}, "text that is not Unicode"),
        ({"instances": [1]}, {"x": "complex64"}, "complex64, which JSON cannot stand for"),
        ({"inputs": [1]}, TWO, "an object with the keys 'x', 'y'"),
        ({"inputs": {"x": 1}}, TWO, "lacks 'y'"),
        ({"inputs": None}, ONE, "values of type float32"),
    ],
)
def test_what_does_not_fit(body: dict[str, Any], inputs: dict[str, str], problem: str) -> None:
    with pytest.raises(BadInput, match=problem):
        decode_request(body, model(**inputs))


def test_the_name_of_the_signature() -> None:
    several = ModelSpec("m", {"serving_default": {"x": "int8"}, "score": {"y": "string"}})
    assert signature_dtypes({"signature_name": "score"}, several) == ("score", {"y": "string"})
    for default in ({}, {"signature_name": ""}):
        assert signature_dtypes(default, several) == ("serving_default", {"x": "int8"})
    for wrong in (None, 1, ["score"]):
        with pytest.raises(BadInput, match="should be a string"):
            signature_dtypes({"signature_name": wrong}, several)
    with pytest.raises(BadInput, match="no signature 'x'; model 'm' has 'serving_default', 'score"):
        signature_dtypes({"signature_name": "x"}, several)
