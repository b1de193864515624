"""Where the tokens of a text stand in it, as byte offsets, in the graph."""

from typing import Any, NamedTuple

import tensorflow as tf

from textapps.core.tokens import PAD
from textapps.preprocessing.config import TextConfig
from textapps.preprocessing.text import BLANK, LETTER_APOSTROPHE, TAG, cut, lower, truncate, valid
from textapps.preprocessing.unicode_form import normalize

# Texts may contain these two: they are replaced by a third control character first.
_OPEN, _CLOSE, _OTHER = "\x01", "\x02", "\x03"
_MARKS = f"[{_OPEN}{_CLOSE}]"
# A character that form C never joins to the one before it: no mark, no vowel or final consonant of
# Hangul, and none of the invisible characters that go with a letter.
_APART = r"([^\p{M}\x{1160}-\x{11FF}\x{AD}\x{200B}-\x{200D}\x{2060}\x{FEFF}])"
_ASCII_SPACES = (9, 10, 11, 12, 13, 32)  # what `tf.strings.split` leaves out
_DOTTED_I = 0x130  # the one character that becomes two in lower case


class Places(NamedTuple):
    """The tokens that a model reads of each text, and where they stand in it.

    tokens          string[batch, time], "" for padding; an apostrophe is written as '
    begins, ends    int32[batch, time], offsets in the UTF-8 bytes of the text as it was given, the
                    end exclusive; 0 for padding
    """

    tokens: Any
    begins: Any
    ends: Any


class _Spans(NamedTuple):
    """Characters of all texts one after the other, each with its bytes in the text as given.

    row, begins, ends: int32[characters]
    """

    row: Any
    begins: Any
    ends: Any

    def at(self, first: Any, last: Any) -> "_Spans":
        """Spans from one character to another: int32[n] each."""
        return _Spans(
            tf.gather(self.row, first), tf.gather(self.begins, first), tf.gather(self.ends, last)
        )


def places_of(texts: Any, config: TextConfig) -> Places:
    """string[batch] → the tokens of `TextPreprocessor.__call__`, padded alike.

    A token that comes from several characters, as a composed accent does, has all of their bytes,
    with the invisible ones that were removed after them.
    """
    tokens, spans = _tokens_and_spans(texts, config)
    found = (tokens.flat_values, spans.begins, spans.ends)
    return Places(*(_padded(tokens.with_flat_values(each), config) for each in found))


def _padded(ragged: Any, config: TextConfig) -> Any:
    nothing = "" if ragged.dtype == tf.string else PAD
    dense = truncate(ragged, config).to_tensor(nothing)
    missing = tf.maximum(1 - tf.shape(dense)[1], 0)
    return tf.pad(dense, [[0, 0], [0, missing]], constant_values=nothing)


def _tokens_and_spans(texts: Any, config: TextConfig) -> tuple[Any, _Spans]:
    """Ragged string[batch, (tokens)], not truncated, and their spans in this order."""
    cleaned = normal = valid(texts, config.unicode)  # as `clean`, with what it passes through
    spans = _as_given(texts)
    if config.unicode == "nfc":
        spans = _normalized(valid(texts, "raw"), normal, spans)
    if config.lowercase:
        cleaned = lower(normal)
        wide = tf.where(_points(normal) == _DOTTED_I, 2, 1)
        spans = _Spans(*(tf.repeat(each, wide) for each in spans))
    tokens = cut(cleaned, config)
    units, blank = _units(spans, _blanks(cleaned, config))
    if config.tokens == "char":
        kept = ~(blank & _outermost(units.row))
        return tokens, _Spans(*(tf.boolean_mask(each, kept) for each in units))
    # Cutting words only adds spaces, so all other characters are still there, in their order.
    solid = _Spans(*(tf.boolean_mask(each, ~blank) for each in units))
    length = tf.strings.length(tokens.flat_values, unit="UTF8_CHAR")
    first = tf.cumsum(length, exclusive=True)
    spans = solid.at(first, first + length - 1)
    plain = tf.strings.regex_replace(tokens.flat_values, LETTER_APOSTROPHE, "'")
    return tokens.with_flat_values(plain), spans


