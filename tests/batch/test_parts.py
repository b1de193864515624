"""Parts of an answered file: whatever the order and however often, they are there once."""

import random
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from textapps.batch.model import Answered
from textapps.batch.parts import Parts

windows = st.builds(
    Answered,
    number=st.just(0),
    rows=st.integers(0, 9_000),
    bad_rows=st.integers(0, 9),
    good=st.binary(max_size=40),
    bad=st.binary(max_size=7),
    broken=st.sampled_from(["", "a.csv: no column 'é'\n"]),
    long_rows=st.integers(0, 3),
)


def test_parts_come_back_in_order(tmp_path_factory: pytest.TempPathFactory) -> None:
    @given(st.lists(windows, min_size=1, max_size=6), st.randoms())
    def check(drawn: list[Answered], order: random.Random) -> None:
        parts = Parts(tmp_path_factory.mktemp("parts") / "a.jsonl.gz" / "key")
        numbered = [window._replace(number=number) for number, window in enumerate(drawn)]
        written = [*numbered, order.choice(numbered)]
        order.shuffle(written)
        for window in written:
            assert not parts.complete()
            parts.add(window)
        assert parts.numbers() == set(range(len(drawn)))
        parts.end(len(drawn))
        assert parts.complete()
        assert list(parts) == numbered

    check()


def test_a_missing_part_is_no_end(tmp_path: Path) -> None:
    parts = Parts(tmp_path / "key")
    with pytest.raises(FileNotFoundError):
        list(parts)  # not read to its end
    parts.add(Answered(1, 5, 0, b"good", b"", ""))
    parts.end(2)
    assert not parts.complete()
    with pytest.raises(FileNotFoundError):
        list(parts)
    (tmp_path / "key" / ".aside-x").write_bytes(b"of a killed worker")
    assert parts.numbers() == {1}
