"""The quick way finds what the plain one does."""

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given
from hypothesis import strategies as st

from textapps.decoding.top_k import top_k


@pytest.mark.parametrize("size", [7, 999, 1000, 1009, 1536, 8000])
@given(
    seed=st.integers(0, 2**16),
    count=st.sampled_from([1, 2, 7]),
    levels=st.sampled_from([2, 30, 10**6]),
)
def test_it_is_a_stable_sort(size: int, seed: int, count: int, levels: int) -> None:
    """Few levels make many equals, of which the lowest ids come first."""
    logits = np.random.default_rng(seed).integers(-levels, levels, (3, size)).astype("float32")
    logits[1] = -1e9
    values, ids = top_k(tf.constant(logits), count)
    expected = np.argsort(-logits, axis=1, kind="stable")[:, :count]
    np.testing.assert_array_equal(ids, expected)
    np.testing.assert_array_equal(values, np.take_along_axis(logits, expected, axis=1))


def test_it_takes_any_number_of_rows() -> None:
    run = tf.function(lambda x: top_k(x, 4), input_signature=[tf.TensorSpec([None, 2003])])
    assert [leaf.shape for leaf in run(np.zeros((0, 2003), "float32"))] == [(0, 4), (0, 4)]
