"""Byte offsets of tokens, against a tokenizer in plain Python and against laws."""

import re
import unicodedata

import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from textapps.preprocessing.config import TextConfig
from textapps.preprocessing.places import places_of
from textapps.preprocessing.text import tokenize

# What trips over offsets: accents that compose, Hangul in parts, invisible characters, letters
# that change their length in lower case or their bytes in form C, tags, marks, four-byte emoji.
NASTY = [
    *"aB'’<>/ \t\n\x00\x01\x02.,Éé",
    "e\u0301",
    "E\u0301\u0327",
    "\u0301",
    "\u1112\u1161\u11ab",
    "한",
    "\uac00\u11a8",
    "\u00ad",
    "\u200b",
    "\u200d",
    "\ufeff",
    "\u2060",
    "İ",
    "ΑΣ",
    "\u2126",
    "\u212b",
    "\u0958",
    "ก\u200bข",
    "<br />",
    "<b>",
    "猫",
    "👍🏽",
    "\u00a0",
    "\u2028",
    "don’t",
    "\u0d46\u0d3e",
]
nasty = st.lists(st.sampled_from(NASTY), max_size=12).map("".join)
configs = st.builds(
    TextConfig,
    tokens=st.sampled_from(["word", "char"]),
    unicode=st.sampled_from(["nfc", "raw"]),
    lowercase=st.booleans(),
    standardize=st.booleans(),
)


def spans(text: bytes, config: TextConfig) -> list[tuple[str, int, int]]:
    found = places_of(tf.constant([text]), config)
    rows = zip(*(each[0].numpy().tolist() for each in found), strict=True)
    return [(token.decode(), begin, end) for token, begin, end in rows if token]


def tokens_of(text: bytes, config: TextConfig) -> list[str]:
    [row] = tokenize(tf.constant([text]), config).to_list()
    return [token.decode().replace("\u02bc", "'") for token in row]


def in_python(text: str) -> list[tuple[str, int, int]]:
    """The words of a text in form C without capital letters, and their bytes."""
    blank = [unicodedata.category(each)[0] in "ZC" or each.isspace() for each in text]
    for tag in re.finditer(r"<[^<>]{1,200}>", text):
        blank[tag.start() : tag.end()] = [True] * len(tag[0])
    found: list[list[int]] = []
    joins = False  # whether the next character may belong to the last token
    for i, each in enumerate(text):
        inner = 0 < i < len(text) - 1 and each in "'’"
        inner = inner and not blank[i - 1] and not blank[i + 1]
        inner = inner and all(unicodedata.category(text[j])[0] in "LN" for j in (i - 1, i + 1))
        letter = unicodedata.category(each)[0] in "LMN" or inner
        if blank[i]:
            joins = False
        elif letter and joins:
            found[-1][1] = i + 1
        else:
            found.append([i, i + 1])
            joins = letter
    sizes = [len(each.encode()) for each in text]
    return [
        (text[begin:end].replace("’", "'"), sum(sizes[:begin]), sum(sizes[:end]))
        for begin, end in found
    ]


@pytest.mark.slow
@settings(max_examples=80, deadline=None)
@given(st.text(st.sampled_from("ab1é猫ß👍<>/'’.,! \t\n\u00a0\x00\x01\x02\u2028"), max_size=25))
def test_words_stand_where_a_tokenizer_in_python_finds_them(text: str) -> None:
    # Two apostrophes in one word are cut by the first pattern once only, as in the model's tokens.
    text = re.sub(r"(.)['’](.)['’]", r"\1'\2 ", text)
    assert spans(text.encode(), TextConfig()) == in_python(text)


@pytest.mark.slow
@settings(max_examples=120, deadline=None)
@given(nasty, configs)
def test_each_token_is_what_its_bytes_alone_give_and_nothing_is_between(
    text: str, config: TextConfig
) -> None:
    whole, end = text.encode(), 0
    found = spans(whole, config)
    assert [token for token, *_ in found] == tokens_of(whole, config)
    for token, begin, after in found:
        assert 0 <= begin < after <= len(whole)
        # A long accent, or a letter that becomes two, gives several tokens the same bytes.
        assert begin >= end or whole[begin:after] in [whole[b:e] for t, b, e in found if t != token]
        end = max(end, after)
        alone = tokens_of(whole[begin:after], config) or [" "]
        if token == "\u200b":  # a letter of Khmer, Lao, Myanmar or Thai before it keeps it
            continue
        assert token.replace("ς", "σ") in [each.replace("ς", "σ") for each in alone]
    if config.tokens == "word":
        for token, (_, _, begin), (_, after, _) in zip(found, found, found[1:], strict=False):
            gap = whole[begin:after]
            assert not tokens_of(gap, config), (token, gap)


@pytest.mark.slow
@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=20), configs)
def test_bytes_that_are_not_utf8(text: bytes, config: TextConfig) -> None:
    found = spans(text, config)
    assert [token for token, *_ in found] == tokens_of(text, config)
    assert all(0 <= begin < end <= len(text) for _, begin, end in found)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Sche\u00adre!", [("schere", 0, 8), ("!", 8, 9)]),
        ("e\u0301te\u0301 x", [("été", 0, 7), ("x", 8, 9)]),
        ("İx", [("i̇x", 0, 3)]),
        ("a<br />b", [("a", 0, 1), ("b", 7, 8)]),
        ("don’t", [("don't", 0, 7)]),
        ("", []),
    ],
)
def test_places_worked_out_by_hand(text: str, expected: list[tuple[str, int, int]]) -> None:
    assert spans(text.encode(), TextConfig()) == expected


@pytest.mark.parametrize(("where", "kept"), [("head", "ab"), ("tail", "de"), ("both", "ae")])
def test_what_is_cut_off_is_left_out_and_rows_are_padded(where: str, kept: str) -> None:
    config = TextConfig(max_tokens=2, truncate=where)
    tokens, begins, ends = places_of(tf.constant(["a b  c d e", "", "猫"]), config)
    assert tokens.numpy().tolist() == [
        [each.encode() for each in kept],
        [b"", b""],
        ["猫".encode(), b""],
    ]
    starts = ["a b  c d e".index(each) for each in kept]
    assert begins.numpy().tolist() == [starts, [0, 0], [0, 0]]
    assert ends.numpy().tolist() == [[each + 1 for each in starts], [0, 0], [3, 0]]
    assert places_of(tf.constant([""]), config).tokens.shape == (1, 1)
    assert places_of(tf.constant([], tf.string), config).tokens.shape == (0, 1)
