import re
import sys
import unicodedata
from collections.abc import Sequence

import pytest
import tensorflow as tf
from hypothesis import given
from hypothesis import strategies as st

from textapps.preprocessing.config import TextConfig
from textapps.preprocessing.text import tokenize
from textapps.preprocessing.unicode_form import normalize

_GRAPH = tf.function(normalize, input_signature=[tf.TensorSpec([None], tf.string)], autograph=False)
INVISIBLE = "\u00ad\u200b\u2060\ufeff"
JOINERS = "\u200c\u200d"
CHARACTERS = [chr(c) for c in range(sys.maxunicode + 1) if unicodedata.category(chr(c)) != "Cs"]
# Those that form C is about; their texts are what can go wrong.
TELLING = [
    c
    for c in CHARACTERS
    if unicodedata.combining(c) or unicodedata.normalize("NFD", c) != c or "\u1100" <= c <= "\u11ff"
]


def normal(texts: Sequence[str]) -> list[str]:
    return [text.decode() for text in _GRAPH(tf.constant(texts, tf.string)).numpy()]


def expected(text: str) -> str:
    """What Python makes of a text without joiners; of the scripts without spaces it knows Thai."""
    kept = re.sub("[\u00ad\u2060\ufeff]", "", text)
    return unicodedata.normalize("NFC", re.sub("(?<![\u0e00-\u0e7f])\u200b+", "", kept))


@pytest.mark.parametrize("form", ["NFC", "NFD"])
def test_every_character_of_unicode(form: str) -> None:
    texts = [unicodedata.normalize(form, c) for c in CHARACTERS if c not in INVISIBLE]
    assert normal(texts) == [unicodedata.normalize("NFC", text) for text in texts]


def test_every_two_characters_that_compose() -> None:
    pairs = [
        "".join(chr(int(part, 16)) for part in mapping.split())
        for c in CHARACTERS
        if " " in (mapping := unicodedata.decomposition(c)) and "<" not in mapping
    ]
    syllables = [chr(0x1100 + a) + chr(0x1161 + b) for a in range(19) for b in range(21)]
    closed = [chr(c) + chr(0x11A7 + t) for c in range(0xAC00, 0xD7A4, 28) for t in range(28)]
    texts = [*pairs, *syllables, *closed]
    assert len(texts) > 10_000
    assert normal(texts) == [unicodedata.normalize("NFC", text) for text in texts]


@given(
    st.lists(
        st.text(st.one_of(st.sampled_from(TELLING), st.sampled_from("aeo s\n\0가각" + INVISIBLE))),
        max_size=5,
    )
)
def test_as_python_does_it(texts: list[str]) -> None:
    found = normal(texts)
    assert found == [expected(text) for text in texts]
    assert normal(found) == found
    assert normal([unicodedata.normalize("NFD", text) for text in texts]) == found


@given(st.text(st.sampled_from("eê\u0323\u0301ωᾧяかが가ก\u0e33نक्1 👩\ufe0f" + INVISIBLE + JOINERS)))
def test_equivalent_texts_give_the_same(text: str) -> None:
    (found,) = normal([text])
    assert normal([unicodedata.normalize("NFD", text)]) == [found]
    assert normal([found]) == [found]
    visible = str.maketrans("", "", INVISIBLE + JOINERS)
    assert unicodedata.normalize("NFC", found.translate(visible)) == unicodedata.normalize(
        "NFC", text.translate(visible)
    )


def test_equivalent_characters_before_a_joiner() -> None:
    telling = [c for c in TELLING if unicodedata.normalize("NFD", c) != c]
    decomposed = [unicodedata.normalize("NFD", c) for c in telling]
    for joiner in JOINERS:
        assert normal([c + joiner for c in telling]) == normal([c + joiner for c in decomposed])


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("Donau\u00addampf\u2060schiff", "Donaudampfschiff"),
        ("\ufeffa\u200bb\u200b", "ab"),
        ("e\u200b\u0301", "é"),  # what is left composes
        ("Auf\u200clage wo\u200drd e\u0301\u200c", "Auflage word é"),
        ("Ко\u200dт か\u3099\u200d 漢\u200c字 가\u200d", "Кот が 漢字 가"),
        ("می\u200cخواهم", "می\u200cخواهم"),  # Persian: parts of a word
        ("क्\u200dष क्\u200cष", "क्\u200dष क्\u200cष"),  # Devanagari: shapes of a conjunct
        ("👩\u200d❤\ufe0f\u200d👨", "👩\u200d❤\ufe0f\u200d👨"),
        ("ភាសា\u200bខ្មែរ ไทย\u200bดี", "ភាសា\u200bខ្មែរ ไทย\u200bดี"),  # word boundaries
    ],
)
def test_invisible_characters(text: str, kept: str) -> None:
    assert normal([text, "a"]) == [kept, "a"]


def test_a_flood_of_marks_is_answered_soon() -> None:
    text = "e" + "\u0301\u0323" * 20_000
    assert normal([text]) == [unicodedata.normalize("NFC", text)]


def test_no_texts() -> None:
    assert normal([]) == []
    assert normal([""]) == [""]


@pytest.mark.parametrize("tokens", ["word", "char"])
def test_tokens_are_the_same_unless_raw(tokens: str) -> None:
    texts = ["ÉTÉ gou\u0302te\u0301", "E\u0301TE\u0301 go\u00adû\u200bté"]
    one, other = tokenize(tf.constant(texts), TextConfig(tokens=tokens)).to_list()
    assert one == other
    one, other = tokenize(tf.constant(texts), TextConfig(tokens=tokens, unicode="raw")).to_list()
    assert one != other
