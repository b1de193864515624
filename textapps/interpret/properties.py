"""Properties that every character of a text has or has not, or has a number of."""

import re
from collections.abc import Callable, Iterable, Mapping

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.float64]
"""float64[characters]"""

_OPENING, _CLOSING = "([{", ")]}"
_PAIRED_QUOTES = {"“": "”", "«": "»", "「": "」", "„": "“"}
_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)*")
_NEGATION = re.compile(
    r"\b(?:not|no|never|none|nor|neither|nothing|nobody|without|cannot|\w+n['’]t)\b([^.!?;:,\n]*)",
    re.IGNORECASE,
)


def inside_quotes(text: str) -> Values:
    """1 from an opening quotation mark up to the character before the closing one.

    >>> inside_quotes('a "b" c').tolist()
    [0.0, 0.0, 1.0, 1.0, 0.0, 0.0, 0.0]
    """
    values, closing = np.zeros(len(text)), ""
    for place, character in enumerate(text):
        if closing:
            closing = "" if character == closing else closing
        elif character == '"' or character in _PAIRED_QUOTES:
            closing = _PAIRED_QUOTES.get(character, '"')
        values[place] = bool(closing)
    return values


def inside_brackets(text: str) -> Values:
    """1 from an opening bracket, ( [ or {, up to the character before its closing one.

    >>> inside_brackets("a(b)]c").tolist()
    [0.0, 1.0, 1.0, 0.0, 0.0, 0.0]
    """
    values, depth = np.zeros(len(text)), 0
    for place, character in enumerate(text):
        depth += character in _OPENING
        depth = max(depth - (character in _CLOSING), 0)
        values[place] = depth > 0
    return values


def line_length(text: str) -> Values:
    """How many characters of its line there are up to and with this one; 0 at a line break.

    >>> line_length("ab\\nc").tolist()
    [1.0, 2.0, 0.0, 1.0]
    """
    values, length = np.zeros(len(text)), 0
    for place, character in enumerate(text):
        length = 0 if character == "\n" else length + 1
        values[place] = length
    return values


def line_position(text: str) -> Values:
    """How far through its line a character is, from above 0 to 1; 0 at a line break.

    >>> line_position("abcd\\ne").tolist()
    [0.25, 0.5, 0.75, 1.0, 0.0, 1.0]
    """
    lengths = np.array([len(line) for line in text.split("\n") for _ in range(len(line) + 1)])
    shares: Values = line_length(text) / np.maximum(lengths[: len(text)], 1)
    return shares


def inside_word(text: str) -> Values:
    """1 for the letters and digits of words."""
    return _within(_WORD.finditer(text), len(text))


def inside_name(text: str) -> Values:
    """1 for the letters of words with a capital, at the start of a sentence with capitals only.

    >>> inside_name("So Tom ran.").tolist()[3:7]
    [1.0, 1.0, 1.0, 0.0]
    """

    def is_name(match: re.Match[str]) -> bool:
        before = text[: match.start()].rstrip(" \t\"'“(")
        starts = not before or before[-1] in ".!?\n"
        whole = match[0]
        return whole[:1].isupper() and len(whole) > 1 and (not starts or whole.isupper())

    return _within(filter(is_name, _WORD.finditer(text)), len(text))


def after_negation(text: str) -> Values:
    """1 for what follows a word such as not or never, up to the next punctuation mark.

    >>> after_negation("not so, yes").tolist()
    [0.0, 0.0, 0.0, 1.0, 1.0, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0]
    """
    return _within(_NEGATION.finditer(text), len(text), group=1)


BUILT_IN: Mapping[str, Callable[[str], Values]] = {
    "inside quotes": inside_quotes,
    "inside brackets": inside_brackets,
    "position in the line": line_position,
    "line length so far": line_length,
    "inside a word": inside_word,
    "inside a name": inside_name,
    "after a negation": after_negation,
}


def properties_of(text: str, own: Mapping[str, re.Pattern[str]]) -> dict[str, Values]:
    """The built-in properties, then one for each expression: 1 inside its matches, else 0."""
    found = {name: compute(text) for name, compute in BUILT_IN.items()}
    return found | {name: _within(each.finditer(text), len(text)) for name, each in own.items()}


def _within(matches: Iterable[re.Match[str]], length: int, group: int = 0) -> Values:
    values = np.zeros(length)
    for match in matches:
        values[slice(*match.span(group))] = 1
    return values