def _as_given(texts: Any) -> _Spans:
    """The characters of the texts, each byte that is not UTF-8 among them."""
    points, starts = tf.strings.unicode_decode_with_offsets(texts, "UTF-8", errors="replace")
    row = tf.cast(points.value_rowids(), tf.int32)
    begins = tf.cast(starts.flat_values, tf.int32)
    whole = tf.gather(tf.strings.length(texts), row)
    following = tf.concat([begins[1:], tf.zeros_like(begins[:1])], axis=0)
    return _Spans(row, begins, tf.where(_last(row), whole, following))


def _normalized(texts: Any, normal: Any, spans: _Spans) -> _Spans:
    """The spans of the characters of `normal`, which is valid UTF-8 in form C.

    Form C of a text is that of its segments, each of which begins with a character that it never
    joins to another before it.
    """

    def by_segments() -> Any:
        marked = tf.strings.regex_replace(_unmarked(texts), _APART, rf"{_OPEN}\1")
        segments = tf.strings.split(marked, _OPEN).flat_values
        segments = tf.boolean_mask(segments, segments != "")
        joined = normalize(segments)
        before, after = (tf.strings.length(each, unit="UTF8_CHAR") for each in (segments, joined))
        first = tf.cumsum(before, exclusive=True)
        place = tf.repeat(first, after) + tf.ragged.range(after).flat_values
        same = tf.repeat(segments == joined, after)
        begin, end = tf.repeat(first, after), tf.repeat(first + before - 1, after)
        return tuple(spans.at(tf.where(same, place, begin), tf.where(same, place, end)))

    return _Spans(*tf.cond(tf.reduce_any(normal != texts), by_segments, lambda: tuple(spans)))


def _blanks(texts: Any, config: TextConfig) -> Any:
    """bool[characters]: which characters of cleaned texts become a space, or part of one."""
    points = _points(texts)
    if not config.standardize:
        spaces = tf.constant(_ASCII_SPACES if config.tokens == "word" else (), tf.int32)
        return tf.reduce_any(points[:, None] == spaces, axis=1)
    marked = tf.strings.regex_replace(_unmarked(texts), f"({TAG}|{BLANK})", rf"{_OPEN}\1{_CLOSE}")
    points = _points(marked)
    opens, closes = (tf.cast(points == ord(mark), tf.int32) for mark in (_OPEN, _CLOSE))
    inside = tf.cumsum(opens - closes) > 0
    return tf.boolean_mask(inside, (opens + closes) == 0)


def _units(spans: _Spans, blank: Any) -> tuple[_Spans, Any]:
    """The spans with each run of blanks as one, and which of them are such runs: bool[units]."""
    run = blank[1:] & blank[:-1] & (spans.row[1:] == spans.row[:-1])
    size = tf.size(blank)
    first = tf.concat([[True], ~run], axis=0)[:size]
    last = tf.concat([~run, [True]], axis=0)[:size]
    starts, ends = (tf.cast(tf.where(each)[:, 0], tf.int32) for each in (first, last))
    return spans.at(starts, ends), tf.gather(blank, starts)


def _outermost(row: Any) -> Any:
    """bool[n]: the first and the last of each row."""
    return _last(row) | tf.reverse(_last(tf.reverse(row, [0])), [0])


def _last(row: Any) -> Any:
    """bool[n]: the last of each row of int32[n]."""
    return tf.concat([row[1:] != row[:-1], [True]], axis=0)[: tf.size(row)]


def _points(texts: Any) -> Any:
    """int32[characters] of all texts."""
    return tf.strings.unicode_decode(texts, "UTF-8").flat_values


def _unmarked(texts: Any) -> Any:
    return tf.strings.regex_replace(texts, _MARKS, _OTHER)
