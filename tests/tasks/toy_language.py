"""A language pair that a tiny model learns in seconds: other words, in reversed order."""

import csv
import random
from pathlib import Path

VOWELS = "aeiou"
CONSONANTS = "bdgklmnprst"
WORDS = 7
ROWS = {"train": 300, "validation": 12, "test": 17}
LONGEST = 3


def word(number: int) -> tuple[str, str]:
    """A word and its translation."""
    first, last = CONSONANTS[number % 11], CONSONANTS[number * 3 % 11]
    vowel, other = VOWELS[number % 5], VOWELS[number * 2 % 5]
    return f"{first}{vowel}{last}", f"{other}{first}{other}x"


def translate(source: str) -> str:
    """What the translation of a sentence of the language should be."""
    words = dict(word(number) for number in range(WORDS))
    return " ".join(words[each] for each in reversed(source.removesuffix(".").split())) + "."


def sentences(count: int, seed: int = 5) -> list[str]:
    """So many different ones, of one to `LONGEST` words."""
    draw, found = random.Random(seed), dict[str, None]()
    while len(found) < count:
        words = [word(draw.randrange(WORDS))[0] for _ in range(draw.randint(1, LONGEST))]
        found[" ".join(words) + "."] = None
    return list(found)


def write_pairs(path: Path) -> Path:
    """A CSV file of pairs with their splits."""
    rows = iter(sentences(sum(ROWS.values())))
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["source", "target", "split"])
        for split, count in ROWS.items():
            for _ in range(count):
                source = next(rows)
                writer.writerow([source, translate(source), split])
    return path
