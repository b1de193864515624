"""Tensors as JSON and back."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from textapps.savedmodel.tensors import decode, encode

TEXTS = hnp.arrays(
    object,
    hnp.array_shapes(max_dims=2, min_side=0, max_side=3),
    elements=st.binary(max_size=5) | st.text(max_size=5).map(str.encode),
)
NUMBERS = hnp.arrays(
    st.sampled_from(["float32", "float64", "int32", "int64", "bool"]),
    hnp.array_shapes(max_dims=3, min_side=0, max_side=3),
)


@settings(deadline=None)
@given(TEXTS | NUMBERS)
def test_encoding_gives_back_every_bit(array):
    decoded = decode(encode(array))
    assert (decoded.dtype, decoded.shape) == (array.dtype, array.shape)
    if array.dtype == object:
        assert decoded.tolist() == array.tolist()
    else:
        assert np.array_equal(decoded, array, equal_nan=array.dtype.kind == "f")
