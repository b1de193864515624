"""Tests of parsing bodies."""

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from textapps.savedmodel.errors import BadInput
from textapps.serving.json_body import Repeated, check_exponents, parse_object

DEPTH = 5


@pytest.mark.parametrize(
    ("body", "value"),
    [
        (b"{}", {}),
        (b' {"a": [1, 2.5, true, null, "x"]} ', {"a": [1, 2.5, True, None, "x"]}),
        ('{"a": "ü漢🎬"}'.encode(), {"a": "ü漢🎬"}),
        (b'\xef\xbb\xbf{"a": 1}', {"a": 1}),
        (b'{"a": [[[[]]]]}', {"a": [[[[]]]]}),
        (b'{"a": "[[[[[[[[[[[[[[[[[[ \\" {{{{{{"}', {"a": '[[[[[[[[[[[[[[[[[[ " {{{{{{'}),
        (b'{"a": [{}, {}, {}, [], [], [], [[]]]}', {"a": [{}, {}, {}, [], [], [], [[]]]}),
        (b'{"a": [Infinity, -Infinity]}', {"a": [math.inf, -math.inf]}),
        (b'{"a": [Inf, -Inf], "Inf": "-NaN"}', {"a": [math.inf, -math.inf], "Inf": "-NaN"}),
    ],
)
def test_objects(body: bytes, value: object) -> None:
    assert parse_object(body, DEPTH) == value


@pytest.mark.parametrize("number", [b"NaN", b"-NaN"])
def test_nan_is_a_number(number: bytes) -> None:
    assert math.isnan(parse_object(b'{"a": ' + number + b"}", DEPTH)["a"])


def test_repeated_keys() -> None:
    found = parse_object(b'{"a": {"b": 1, "c": 2, "b": 3}, "a": 4}', DEPTH)
    assert found == {"a": {"b": 1, "c": 2}}
    assert isinstance(found["a"], Repeated)
    assert found["a"].last == {"b": 3, "c": 2}
    assert not isinstance(parse_object(b'{"a": 1, "b": 1}', DEPTH), Repeated)


@pytest.mark.parametrize(
    "number",
    ["1.8e308", "-17.9E+307", "1.25e310", "5e99", "1e0000000308", "1e-999", "0." + "0" * 400 + "1"],
)
def test_numbers_that_are_not_too_large(number: str) -> None:
    check_exponents(f'{{"a": [{number}], "b": "1e999 \\" 1e999", "c": Infinity}}'.encode())


@pytest.mark.parametrize(
    "number", ["1e309", "-1E+309", "1.5e310", "0e400", "1e99999999999999", "1" * 309]
)
def test_numbers_that_are_too_large(number: str) -> None:
    with pytest.raises(BadInput, match="JSON parse error: a number is too large"):
        check_exponents(f'{{"a": [0.5, {number}]}}'.encode())


def test_long_numbers_take_no_longer() -> None:
    check_exponents(b"1" * 300 + b"." + b"1" * 2_000_000)


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        (b"", "the body is empty"),
        (b"instances = [1, 2]", "Expecting value at offset 0"),
        (b'{"a": 1', "Expecting ',' delimiter at offset 7"),
        (b'{"a": 1} {}', "Extra data"),
        (b'{"a": inf}', "Expecting value"),
        (b'{"a": Infi}', "Expecting"),
        (b'{"a": -Nan}', "Expecting value"),
        (b'{"a": "\n"}', "Invalid control character"),
        (b'{"a": "\xff"}', "byte 7 is not UTF-8"),
        ('{"a": 1}'.encode("utf-16"), "byte 0 is not UTF-8"),
        (b"[1]", "should be an object"),
        (b"null", "should be an object"),
        (b'{"a": ' + b"7" * 5000 + b"}", "too many digits"),
        (b'{"a": [[[[[]]]]]}', "nested more than 5 deep"),
        (b'{"a": ' * 6 + b"1" + b"}" * 6, "nested more than 5 deep"),
        (b"[" * 200_000, "nested more than 5 deep"),
        (b'{"a":' * 200_000, "nested more than 5 deep"),
        (b"[" * 200_000 + b"]" * 200_000, "nested more than 5 deep"),
        (b'{"a": "' + b'\\"' * 200_000, "Unterminated string"),
        (b'["' + b'[\\"' * 200_000, "Unterminated string"),
        (b"]" * 200_000, "Expecting value"),
    ],
    ids=lambda value: repr(value[:20]),
)
def test_what_is_none(body: bytes, problem: str) -> None:
    with pytest.raises(BadInput, match="JSON parse error: .*" + problem):
        parse_object(body, DEPTH)


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(st.sampled_from('[]{}"\\a')),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("[{a"), inner, max_size=3),
    max_leaves=12,
)


def depth(value: object) -> int:
    if isinstance(value, dict):
        value = list(value.values())
    return 1 + max(map(depth, value), default=0) if isinstance(value, list) else 0


@given(value=values, limit=st.integers(1, 5))
def test_the_limit_counts_what_is_nested(value: object, limit: int) -> None:
    body = json.dumps({"a": value}).encode()
    if depth({"a": value}) <= limit:
        assert parse_object(body, limit) == {"a": value}
    else:
        with pytest.raises(BadInput, match=f"nested more than {limit} deep"):
            parse_object(body, limit)
