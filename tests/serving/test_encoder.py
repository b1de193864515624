"""Tests of the encoding of answers, against TensorFlow Serving's rules for it."""

import base64
import json
from typing import Any

import ml_dtypes
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from tests.serving.models import strings
from textapps.savedmodel.errors import BadInput
from textapps.serving import encoder
from textapps.serving.codec import ModelSpec, decode_request
from textapps.serving.encoder import encode_response


def encode(outputs: dict[str, np.ndarray], row_format: bool, most_bytes: int = 10**7) -> str:
    return b"".join(encode_response(outputs, row_format, most_bytes)).decode()


def decode(body: dict[str, Any], **dtypes: str) -> dict[str, np.ndarray]:
    return decode_request(body, ModelSpec("m", {"serving_default": dtypes})).inputs


def b64(data: bytes) -> dict[str, str]:
    return {"b64": base64.b64encode(data).decode()}


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
    assert encode({"y": array}, row_format=True) == f'{{"predictions":{text}}}'
    assert encode({"y": array}, row_format=False) == f'{{"outputs":{text}}}'


def test_strings_are_base64_where_the_name_says_bytes() -> None:
    outputs = {"image_bytes": strings(b"\xff", b""), "bytes": strings(b"a", b"b")}
    assert json.loads(encode(outputs, row_format=True)) == {
        "predictions": [
            {"image_bytes": b64(b"\xff"), "bytes": "a"},
            {"image_bytes": b64(b""), "bytes": "b"},
        ]
    }
    outputs = {"image_bytes": strings(b"a", b"b").reshape(2, 1)}
    assert json.loads(encode(outputs, row_format=False)) == {"outputs": [[b64(b"a")], [b64(b"b")]]}


def test_outputs_without_rows() -> None:
    outputs = {"y": np.array(2.5, np.float32), "z": np.array([1, 2])}
    assert json.loads(encode(outputs, row_format=False)) == {"outputs": {"y": 2.5, "z": [1, 2]}}
    with pytest.raises(BadInput, match="'y' has no rows"):
        encode(outputs, row_format=True)
    with pytest.raises(BadInput, match="differ in their number of rows"):
        encode({"y": np.array([1]), "z": np.array([1, 2])}, row_format=True)
    with pytest.raises(BadInput, match="complex64, which JSON cannot stand for"):
        encode({"y": np.array([1j], np.complex64)}, row_format=True)


dtypes = st.sampled_from(
    ["bool", "int8", "uint8", "int32", "int64", "uint64", "float16", "float32"]
)
shapes = arrays.array_shapes(min_dims=1, max_dims=3, min_side=1, max_side=4)


@given(array=arrays.arrays(dtypes, shapes))
def test_an_array_comes_back_to_the_last_bit(array: np.ndarray) -> None:
    for row_format, key, back in ((True, "predictions", "instances"), (False, "outputs", "inputs")):
        answer = json.loads(encode({"y": array}, row_format))
        again = decode({back: answer[key]}, x=array.dtype.name)["x"]
        np.testing.assert_array_equal(again, array)
        assert again.dtype == array.dtype


@given(values=st.lists(st.binary(max_size=5), min_size=1, max_size=3))
def test_bytes_come_back(values: list[bytes]) -> None:
    answer = json.loads(encode({"y_bytes": strings(*values)}, row_format=True))
    assert decode({"instances": answer["predictions"]}, x="string")["x"].tolist() == values


def as_python_has_it(array: np.ndarray) -> str:
    """The text of an array, digit by digit as NumPy and Python write its numbers."""
    if array.dtype == np.float32:
        array = array.astype(str).astype(np.float64)
    return json.dumps(array.tolist(), separators=(",", ":"))


@given(
    array=arrays.arrays(
        st.sampled_from(["float32", "float64"]),
        arrays.array_shapes(min_dims=1, max_dims=2, max_side=5),
        elements=st.one_of(st.floats(width=32), st.floats(2.0**-17, 2.0**-10, width=32)),
    )
)
def test_numbers_are_written_as_python_has_them(array: np.ndarray) -> None:
    assert encode({"y": array}, row_format=True) == f'{{"predictions":{as_python_has_it(array)}}}'


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("exponent", [-5, -4, 12, 13, 14, 15, 16])
def test_numbers_around_those_with_an_exponent(exponent: int, dtype: type) -> None:
    power = np.array([10.0**exponent], dtype)
    around = [np.nextafter(power, dtype(side)) for side in (-np.inf, np.inf)]
    array = np.concatenate([power, *around])
    assert encode({"y": array}, row_format=False) == f'{{"outputs":{as_python_has_it(array)}}}'


@given(
    rows=st.integers(0, 5),
    shape=st.lists(st.integers(0, 4), max_size=2),
    names=st.lists(st.sampled_from("abc"), min_size=1, unique=True),
    at_once=st.integers(1, 9),
)
def test_pieces_make_the_same_text(
    rows: int, shape: list[int], names: list[str], at_once: int
) -> None:
    """However small they are."""
    count = rows * int(np.prod(shape))
    numbers = (np.arange(count, dtype=np.float32) / 3).reshape(rows, *shape)
    texts = strings(*(b"x" * (70 * n) for n in range(rows)))
    outputs = {name: numbers + ord(name) for name in names} | {"text": texts}
    for chosen in (outputs, {"y": numbers}, {"y": texts}):
        for row_format in (True, False):
            whole = encode(chosen, row_format)
            with pytest.MonkeyPatch.context() as patch:
                patch.setattr(encoder, "_VALUES", at_once)
                assert encode(chosen, row_format) == whole


def test_pieces_are_small() -> None:
    outputs = {"scores": np.ones([3, 50_000], np.float32), "label": strings(b"a", b"b", b"c")}
    for row_format in (True, False):
        pieces = encode_response(outputs, row_format, 10**7)
        assert max(map(len, pieces)) < 50_000
        assert len(json.loads(b"".join(pieces))["predictions" if row_format else "outputs"]) > 1


def test_an_answer_that_is_too_large_is_not_made_to_its_end() -> None:
    array = np.ones([1000, 1000], np.float32)
    with pytest.raises(BadInput, match="the answer is larger than 50,000 bytes: send fewer"):
        encode({"y": array}, row_format=True, most_bytes=50_000)
    small = {"y": array[0, :9]}
    text = encode(small, row_format=True)
    assert encode(small, row_format=True, most_bytes=len(text)) == text
