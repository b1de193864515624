"""Numbers that a translation copies: a placeholder stands for each one in the model."""

import re
import unicodedata
from collections.abc import Sequence
from typing import Any

import tensorflow as tf

from textapps.preprocessing.config import SubwordConfig
from textapps.preprocessing.tokenizer import fold

# A digit (mathematical bold zero), so that "3rd" remains one word for word tokens. A text that
# contains it is no problem: it is a number like any other.
PLACEHOLDER = "\U0001d7ce"
# Digits of any script. Separators belong to the number: 1,234.50, 10:30, 24.12.2026, 1/2.
_IN_GRAPH = r"\p{Nd}+(?:[.,:/]\p{Nd}+)*"
_BETWEEN = "\x1f"  # no folded text has it
_LETTER = r"[\p{L}\p{M}]"
_NUMBER = re.compile(r"\d+(?:[.,:/]\d+)*")


def cut_numbers(texts: Any, config: SubwordConfig) -> tuple[Any, Any]:
    """string[batch] → texts with placeholders, string[batch], and ragged string[batch, (numbers)].

    A number that follows a letter has it in front, so that `paste_numbers` knows.

    >>> texts, numbers = cut_numbers(
    ...     tf.constant(["At 10:30, 2 men, A4.", "A man."]), SubwordConfig()
    ... )
    >>> [text.decode().replace(PLACEHOLDER, "#") for text in texts.numpy()], numbers.to_list()
    (['At #, # men, A#.', 'A man.'], [[b'10:30', b'2', b'A4'], []])
    """
    texts = fold(texts, config)
    # Every other character becomes a space, so that splitting leaves the numbers.
    numbers = tf.strings.regex_replace(texts, rf"({_LETTER}?{_IN_GRAPH})|(?s:.)", r"\1 ")
    return tf.strings.regex_replace(texts, _IN_GRAPH, PLACEHOLDER), tf.strings.split(numbers)


def paste_numbers(texts: Any, numbers: Any) -> Any:
    """Puts numbers in place of the placeholders, in their order; surplus placeholders go.

    A number gets a space where it would touch another one, or a letter that stood not before it
    in its sentence: "2 and 7" never becomes 27.

    Args:
        texts: string[batch · n], n successive texts for each row of `numbers`.
        numbers: ragged string[batch, (numbers)].

    >>> _, numbers = cut_numbers(tf.constant(["1999: 7 men."]), SubwordConfig())
    >>> paste_numbers(tf.constant([f"{PLACEHOLDER}: {PLACEHOLDER} Männer."]), numbers)[0].numpy()
    b'1999: 7 M\\xc3\\xa4nner.'
    """
    pieces = tf.strings.split(texts, PLACEHOLDER)
    number, place, valid = _numbers_before(pieces, numbers)
    attached = tf.strings.regex_full_match(number, f"{_LETTER}.*")
    number = tf.strings.regex_replace(number, f"^{_LETTER}", "")
    following = pieces.flat_values
    last = tf.concat([[""], following[:-1]], axis=0)
    after_number = tf.strings.regex_full_match(last, r"(?s:.*\p{Nd})") | (
        (last == "") & (place > 0)
    )
    after_letter = tf.strings.regex_full_match(last, rf"(?s:.*{_LETTER})")
    space = tf.where(valid & (after_number | (after_letter & ~attached)), " ", "")
    gap = tf.where(valid & tf.strings.regex_full_match(following, r"(?s:\p{Nd}.*)"), " ", "")
    return tf.strings.reduce_join(pieces.with_flat_values(space + number + gap + following), axis=1)


