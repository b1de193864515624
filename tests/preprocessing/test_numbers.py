"""Numbers that are copied: what counts as one, which pairs have placeholders, and the way back."""

import re
from typing import Any

import pytest
import tensorflow as tf
from hypothesis import given
from hypothesis import strategies as st

from tests.preprocessing.test_tokenizer_pair import KINDS, config
from textapps.core.tokens import PAD, UNK
from textapps.preprocessing.config import SubwordConfig
from textapps.preprocessing.numbers import (
    PLACEHOLDER,
    cut_numbers,
    paste_numbers,
    replace_in_pairs,
)
from textapps.preprocessing.tokenizer_pair import TokenizerPair

SOURCES = ("At 10:30 the 2 dogs run.", "A ball costs 4.50 euros.", "2 dogs run", "The dogs run.")
TARGETS = ("Um 10.30 rennen die 2 Hunde.", "Ein Ball kostet 4,50 Euro.", "zwei Hunde rennen", "so")
TEXT = st.text("ab .,:/-7305\u0663" + PLACEHOLDER, max_size=20)


def cut(*texts: str) -> tuple[list[str], list[list[str]]]:
    marked, numbers = cut_numbers(tf.constant(texts, tf.string), SubwordConfig())
    return (
        [text.decode().replace(PLACEHOLDER, "#") for text in marked.numpy()],
        [[number.decode() for number in row] for row in numbers.to_list()],
    )


@pytest.mark.parametrize(
    ("text", "marked", "numbers"),
    [
        ("", "", []),
        ("In 1999.", "In #.", ["1999"]),
        ("at 10:30, 2 men", "at #, # men", ["10:30", "2"]),
        ("$1,234.50 or 3.14!", "$# or #!", ["1,234.50", "3.14"]),
        ("on 24.12.2026, 1/2 of it", "on #, # of it", ["24.12.2026", "1/2"]),
        (
            "A4 \u00e4\u0308\u0301" + "5 B2B7",
            "A# \u00e4\u0308\u0301# B#B#",
            ["A4", "\u03015", "B2", "B7"],
        ),
        ("the 3rd in 1980-85", "the #rd in #-#", ["3", "1980", "85"]),
        ("\u0663 and " + PLACEHOLDER, "# and #", ["\u0663", PLACEHOLDER]),
        (" 5\n\x007 ", "# #", ["5", "7"]),
    ],
)
def test_what_a_number_is(text: str, marked: str, numbers: list[str]) -> None:
    assert cut(text) == ([marked], [numbers])


@given(st.lists(TEXT, max_size=4), st.integers(1, 3))
def test_pasted_where_they_were_cut_they_give_the_text(texts: list[str], copies: int) -> None:
    """Several translations of a sentence each get its numbers."""
    marked, numbers = cut_numbers(tf.constant(texts, tf.string), SubwordConfig())
    found = paste_numbers(tf.repeat(marked, copies), numbers).numpy()
    expected = [" ".join(text.split()) for text in texts for _ in range(copies)]
    assert [text.decode() for text in found] == expected


@given(st.lists(st.tuples(TEXT, st.text("a" + PLACEHOLDER, max_size=6)), max_size=4))
def test_numbers_go_to_placeholders_in_order_and_surplus_ones_go(
    pairs: list[tuple[str, str]],
) -> None:
    _, numbers = cut_numbers(
        tf.constant([source for source, _ in pairs], tf.string), SubwordConfig()
    )
    answers = tf.constant([answer for _, answer in pairs], tf.string)
    for (source, answer), found in zip(pairs, paste_numbers(answers, numbers).numpy(), strict=True):
        source = " ".join(source.split())
        following = re.finditer(r"(?<![a-z])\d+(?:[.,:/]\d+)*|[a-z]\d+(?:[.,:/]\d+)*", source)
        expected, pasted = "", False
        for character in answer:
            if character != PLACEHOLDER:
                expected += " " * (pasted and character.isdecimal()) + character
                pasted = False
            elif number := next(following, None):
                attached = number[0][0].isalpha()
                touches = expected[-1:].isalpha() and not attached
                expected += " " * (touches or expected[-1:].isdecimal()) + number[0][attached:]
                pasted = True
        assert found.decode() == expected


