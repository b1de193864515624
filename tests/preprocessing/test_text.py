import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from textapps.preprocessing.config import TextConfig
from textapps.preprocessing.text import TextPreprocessor, tokenize, truncate
from textapps.preprocessing.vocabulary import Vocabulary


def tokens(text, **options):
    [row] = tokenize(tf.constant([text]), TextConfig(**options)).to_list()
    return [token.decode() for token in row]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("A film.<br /><br />Great!", "a film . great !"),
        ("I don't, 'really'", "i donʼt , ' really '"),
        ("DON’T", "donʼt"),
        ("ÉTÉ Größe", "été größe"),
        ("10/10", "10 / 10"),
        ("one\x85two\x00three\u00a0four\tfive", "one two three four five"),
        ("", ""),
        ("  ", ""),
        ("電影 good", "電影 good"),
        ("a <3 b", "a < 3 b"),
    ],
)
def test_words(text, expected):
    assert tokens(text) == expected.split()


def test_characters():
    assert tokens("不 好<br/>看!", tokens="char") == ["不", " ", "好", " ", "看", "!"]


def test_nothing_is_changed_when_nothing_is_asked_for():
    text = "A<b>\t\x85é"
    assert tokens(text, tokens="char", lowercase=False, standardize=False) == list(text)


def test_bytes_that_are_not_utf8_become_the_replacement_character():
    [row] = tokenize(tf.constant([b"ok \xff\xfe end"]), TextConfig()).to_list()
    assert [token.decode() for token in row] == ["ok", "\ufffd", "\ufffd", "end"]


@pytest.mark.parametrize(
    ("where", "expected"), [("head", "abcde"), ("tail", "cdefg"), ("both", "abcfg")]
)
def test_truncation_keeps_the_end_asked_for(where, expected):
    rows = tf.ragged.constant([list("abcdefg"), list("xy"), []], dtype=tf.string)
    config = TextConfig(max_tokens=5, truncate=where)
    kept = [b"".join(row).decode() for row in truncate(rows, config).to_list()]
    assert kept == [expected, "xy", ""]


def test_ids_are_padded_on_the_right_and_unknown_tokens_are_one():
    preprocessor = TextPreprocessor(TextConfig(), Vocabulary(["film", "good"]))
    ids = preprocessor(tf.constant(["good film", "", "bad film good"]))
    assert ids.numpy().tolist() == [[3, 2, 0], [0, 0, 0], [1, 2, 3]]
    assert preprocessor(tf.constant([""])).numpy().tolist() == [[0]]
    assert preprocessor(tf.constant([], tf.string)).shape == (0, 1)


def test_the_vocabulary_holds_the_most_frequent_tokens():
    texts = ["b a b", "c b a", "d"]
    made, _ = TextPreprocessor.learn(texts, TextConfig(vocabulary_size=4))
    assert made.vocabulary.tokens == ("b", "a")
    made, _ = TextPreprocessor.learn(texts, TextConfig(min_count=2))
    assert made.vocabulary.tokens == ("b", "a")


@pytest.mark.slow
@pytest.mark.parametrize("where", ["head", "tail", "both"])
@pytest.mark.parametrize("tokens", ["word", "char"])
def test_texts_are_read_once_and_encoded_as_at_any_later_time(tokens: str, where: str) -> None:
    texts = ["b a b d e", "", "c b a\x00 Größe's", "d d d d d f", "a"] * 60  # several batches
    config = TextConfig(tokens=tokens, truncate=where, max_tokens=3, vocabulary_size=6, min_count=2)
    made, (values, splits) = TextPreprocessor.learn(iter(texts), config)
    expected, expected_splits = made.encode(texts)
    np.testing.assert_array_equal(values, expected)
    np.testing.assert_array_equal(splits, expected_splits)
    assert (values.dtype, splits.dtype) == (expected.dtype, expected_splits.dtype)
    assert {2, 3, 4} <= set(values.tolist())


@given(st.lists(st.text(max_size=30), max_size=7))
@settings(max_examples=30, deadline=None)
def test_encoding_many_equals_encoding_each(texts):
    values, splits = _PREPROCESSOR.encode(texts)
    assert len(splits) == len(texts) + 1
    for text, start, end in zip(texts, splits, splits[1:], strict=False):
        alone = _PREPROCESSOR(tf.constant([text])).numpy()[0]
        np.testing.assert_array_equal(alone[alone != 0], values[start:end])


def test_saved_and_loaded_gives_the_same_ids(tmp_path):
    _PREPROCESSOR.save(tmp_path)
    loaded = TextPreprocessor.load(tmp_path, _PREPROCESSOR.config)
    texts = tf.constant(["a b", "\n c ", "zz"])
    np.testing.assert_array_equal(loaded(texts), _PREPROCESSOR(texts))


_PREPROCESSOR, _ = TextPreprocessor.learn(
    ["a b\nc", "the \\ film's end"],
    TextConfig(tokens="char", standardize=False, lowercase=False, max_tokens=13),
)
