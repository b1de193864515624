"""Unicode normal form C without invisible characters, with stock TensorFlow operations only."""

from collections.abc import Callable
from typing import Any

import tensorflow as tf

from textapps.preprocessing.unicode_tables import LONGEST, PAIR, unicode_tables

_INVISIBLE = (
    # soft hyphen, word joiner, and the byte order mark within a text
    (r"[\x{AD}\x{2060}\x{FEFF}]+", ""),
    # The zero-width space separates words in the scripts that write no spaces.
    (r"(^|[^\p{Khmer}\p{Lao}\p{Myanmar}\p{Thai}])\x{200B}+", r"\1"),
    # The (non-)joiners shape letters in Arabic and Indic scripts, and join emoji. Here they do
    # nothing. The five Greek characters are accents, whose canonical form is not Greek.
    (
        r"((?:[\p{Latin}\p{Cyrillic}\p{Han}\p{Hangul}\p{Hiragana}\p{Katakana}]"
        r"|[^\P{Greek}\x{1FC1}\x{1FED}-\x{1FEF}\x{1FFD}])\p{M}*)[\x{200C}\x{200D}]+",
        r"\1",
    ),
)
_SYLLABLE, _LEAD, _VOWEL, _TAIL = 0xAC00, 0x1100, 0x1161, 0x11A7  # TAIL itself stands for none
_LEADS, _VOWELS, _TAILS = 19, 21, 28


def normalize(texts: Any) -> Any:
    """Valid UTF-8, string[batch] → string[batch] in form C without invisible characters.

    Invisible are the soft hyphen, the word joiner (U+2060), the byte order mark, the zero-width
    space except after Khmer, Lao, Myanmar and Thai, and the joiners (U+200C, U+200D) after letters
    of the scripts in which they mean nothing. Canonically equivalent texts give the same bytes, and
    normalising twice changes nothing more.
    """
    # One function for all signatures of an export, which then holds the tables once.
    return _NORMALIZE(texts)


def _normalized(texts: Any) -> Any:
    # Most texts are as they should be. To see that takes a tenth of the time of composing.
    unstable = unicode_tables().unstable
    suspect = rf"(?s).*(?:[\x{{AD}}\x{{200B}}-\x{{200D}}\x{{2060}}\x{{FEFF}}]|{unstable}).*"
    return _where(
        texts, suspect, lambda some: _where(_visible(some), f"(?s).*{unstable}.*", _composed)
    )


def _where(texts: Any, pattern: str, change: Callable[[Any], Any]) -> Any:
    """string[batch] → string[batch]: the texts that match, changed."""
    matches = tf.strings.regex_full_match(texts, pattern)

    def changed() -> Any:
        rows = tf.where(matches)
        return tf.tensor_scatter_nd_update(texts, rows, change(tf.gather_nd(texts, rows)))

    return tf.cond(tf.reduce_any(matches), changed, lambda: texts)


def _visible(texts: Any) -> Any:
    for pattern, replacement in _INVISIBLE:
        texts = tf.strings.regex_replace(texts, pattern, replacement)
    return texts


def _composed(texts: Any) -> Any:
    """string[batch] → string[batch] in form C: UAX #15, section 3.11 of the Unicode Standard.

    1) Decompose, 2) sort the marks after each starter by their combining class, 3) compose each
    starter with the first character that it can take, until none can take any. A starter is a
    character of class 0.
    """
    decoded = tf.strings.unicode_decode(texts, "UTF-8")
    points, row = _decompose(decoded.flat_values, decoded.value_rowids())
    classes = _combining_classes(points)
    points, classes = _sort_marks(points, classes, row)

    def merge(points: Any, classes: Any, row: Any, _: Any) -> tuple[Any, Any, Any, Any]:
        place = tf.range(tf.size(points))
        is_starter = classes == 0
        before = tf.cumsum(tf.cast(is_starter, tf.int32), exclusive=True)
        starters = tf.cast(tf.where(is_starter)[:, 0], tf.int32)
        owner = tf.gather(tf.concat([[0], starters], 0), before)
        previous = tf.maximum(place - 1, 0)
        # A mark is blocked by one of its own class between it and the starter, a starter by any.
        is_free = (classes > 0) & (tf.gather(classes, previous) != classes)
        is_free |= owner == previous
        is_free &= (before > 0) & (tf.gather(row, owner) == row)
        composite = _composites(tf.gather(points, owner), points)
        taken = is_free & (composite > 0)
        taken &= ~tf.gather(taken, owner)  # first what it is itself taken by
        count = tf.cumsum(tf.cast(taken, tf.int32), exclusive=True)
        taken &= count == tf.gather(count, owner)
        into = tf.boolean_mask(owner, taken)[:, None]
        points = tf.tensor_scatter_nd_update(points, into, tf.boolean_mask(composite, taken))
        kept = [tf.boolean_mask(each, ~taken) for each in (points, classes, row)]
        return (*kept, tf.reduce_any(taken))

    points, _, row, _ = tf.while_loop(
        lambda points, classes, row, changed: changed,
        merge,
        (points, classes, row, tf.constant(True)),
        shape_invariants=(*[tf.TensorShape([None])] * 3, tf.TensorShape([])),
    )
    ragged = tf.RaggedTensor.from_value_rowids(points, row, tf.size(texts, tf.int64), False)
    return tf.ensure_shape(tf.strings.unicode_encode(ragged, "UTF-8"), [None])


