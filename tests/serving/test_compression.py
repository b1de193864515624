"""Bodies compressed by gzip, and what pretends to be."""

import gzip

import pytest
from hypothesis import given
from hypothesis import strategies as st

from textapps.savedmodel.errors import BadInput
from textapps.serving.compression import gunzip
from textapps.serving.exchange import Refusal

LIMIT = 1000
ABC = gzip.compress(b"abc", mtime=0)  # all workers of pytest see the same tests


@given(st.lists(st.binary(max_size=300), min_size=1, max_size=3))
def test_members_are_joined(members: list[bytes]) -> None:
    body = bytearray(b"".join(map(gzip.compress, members)))
    assert gunzip(body, LIMIT) == b"".join(members)


def test_no_more_than_the_limit() -> None:
    assert len(gunzip(bytearray(gzip.compress(b"a" * LIMIT)), LIMIT)) == LIMIT
    for sizes in [(LIMIT + 1,), (LIMIT, 1), (50_000_000,)]:
        body = bytearray(b"".join(gzip.compress(b"a" * size) for size in sizes))
        with pytest.raises(Refusal, match="the body has more than 1,000 bytes") as caught:
            gunzip(body, LIMIT)
        assert caught.value.status == 413


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        (b"{}", "incorrect header"),
        (ABC[:-1], "its end is missing"),
        (ABC + b"more", "incorrect header"),
        (ABC[:-8] + b"\0" * 8, "incorrect data check"),
    ],
)
def test_what_is_not_gzip(body: bytes, problem: str) -> None:
    with pytest.raises(BadInput, match=f"cannot be decompressed by gzip: .*{problem}"):
        gunzip(bytearray(body), LIMIT)


def test_many_members_are_refused() -> None:
    """Each would copy what follows it: 4 MB of empty members once took minutes."""
    empty = gzip.compress(b"", mtime=0)
    assert gunzip(bytearray(empty * 999 + ABC), LIMIT) == b"abc"
    with pytest.raises(BadInput, match="more than 1,000 members"):
        gunzip(bytearray(empty * 200_000), LIMIT)


@given(st.lists(st.integers(65_400, 65_600), min_size=1, max_size=3))
def test_members_of_about_a_piece(sizes: list[int]) -> None:
    """Not compressed, so that a member ends before, at and after the end of a piece."""
    members = [bytes(range(256)) * (size // 256) + b"x" * (size % 256) for size in sizes]
    body = bytearray(b"".join(gzip.compress(member, 0) for member in members))
    assert gunzip(body, 300_000) == b"".join(members)
