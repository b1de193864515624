import tempfile
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from textapps.preprocessing import key_counts
from textapps.preprocessing.key_counts import KeyCounts

numbers = st.lists(
    st.lists(st.integers(1, 40) | st.integers(2**40, 2**40 + 9), max_size=30), max_size=7
)


@given(numbers, st.integers(1, 3), st.integers(1, 9), st.integers(1, 50))
@settings(max_examples=60, deadline=None)
def test_the_most_frequent_numbers_are_counted(
    arrays: list[list[int]], least: int, most: int, block: int
) -> None:
    counts = Counter(number for array in arrays for number in array)
    frequent = {number: count for number, count in counts.items() if count >= least}
    # All that are as frequent as the one after the most frequent `most` may be left in.
    ranked = sorted(frequent.values(), reverse=True)
    bound = ranked[most] if len(ranked) > most else least
    with pytest.MonkeyPatch.context() as patch, tempfile.TemporaryDirectory() as folder:
        patch.setattr(key_counts, "_BLOCK", block)
        count = KeyCounts(Path(folder), least, most, parts=3)
        keys, found = count(np.array(array, np.int64) for array in arrays)
        assert list(Path(folder).iterdir()) == []
    assert dict(zip(keys.tolist(), found.tolist(), strict=True)) == {
        number: count for number, count in frequent.items() if count >= bound
    }
    assert keys.tolist() == sorted(keys.tolist())
