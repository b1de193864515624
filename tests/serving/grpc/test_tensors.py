"""Tests of tensors as protos, against TensorFlow's own functions."""

import numpy as np
import pytest
import tensorflow as tf
from google.protobuf import text_format
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from tensorflow.core.framework import tensor_pb2, types_pb2

from textapps.savedmodel.errors import BadInput
from textapps.serving.grpc.tensors import read_tensor, write_tensor

NUMBERS = (
    *("float16", "float32", "float64", "int8", "int16", "int32", "int64"),
    *("uint8", "uint16", "uint32", "uint64", "bool", "complex64", "complex128"),
)
MUCH = 10**6
shapes = arrays.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=4)
numbers = st.sampled_from(NUMBERS).flatmap(lambda dtype: arrays.arrays(dtype, shapes))
brains = arrays.arrays(np.float32, shapes).map(lambda a: a.astype(tf.bfloat16.as_numpy_dtype))
strings = arrays.arrays(object, shapes, elements=st.binary(max_size=5), fill=st.nothing())
any_array = numbers | brains | strings


def check_same(found: np.ndarray, expected: np.ndarray) -> None:
    """Every bit: NaN equals NaN, 0 does not equal -0."""
    assert (found.dtype, found.shape) == (expected.dtype, expected.shape)
    if found.dtype == object:
        assert found.tolist() == expected.tolist()
    else:
        assert found.tobytes() == expected.tobytes()


@given(any_array)
def test_what_tensorflow_writes_is_read(array: np.ndarray) -> None:
    """Numbers in tensor_content, or a single one for all, or a field of their type."""
    check_same(read_tensor(tf.make_tensor_proto(array), "x", MUCH), array)


@given(any_array)
def test_what_tensorflow_serializes_is_read(array: np.ndarray) -> None:
    """Strings in tensor_content too."""
    serialized = tf.io.serialize_tensor(tf.constant(array, tf.as_dtype(array.dtype))).numpy()
    check_same(read_tensor(tensor_pb2.TensorProto.FromString(serialized), "x", MUCH), array)


@given(any_array)
def test_tensorflow_reads_what_is_written(array: np.ndarray) -> None:
    proto = tensor_pb2.TensorProto()
    write_tensor(array, proto)
    assert not proto.tensor_content
    check_same(tf.make_ndarray(proto), array)
    check_same(read_tensor(proto, "x", MUCH), array)


@given(any_array, st.integers(0, 3))
def test_values_that_are_missing(array: np.ndarray, kept: int) -> None:
    proto = tensor_pb2.TensorProto()
    write_tensor(array, proto)
    for field, values in proto.ListFields():
        if field.name.endswith("_val"):
            del values[kept * (2 if array.dtype.kind == "c" else 1) :]
    parsed = tf.io.parse_tensor(proto.SerializeToString(), tf.as_dtype(proto.dtype)).numpy()
    check_same(read_tensor(proto, "x", MUCH), np.asarray(parsed, array.dtype))


@pytest.mark.parametrize("dtype", ["float32", "float64", "bool", "complex64", "int32", "bfloat16"])
def test_many_values(dtype: str) -> None:
    array = (np.arange(40_000).reshape(4, -1) % 300 - 100).astype(dtype)
    proto = tensor_pb2.TensorProto()
    write_tensor(array, proto)
    assert not proto.tensor_content
    check_same(tf.make_ndarray(proto), array)
    check_same(read_tensor(proto, "x", MUCH), array)


def proto_of(text: str) -> tensor_pb2.TensorProto:
    return text_format.Parse(text, tensor_pb2.TensorProto())


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("dtype: DT_INT8 tensor_shape { dim {size: 0} dim {size: 1099511627776} }", "send fewer"),
        ("", "has the data type DT_INVALID"),
        ("dtype: DT_RESOURCE", "has the data type DT_RESOURCE"),
        ("dtype: DT_FLOAT_REF", "has the data type DT_FLOAT_REF"),
        ("dtype: DT_FLOAT tensor_shape { unknown_rank: true }", "should have a shape of up to 32"),
        ("dtype: DT_FLOAT tensor_shape {" + "dim {size: 1}" * 33 + "}", "a shape of up to 32"),
        ("dtype: DT_FLOAT tensor_shape { dim {size: -1} }", "with a negative size"),
        (
            "dtype: DT_FLOAT tensor_shape { dim {size: 250001} }",
            "has the shape [250001]: send fewer",
        ),
        (
            "dtype: DT_STRING tensor_shape { dim {size: 20000} }",
            "has the shape [20000]: send fewer",
        ),
        (
            "dtype: DT_INT8 tensor_shape { dim {size: 4611686018427387904} dim {size: 8} }",
            "send fewer or shorter rows",
        ),
        ("dtype: DT_FLOAT float_val: 1 float_val: 2", "has 2 values in float_val for the shape []"),
        ("dtype: DT_COMPLEX64 scomplex_val: 1", "has 1 values in scomplex_val"),
        ("dtype: DT_INT8 int_val: 128", "has a number beyond the range of int8"),
        ("dtype: DT_UINT8 int_val: -1", "has a number beyond the range of uint8"),
        ("dtype: DT_HALF half_val: 65536", "has a number beyond the range of uint16"),
        ("dtype: DT_INT32 tensor_content: '123'", "3 bytes of tensor_content; its shape needs 4"),
        ("dtype: DT_STRING tensor_content: '\\377'", "a tensor_content that is not one of strings"),
    ],
)
def test_what_is_refused(text: str, problem: str) -> None:
    with pytest.raises(BadInput, match=r"^input 'x' ") as caught:
        read_tensor(proto_of(text), "x", MUCH)
    assert problem in str(caught.value)


def test_odd_tensors() -> None:
    proto = proto_of(
        "dtype: DT_BOOL tensor_shape {dim {size: 3}} tensor_content: '\\000\\001\\002'"
    )
    assert read_tensor(proto, "x", MUCH).tolist() == [False, True, True]
    proto.dtype = 99
    with pytest.raises(BadInput, match="data type 99"):
        read_tensor(proto, "x", MUCH)
    with pytest.raises(BadInput, match="an output is datetime64"):
        write_tensor(np.array(["2026-11-28"], "datetime64[D]"), tensor_pb2.TensorProto())


@given(st.binary(max_size=40), st.sampled_from(types_pb2.DataType.values()))
def test_any_bytes(body: bytes, dtype: int) -> None:
    proto = tensor_pb2.TensorProto(tensor_content=body, dtype=dtype)
    proto.tensor_shape.dim.add(size=len(body))
    proto.int_val.extend(body[:3])
    try:
        array = read_tensor(proto, "x", MUCH)
    except BadInput:
        return
    assert array.shape == (len(body),)
