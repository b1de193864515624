"""Tests of the encoding, against TensorFlow Serving's rules for it."""

import base64
import json
import math
from types import SimpleNamespace
from typing import Any

import ml_dtypes
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from textapps.savedmodel.errors import BadInput
from textapps.savedmodel.manifest import TensorInfo
from textapps.serving.codec import decode_request, encode_response, signature_name


def signature(**dtypes: str) -> Any:
    specs = {name: TensorInfo(dtype=dtype, shape=None) for name, dtype in dtypes.items()}
    return SimpleNamespace(name="default", inputs=specs)


def decode(body: dict[str, Any], **dtypes: str) -> dict[str, np.ndarray]:
    return decode_request(body, signature(**dtypes))[1]


def b64(data: bytes) -> dict[str, str]:
    return {"b64": base64.b64encode(data).decode()}


@pytest.mark.parametrize(
    ("dtype", "instances", "shape", "values"),
    [
        ("string", ["a", "ü"], (2,), ["a", "ü"]),
        ("string", [["a", "b", "c"], ["d", "e", "f"]], (2, 3), ["a", "b", "c", "d", "e", "f"]),
        ("string", [b64(b"\x00\xff"), "a"], (2,), [b"\x00\xff", "a"]),
        ("string", ["a", b64(b"\x00\xff")], (2,), ["a", b"\x00\xff"]),
        ("string", [{"b64": "AP8"}], (1,), [b"\x00\xff"]),
        ("string", [{"b64": ""}], (1,), [b""]),
        ("int32", [[[1], [2], [-3]]], (1, 3, 1), [1, 2, -3]),
        ("int32", [[], []], (2, 0), []),
        ("int64", [2**63 - 1, -(2**63)], (2,), [2**63 - 1, -(2**63)]),
        ("uint64", [2**64 - 1, 0], (2,), [2**64 - 1, 0]),
        ("int8", [-128, 127], (2,), [-128, 127]),
        ("bool", [True, False], (2,), [True, False]),
        ("float32", [1, 2.5, -3e38], (3,), [1.0, 2.5, np.float32(-3e38)]),
        ("float32", [2**24 - 1, -(2**24) + 1], (2,), [2**24 - 1, -(2**24) + 1]),
        ("float32", [math.inf, -math.inf], (2,), [math.inf, -math.inf]),
        ("float64", [2**53 - 1, 1e308], (2,), [2**53 - 1, 1e308]),
        ("float16", [0.5, 2047, 65504.0], (3,), [0.5, 2047, 65504]),
        ("bfloat16", [0.5, 255, 3.3e38], (3,), [0.5, 255, ml_dtypes.bfloat16(3.3e38)]),
    ],
)
def test_rows_of_a_single_input(
    dtype: str, instances: list[Any], shape: tuple[int, ...], values: list[Any]
) -> None:
    row_format, inputs = decode_request({"instances": instances}, signature(x=dtype))
    assert row_format
    assert inputs["x"].shape == shape
    assert inputs["x"].dtype == (object if dtype == "string" else np.dtype(dtype))
    assert inputs["x"].ravel().tolist() == values
    row_format, inputs = decode_request({"inputs": {"x": instances}}, signature(x=dtype))
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
    assert inputs["y"].tolist() == ["a", b"b"]
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
    assert decode({"inputs": {"b64": ["a"]}}, b64="string")["b64"].tolist() == ["a"]


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
        ({"instances": [2**24]}, ONE, "cannot hold without loss"),
        ({"instances": [-(2**24)]}, ONE, "cannot hold without loss"),
        ({"instances": [10**400]}, ONE, "cannot hold without loss"),
        ({"instances": [1e39]}, ONE, "beyond the range of float32"),
        ({"instances": [2**53]}, {"x": "float64"}, "cannot hold without loss"),
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
        ({"instances": [1]}, {"x": "complex64"}, "complex64, which JSON cannot stand for"),
        ({"inputs": [1]}, TWO, "an object with the keys 'x', 'y'"),
        ({"inputs": {"x": 1}}, TWO, "lacks 'y'"),
        ({"inputs": None}, ONE, "values of type float32"),
    ],
)
def test_what_does_not_fit(body: dict[str, Any], inputs: dict[str, str], problem: str) -> None:
    with pytest.raises(BadInput, match=problem):
        decode_request(body, signature(**inputs))