@pytest.mark.parametrize(
    ("source", "answer", "expected"),
    [
        ("from 2 to 7", "##", "2 7"),
        ("in 1999.", "im Jahr#.", "im Jahr 1999."),
        ("number 50", "Nummer 3#", "Nummer 3 50"),
        ("A4 and A5", "A# und das A#", "A4 und das A5"),
        ("$5", "$#", "$5"),
        ("the 80s", "die #er", "die 80er"),
        ("1e400 foxes", "##", "1 400"),
        ("7 A4", "##", "7 4"),
        ("5", "#6", "5 6"),
    ],
)
def test_a_number_is_never_glued_to_what_is_not_its_own(
    source: str, answer: str, expected: str
) -> None:
    _, numbers = cut_numbers(tf.constant([source]), SubwordConfig())
    (found,) = paste_numbers(tf.constant([answer.replace("#", PLACEHOLDER)]), numbers).numpy()
    assert found.decode() == expected


def test_pairs_with_the_same_numbers_have_placeholders() -> None:
    sources, targets = replace_in_pairs(
        (*SOURCES, "3 of 4", "0 and " + PLACEHOLDER, "no 1"),
        (*TARGETS, "4 von 3", "null", "Nr. \u0661"),
    )
    shown = [text.replace(PLACEHOLDER, "#") for text in (*sources, *targets)]
    assert shown[:7] == [
        "At # the # dogs run.",
        "A ball costs # euros.",
        "2 dogs run",
        "The dogs run.",
        "3 of 4",  # not in the same order
        "0 and 0",
        "no #",
    ]
    assert shown[7:] == [
        "Um # rennen die # Hunde.",
        "Ein Ball kostet # Euro.",
        *TARGETS[2:],
        "4 von 3",
        "null",
        "Nr. #",
    ]


def learned(kind: str, **changes: Any) -> TokenizerPair:
    size = {"word": 40, "char": 50}.get(kind, 45 if changes["joint"] else 33)
    made = config(kind, vocabulary_size=size, copy_numbers=True, **changes)
    return TokenizerPair.learn(SOURCES, TARGETS, made)[0]


@pytest.mark.slow
@pytest.mark.parametrize("joint", [True, False])
@pytest.mark.parametrize("kind", KINDS)
def test_a_number_never_seen_comes_through(kind: str, joint: bool) -> None:
    pair = learned(kind, joint=joint)
    ids, numbers = pair.encode_source(tf.constant(["A ball costs 98,765 euros.", "The dogs run."]))
    assert UNK not in ids.flat_values
    placeholder = "Ein Ball kostet # Euro.".replace("#", PLACEHOLDER)
    answers = pair.target.encode(tf.constant([placeholder, "so", placeholder, placeholder]))
    found = pair.decode_target(answers.to_tensor(PAD), numbers)
    assert [text.decode() for text in found.numpy()] == [
        "Ein Ball kostet 98,765 Euro.",
        "so",
        "Ein Ball kostet  Euro.",
        "Ein Ball kostet  Euro.",
    ]


@pytest.mark.parametrize("kind", KINDS)
def test_without_numbers_to_learn_from_they_come_through_too(kind: str) -> None:
    made = config(kind, vocabulary_size=22, copy_numbers=True)
    pair = TokenizerPair.learn(["a dog runs"] * 3, ["Hund rennt"] * 3, made)[0]
    ids, numbers = pair.encode_source(tf.constant(["a 7"]))
    assert UNK not in ids.flat_values
    assert pair.decode_target(ids.to_tensor(PAD), numbers).numpy()[0] == b"a 7"


def test_without_the_rule_nothing_changes() -> None:
    pair = TokenizerPair.learn(SOURCES, TARGETS, config("char"))[0]
    assert pair.prepared(SOURCES, TARGETS) == (SOURCES, TARGETS)
    ids, numbers = pair.encode_source(tf.constant(SOURCES))
    assert numbers is None
    found = pair.decode_target(ids.to_tensor(PAD), numbers).numpy()
    assert [text.decode() for text in found] == list(SOURCES)
