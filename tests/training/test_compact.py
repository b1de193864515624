"""Weights in fewer bytes: how far they are from those in full precision."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from textapps.training.compact import compacted, restored, suffixes

SHAPES = st.sampled_from([(13, 20), (300, 2), (5, 4, 17), (3, 120)])
FLOATS = st.floats(-80, 80, width=32)


@given(SHAPES.flatmap(lambda shape: arrays.arrays(np.float32, shape, elements=FLOATS)))
def test_8_bits_are_off_by_half_a_level_of_their_row(array: np.ndarray) -> None:
    encoding, parts = compacted(array, "int8")
    assert set(parts) == set(suffixes(encoding))
    assert parts[""].dtype == np.int8
    again = restored(encoding, parts)
    assert (again.shape, again.dtype) == (array.shape, np.float32)
    # Of a table with short rows each column is what a row is for others.
    axes = tuple(range(array.ndim - 1)) if array.shape[-1] < 16 else -1
    level = np.abs(array).max(axis=axes, keepdims=True) / 127
    assert np.all(np.abs(again - array) <= 0.5001 * level + 1e-30)
    assert np.all(again[np.broadcast_to(level, array.shape) == 0] == 0)


@given(arrays.arrays(np.float32, (20, 13), elements=FLOATS))
def test_half_precision(array: np.ndarray) -> None:
    encoding, parts = compacted(array, "float16")
    assert parts[""].dtype == np.float16
    np.testing.assert_allclose(restored(encoding, parts), array, rtol=2**-11, atol=2**-25)


@pytest.mark.parametrize("weights", ["int8", "float16"])
@pytest.mark.parametrize(
    "array",
    [
        np.linspace(-1, 1, 999, dtype=np.float32),  # a bias
        np.eye(5, dtype=np.float32),
        np.arange(600, dtype=np.int32).reshape(30, 20),
        np.array([3, 7], np.uint32),  # the state of a random generator
    ],
)
def test_what_is_small_or_exact_stays(array: np.ndarray, weights: str) -> None:
    encoding, parts = compacted(array, weights)  # type: ignore[arg-type]
    assert encoding == ""
    np.testing.assert_array_equal(restored(encoding, parts), array)
    assert restored(encoding, parts).dtype == array.dtype


def test_what_half_precision_cannot_hold_stays() -> None:
    array = np.full((20, 20), 70_000, np.float32)
    assert compacted(array, "float16")[0] == ""


def test_a_constant_table_is_exact() -> None:
    encoding, parts = compacted(np.ones((200, 2), np.float32), "int8")
    np.testing.assert_array_equal(restored(encoding, parts), np.ones((200, 2)))


def test_an_unknown_encoding() -> None:
    with pytest.raises(ValueError, match="unknown encoding of weights 'int4'"):
        suffixes("int4")
