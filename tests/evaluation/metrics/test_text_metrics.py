from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from textapps.evaluation.metrics.text_metrics import PIECE, distinct, text_metrics

POEM = "春眠不覺曉，處處聞啼鳥。夜來風雨聲，花落知多少。"
TEXTS = st.text("ab", max_size=40)


def pieces(text, n):
    return [text[i : i + n] for i in range(len(text) - n + 1)]


def test_distinct_worked_by_hand():
    assert distinct(["the cat the cat", "the dog"], 1, "word") == 3 / 6
    assert distinct(["the cat the cat", "the dog"], 2, "word") == 3 / 4
    assert distinct(["the cat"], 3, "word") == distinct([], 1, "character") == 0


def test_a_script_without_spaces_is_counted_by_characters():
    assert text_metrics([POEM], POEM).distinct_1 == 21 / 24


@pytest.mark.parametrize(
    ("training", "unit", "expected"),
    [(POEM, "character", 2 / 7), ("to be or not", "word", 1)],
)
def test_every_sample_is_counted_by_the_unit_of_the_training_text(training, unit, expected):
    """A sample with many spaces in a text without, or the other way round, is no exception."""
    few, many = text_metrics(["abababa"], training), text_metrics(["a b a b"], training)
    assert few.unit == many.unit == unit
    assert few.distinct_1 == expected
    assert many.distinct_1 == (3 / 7 if unit == "character" else 2 / 4)


def test_a_loop_is_seen():
    figures = text_metrics(["to be or not " * 10, "a quite different sentence"], "nothing of it")
    assert figures.repeated == pytest.approx((130 - 7 - 13) / (123 + 19))
    assert figures.longest_repeat == 130 - 13
    assert figures.copied == 0


def test_a_copy_is_seen():
    training = "It was a dark and stormy night; the rain fell in torrents."
    figures = text_metrics(["dark and stormy day", "the snow"], training)
    assert figures.longest_copy == len("dark and stormy ")
    assert figures.copied == pytest.approx(9 / (12 + 1))
    assert figures.repeated == 0


@given(st.lists(TEXTS, min_size=1, max_size=3), TEXTS)
def test_agrees_with_the_definitions(texts, training):
    figures = text_metrics(texts, training)
    counted = [Counter(pieces(text, PIECE)) for text in texts]
    total = sum(sum(each.values()) for each in counted)
    repeated = sum(sum(each.values()) - len(each) for each in counted)
    copied = sum(piece in training for text in texts for piece in pieces(text, PIECE))
    assert figures.repeated == pytest.approx(repeated / max(1, total))
    assert figures.copied == pytest.approx(copied / max(1, total))
    assert figures.longest_repeat == max(
        n
        for text in texts
        for n in range(len(text) + 1)
        if n == 0 or max(Counter(pieces(text, n)).values()) > 1
    )
    assert figures.longest_copy == max(
        n
        for text in texts
        for n in range(len(text) + 1)
        if set(pieces(text, n)) & set(pieces(training, n))
    )


def test_any_characters():
    odd = "好\ud800\x00😀\r\n" * 3
    figures = text_metrics([odd], odd)
    assert (figures.longest_copy, figures.longest_repeat) == (18, 12)
    assert tuple(text_metrics([""], "")) == (0, 0, 0, 0, 0, 0, "character")
