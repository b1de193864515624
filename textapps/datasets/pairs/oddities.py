"""What looks wrong with sentence pairs, though it does not stop training."""

import re
import unicodedata
from collections import Counter
from collections.abc import Sequence
from statistics import median

from textapps.datasets.pairs.sources import Pair

FACTOR = 3  # a pair is longer on one side than the others are, so many times
SMOOTHING = 10  # characters, so that short sentences are not odd: "Hi!" and "Guten Tag!"
MOST = 0.9  # of the sentences of a column

_FEWEST = 10  # pairs that tell what is usual
_LETTERS = 200  # of a sentence that tell its script
_SIDES = ("source", "target")
_EAST_ASIAN = dict.fromkeys(("CJK", "HIRAGANA", "KATAKANA"), "CJK")
_UNSPACED = ("CJK", "THAI", "LAO", "KHMER", "MYANMAR")
# What files of pairs have above their columns: what they hold, or a language.
_HEADING = re.compile(
    "source|target|src|tgt|trg|input|output|translation|text|sentence|original|"
    "en|de|fr|es|it|pt|nl|ru|pl|cs|uk|zh|ja|ko|ar|he|tr|fi|sv|da|el|hu|ro|bg|"
    "english|german|deutsch|french|français|spanish|español|italian|italiano|portuguese|português|"
    "dutch|nederlands|russian|русский|polish|polski|czech|ukrainian|chinese|中文|japanese|日本語|"
    "korean|한국어|arabic|hebrew|turkish|türkçe|hindi",
    re.IGNORECASE,
)


def odd_lengths(pairs: Sequence[Pair]) -> list[str]:
    """The places of pairs whose ratio of lengths differs much from the median ratio."""
    if len(pairs) < _FEWEST:
        return []
    ratios = [(len(pair.target) + SMOOTHING) / (len(pair.source) + SMOOTHING) for pair in pairs]
    usual = median(ratios)
    return [
        f"{pair.place} with {len(pair.source):,} and {len(pair.target):,} characters"
        for pair, ratio in zip(pairs, ratios, strict=True)
        if not usual / FACTOR <= ratio <= usual * FACTOR
    ]


def single_words(pairs: Sequence[Pair]) -> list[str]:
    """The columns that hold single words or numbers where sentences should be."""
    found = []
    for side, texts in _columns(pairs):
        if len(texts) < _FEWEST:
            continue
        single = [
            text for text in texts if len(text.split()) == 1 and script(text) not in _UNSPACED
        ]
        if len(single) >= MOST * len(texts):
            found.append(
                f"{side}: {len(single):,} of {len(texts):,} are one word, such as '{single[0]}': "
                "leave this column out of the file, or name others"
            )
    return found


def headings(pairs: Sequence[Pair]) -> list[str]:
    """The place of the first pair, if it reads like the names of columns.

    >>> headings([Pair("English", "German", "a.tsv:1"), Pair("Hi!", "Hallo!", "a.tsv:2")])
    ['a.tsv:1: English, German']
    """
    return [
        f"{one.place}: {one.source}, {one.target}"
        for one in pairs[:1]
        if _HEADING.fullmatch(one.source) and _HEADING.fullmatch(one.target)
    ]


def other_scripts(pairs: Sequence[Pair]) -> list[str]:
    """The places of sentences in another script than nearly all others of their column."""
    found = []
    for side, texts in _columns(pairs):
        scripts = [script(text) for text in texts]
        counts = Counter(one for one in scripts if one)
        if sum(counts.values()) < _FEWEST:
            continue
        usual, count = counts.most_common(1)[0]
        if count >= MOST * sum(counts.values()):
            found += [
                f"{pair.place}: {side} in {one.title()}, not {usual.title()}"
                for pair, one in zip(pairs, scripts, strict=True)
                if one and one != usual
            ]
    return found


def script(text: str) -> str:
    """The script of most letters, as Unicode names it; "" if there are no letters.

    >>> script("naïve 12"), script("שלום world שלום"), script("猫が好き"), script("12:30")
    ('LATIN', 'HEBREW', 'CJK', '')
    """
    counts: Counter[str] = Counter()
    for character in text[:_LETTERS]:
        if character.isalpha():
            name = unicodedata.name(character, "").partition(" ")[0]
            counts[_EAST_ASIAN.get(name, name)] += 1
    return counts.most_common(1)[0][0] if counts else ""


def _columns(pairs: Sequence[Pair]) -> list[tuple[str, list[str]]]:
    return [(side, [getattr(pair, side) for pair in pairs]) for side in _SIDES]
