import itertools

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from textapps.evaluation.metrics.lengths import length_groups, words


@given(st.lists(st.integers(0, 30), max_size=60), st.integers(1, 9))
def test_groups_share_the_examples_out_and_keep_equals_together(lengths, groups):
    found = list(length_groups(lengths, groups))
    assert len(found) <= groups
    assert (
        sum(members for *_, members in found).tolist() == [1] * len(lengths)
        if lengths
        else not found
    )
    for low, high, members in found:
        inside = np.array(lengths)[members]
        assert (low, high) == (inside.min(), inside.max())
    for (_, high, _), (low, _, _) in itertools.pairwise(found):
        assert high < low


def test_groups_are_of_about_equal_size():
    sizes = [members.sum() for *_, members in length_groups(np.arange(1000) // 4, 8)]
    assert len(sizes) == 8
    assert max(sizes) - min(sizes) <= 8


def test_words_of_any_script():
    assert words("  Größe,\tdon't\n12.5 ") == ["Größe,", "don't", "12.5"]
    assert words("他叫Tom。𠀋カナ") == ["他", "叫", "Tom。", "𠀋", "カ", "ナ"]
    assert words(" \n") == []