def test_the_name_of_the_signature() -> None:
    assert signature_name({"signature_name": "score"}) == "score"
    assert signature_name({}) == signature_name({"signature_name": ""}) == "serving_default"
    for wrong in (None, 1, ["score"]):
        with pytest.raises(BadInput, match="should be a string"):
            signature_name({"signature_name": wrong})


def strings(*values: bytes) -> np.ndarray:
    array = np.empty(len(values), dtype=object)
    array[:] = values
    return array


@pytest.mark.parametrize(
    ("array", "text"),
    [
        (np.array([0.1, 3, 1e-45, 1e20], np.float32), "[0.1,3.0,1e-45,1e+20]"),
        (np.array([0.1, 2], np.float64), "[0.1,2.0]"),
        (np.array([0.1, 65504], np.float16), "[0.099975586,65504.0]"),
        (np.array([1.5], ml_dtypes.bfloat16), "[1.5]"),
        (np.array([np.nan, np.inf, -np.inf], np.float32), "[NaN,Infinity,-Infinity]"),
        (np.array([np.nan, np.inf, -np.inf], np.float64), "[NaN,Infinity,-Infinity]"),
        (np.array([[-(2**63)], [2**63 - 1]]), "[[-9223372036854775808],[9223372036854775807]]"),
        (np.array([2**64 - 1], np.uint64), "[18446744073709551615]"),
        (np.array([[True, False]]), "[[true,false]]"),
        (np.zeros([2, 0, 3], np.float32), "[[],[]]"),
        (strings("ü\n".encode(), b'"'), '["ü\\n","\\""]'),
        (strings(b"\xff\x00"), '["\ufffd\\u0000"]'),
    ],
)
def test_values_as_text(array: np.ndarray, text: str) -> None:
    assert encode_response({"y": array}, row_format=True).decode() == f'{{"predictions":{text}}}'
    assert encode_response({"y": array}, row_format=False).decode() == f'{{"outputs":{text}}}'


def test_strings_are_base64_where_the_name_says_bytes() -> None:
    outputs = {"image_bytes": strings(b"\xff", b""), "bytes": strings(b"a", b"b")}
    assert json.loads(encode_response(outputs, row_format=True)) == {
        "predictions": [
            {"image_bytes": b64(b"\xff"), "bytes": "a"},
            {"image_bytes": b64(b""), "bytes": "b"},
        ]
    }
    outputs = {"image_bytes": strings(b"a", b"b").reshape(2, 1)}
    assert json.loads(encode_response(outputs, row_format=False)) == {
        "outputs": [[b64(b"a")], [b64(b"b")]]
    }


def test_outputs_without_rows() -> None:
    outputs = {"y": np.array(2.5, np.float32), "z": np.array([1, 2])}
    assert json.loads(encode_response(outputs, row_format=False)) == {
        "outputs": {"y": 2.5, "z": [1, 2]}
    }
    with pytest.raises(BadInput, match="'y' has no rows"):
        encode_response(outputs, row_format=True)
    with pytest.raises(BadInput, match="differ in their number of rows"):
        encode_response({"y": np.array([1]), "z": np.array([1, 2])}, row_format=True)
    with pytest.raises(BadInput, match="complex64, which JSON cannot stand for"):
        encode_response({"y": np.array([1j], np.complex64)}, row_format=True)


dtypes = st.sampled_from(
    ["bool", "int8", "uint8", "int32", "int64", "uint64", "float16", "float32"]
)
shapes = arrays.array_shapes(min_dims=1, max_dims=3, min_side=1, max_side=4)


@given(array=arrays.arrays(dtypes, shapes))
def test_an_array_comes_back_to_the_last_bit(array: np.ndarray) -> None:
    for row_format, key, back in ((True, "predictions", "instances"), (False, "outputs", "inputs")):
        answer = json.loads(encode_response({"y": array}, row_format))
        again = decode({back: answer[key]}, x=array.dtype.name)["x"]
        np.testing.assert_array_equal(again, array)
        assert again.dtype == array.dtype


@given(values=st.lists(st.binary(max_size=5), min_size=1, max_size=3))
def test_bytes_come_back(values: list[bytes]) -> None:
    answer = json.loads(encode_response({"y_bytes": strings(*values)}, row_format=True))
    assert decode({"instances": answer["predictions"]}, x="string")["x"].tolist() == values