def fill_numbers(pieces: Any, numbers: Any) -> Any:
    """Pieces of texts with numbers in place of their placeholders, in their order.

    Args:
        pieces: ragged string[batch, (pieces)], at least one of each text.
        numbers: ragged string[batch, (numbers)], as `cut_numbers` gives them.

    >>> texts, numbers = cut_numbers(tf.constant(["A4 or 10:30"]), SubwordConfig())
    >>> [[piece.decode() for piece in fill_numbers(tf.strings.split(texts), numbers)[0].numpy()]]
    [['A4', 'or', '10:30']]
    """
    texts = tf.strings.reduce_join(pieces, axis=1, separator=_BETWEEN)
    parts = tf.strings.split(texts, PLACEHOLDER)
    number, _, _ = _numbers_before(parts, numbers)
    number = tf.strings.regex_replace(number, f"^{_LETTER}", "")
    filled = parts.with_flat_values(tf.strings.join([number, parts.flat_values]))
    return tf.strings.split(tf.strings.reduce_join(filled, axis=1), _BETWEEN)


def _numbers_before(pieces: Any, numbers: Any) -> tuple[Any, Any, Any]:
    """What stands between successive pieces of texts that were split at the placeholders.

    Args:
        pieces: ragged string[batch · n, (pieces)].
        numbers: ragged string[batch, (numbers)].

    Returns:
        For each piece of all texts: string, the number before it, "" if there is none; int, the
        place of that number in its text; bool, whether there is one.
    """
    copies = tf.cast(pieces.nrows() // tf.maximum(numbers.nrows(), 1), tf.int32)
    starts = tf.repeat(numbers.row_starts(), copies)
    counts = tf.repeat(numbers.row_lengths(), copies)
    # Piece i > 0 of a text follows its placeholder i - 1. This works on flat values, as `truncate`.
    lengths = pieces.row_lengths()
    place = tf.ragged.range(lengths).flat_values - 1
    valid = (place >= 0) & (place < tf.repeat(counts, lengths))
    index = tf.where(valid, tf.repeat(starts, lengths) + place, 0)
    values = tf.concat([numbers.flat_values, [""]], axis=0)  # never empty
    return tf.where(valid, tf.gather(values, index), ""), place, valid


def replace_in_pairs(sources: Sequence[str], targets: Sequence[str]) -> tuple[list[str], list[str]]:
    """Placeholders in the training pairs that have the same numbers in the same order.

    Numbers are the same if their digits are: `1,000` and `1.000`, `10:30` and `10.30`. The other
    pairs keep their numbers, so the model learns no placeholder for a number that is written out
    ("2 dogs", "zwei Hunde") or left out.

    >>> pairs = replace_in_pairs(["4 at 10:30", "2 dogs"], ["4 um 10.30 Uhr", "zwei Hunde"])
    >>> [[text.replace(PLACEHOLDER, "#") for text in texts] for texts in pairs]
    [['# at #', '2 dogs'], ['# um # Uhr', 'zwei Hunde']]
    """
    found = [_replaced(*pair) for pair in zip(sources, targets, strict=True)]
    return [source for source, _ in found], [target for _, target in found]


def numbered_pairs(sources: Sequence[str], targets: Sequence[str]) -> int:
    """How many training pairs have numbers, the same ones in the same order.

    >>> numbered_pairs(["4 at 10:30", "2 dogs", "a dog"], ["4 um 10.30 Uhr", "zwei Hunde", "ein"])
    1
    """
    changed = zip(sources, replace_in_pairs(sources, targets)[0], strict=True)
    return sum(before != after for before, after in changed)


def _replaced(source: str, target: str) -> tuple[str, str]:
    of_source, of_target = (
        [_digits(number) for number in _NUMBER.findall(text)] for text in (source, target)
    )
    if of_source == of_target:
        return _NUMBER.sub(PLACEHOLDER, source), _NUMBER.sub(PLACEHOLDER, target)
    # A placeholder of the data itself is a number that is not copied.
    return source.replace(PLACEHOLDER, "0"), target.replace(PLACEHOLDER, "0")


def _digits(number: str) -> list[int]:
    return [unicodedata.decimal(character) for character in number if character.isdecimal()]