def _decompose(points: Any, row: Any) -> tuple[Any, Any]:
    """int32[characters] in full canonical decomposition; `row` is the text of each character."""
    tables = unicode_tables()
    place, found = _find(tables.decomposed, points)
    own = tf.pad(points[:, None], [[0, 0], [0, LONGEST - 1]])
    parts = tf.where(found[:, None], tf.gather(tables.decompositions, place), own)
    length = tf.where(found, tf.gather(tables.lengths, place), 1)
    is_part = tf.sequence_mask(length, LONGEST)
    return tf.boolean_mask(parts, is_part), tf.repeat(row, length)


def _combining_classes(points: Any) -> Any:
    tables = unicode_tables()
    place, found = _find(tables.combining, points)
    return tf.where(found, tf.gather(tables.classes, place), 0)


def _sort_marks(points: Any, classes: Any, row: Any) -> tuple[Any, Any]:
    """Marks in the order of their classes, those of one class in the order that they had."""
    begins = tf.concat([[True], row[1:] != row[:-1]], 0)[: tf.size(row)]
    run = tf.cumsum(tf.cast((classes == 0) | begins, tf.int32))
    key = 256 * tf.cast(run, tf.int64) + tf.cast(classes, tf.int64)

    def in_order() -> Any:
        order = tf.argsort(key, stable=True)
        return tf.gather(points, order), tf.gather(classes, order)

    disordered = tf.reduce_any(key[1:] < key[:-1])
    points, classes = tf.cond(disordered, in_order, lambda: (points, classes))
    return points, classes


def _composites(first: Any, second: Any) -> Any:
    """int32[characters]: what two characters compose, 0 for nothing."""
    tables = unicode_tables()
    pair = PAIR * tf.cast(first, tf.int64) + tf.cast(second, tf.int64)
    place, found = _find(tables.pairs, pair)
    composite = tf.where(found, tf.gather(tables.composites, place), 0)
    lead, vowel, tail = first - _LEAD, second - _VOWEL, second - _TAIL
    is_open = (lead >= 0) & (lead < _LEADS) & (vowel >= 0) & (vowel < _VOWELS)
    composite = tf.where(is_open, _SYLLABLE + (lead * _VOWELS + vowel) * _TAILS, composite)
    syllable = first - _SYLLABLE
    is_closed = (syllable >= 0) & (syllable < _LEADS * _VOWELS * _TAILS)
    is_closed &= (syllable % _TAILS == 0) & (tail > 0) & (tail < _TAILS)
    return tf.where(is_closed, first + tail, composite)


def _find(keys: Any, wanted: Any) -> tuple[Any, Any]:
    """Where `wanted` stands in sorted keys, and whether it is there."""
    table = tf.constant(keys)
    place = tf.minimum(tf.searchsorted(table, wanted), len(keys) - 1)
    return place, tf.gather(table, place) == wanted


_NORMALIZE = tf.function(
    _normalized,
    input_signature=[tf.TensorSpec([None], tf.string)],
    autograph=False,
    # Copied to each place that calls it, TensorFlow would optimise its tables at each of them.
    experimental_attributes={"_noinline": True},
)
