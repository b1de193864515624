import numpy as np
import tensorflow as tf

from textapps.interpret.patch_occlusion import Grid, patch_occlusion


def test_the_shares_of_a_linear_score_are_the_sums_of_its_patches() -> None:
    drawn = np.random.RandomState(1)
    features = drawn.normal(size=(2, 7, 5)).astype(np.float32)
    fill = drawn.normal(size=(2, 1, 5)).astype(np.float32)
    weights = drawn.normal(size=(7, 5)).astype(np.float32)
    grid = Grid.over(7, 5, columns=3, rows=2)
    found = patch_occlusion(
        lambda x: tf.reduce_sum(weights * x, axis=[1, 2]), tf.constant(features), fill, grid
    )
    terms = weights * (features - fill)
    expected = np.zeros((2, 3, 2))
    for column, (first, last) in enumerate([(0, 3), (3, 6), (6, 7)]):
        for row, (low, high) in enumerate([(0, 3), (3, 5)]):
            expected[:, column, row] = terms[:, first:last, low:high].sum(axis=(1, 2))
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_where_all_is_as_the_fill_nothing_is_found() -> None:
    features = tf.zeros([1, 4, 3])
    grid = Grid.over(4, 3, columns=2, rows=3)
    found = patch_occlusion(lambda x: tf.reduce_sum(x**3 + x, [1, 2]), features, features, grid)
    assert not found.numpy().any()
