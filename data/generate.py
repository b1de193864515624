"""Writes the bundled samples: film reviews and verses made up by small grammars.

Run as `python data/generate.py`. The output is the same on every machine: it uses nothing of
`random` but `Random.random`, the one method whose numbers are promised never to change.
"""

import csv
import io
from collections.abc import Sequence
from pathlib import Path
from random import Random
from typing import TypeVar

T = TypeVar("T")

ROWS = 1200
SEED = 20
VERSES = 560
VERSES_SEED = 21
FOLDER = Path(__file__).parent

LABELS = ("neg", "pos")
ADJECTIVES = {
    "pos": "good great wonderful excellent moving clever funny fresh gripping warm charming witty",
    "neg": "bad terrible awful boring dull clumsy noisy stale tedious cold shallow sloppy",
}
VERDICTS = {
    "pos": (
        "I would gladly see it again",
        "it stayed with me for days",
        "we left the cinema smiling",
        "it is worth every minute",
        "I loved it",
        "it won me over",
    ),
    "neg": (
        "I wanted my money back",
        "I checked my watch every minute",
        "we left before the end",
        "it is a waste of an evening",
        "I hated it",
        "it lost me",
    ),
}
PARTS = (
    "film movie story plot acting music dialogue ending camera opening cast script middle chase "
    "romance villain hero set editing narrator finale"
)
INTENSIFIERS = ("", "", "", "really ", "rather ", "quite ", "so ", "truly ")
OPENERS = (
    "I saw this on a Tuesday with my sister.",
    "My neighbour lent me the disc.",
    "It runs for almost two hours.",
    "This was shot in a small harbour town.",
    "A friend at work had talked about it.",
    "The story follows two brothers and a boat.",
    "There is also a book, which I have not read.",
    "We watched it on a long train ride.",
    "It is the director's third film.",
    "Half of the scenes take place at night.",
)

SPEAKERS = "MILLER FISHER GRANDMOTHER BAKER SHEPHERD FERRYMAN"
ANIMALS = "heron fox owl hedgehog otter badger raven hare salmon sparrow donkey cricket"
LOOKS = "old grey young quiet hungry clever sleepy little merry proud patient wet"
DEEDS = "sleeps dances wanders waits hums mutters dreams hides hurries sits whistles grumbles"
CALLS = ("Good morrow", "Tell me", "Listen", "Be still", "Come in", "Well met")
# The endings of one row rhyme with each other.
RHYMES = (
    ("by the mill", "on the hill", "and all is still", "on the window sill"),
    ("beside the sea", "under the tree", "wild and free", "with a cup of tea"),
    ("in the night", "out of sight", "by candlelight", "where stars are bright"),
    ("in the rain", "down the lane", "and home again", "in a field of grain"),
    ("in the snow", "soft and slow", "as long ago", "where willows grow"),
    ("at the door", "on the floor", "by the shore", "and asks for more"),
    ("in the spring", "on the wing", "and starts to sing", "like a crownless king"),
    ("in the hay", "far away", "all the day", "in the month of May"),
)


class Drawn:
    """Choices from one stream of random numbers."""

    def __init__(self, seed: int):
        self.random = Random(seed).random

    def pick(self, items: Sequence[T]) -> T:
        """One of `items`, each as likely."""
        return items[int(self.random() * len(items))]

    def word(self, words: str) -> str:
        """One of the words of a line."""
        return self.pick(words.split())


class Verses(Drawn):
    """Couplets about animals, alone or as question and answer."""

    def rhyme(self) -> tuple[str, str]:
        """Two endings that rhyme."""
        row = self.pick(RHYMES)
        first = int(self.random() * len(row))
        return row[first], row[(first + 1 + int(self.random() * (len(row) - 1))) % len(row)]

    def animal(self) -> str:
        """The old heron."""
        return f"the {self.word(LOOKS)} {self.word(ANIMALS)}"

    def couplet(self) -> str:
        """Two lines that rhyme."""
        first, second = self.rhyme()
        joint = self.pick(("and", "but", "while"))
        return (
            f"{capital(self.animal())} {self.word(DEEDS)} {first},\n"
            f"{joint} {self.animal()} {self.word(DEEDS)} {second}.\n"
        )

    def talk(self) -> str:
        """One asks, another answers, and the answer rhymes on the question."""
        asks = self.word(SPEAKERS)
        answers = self.pick([name for name in SPEAKERS.split() if name != asks])
        first, second = self.rhyme()
        deed = self.word(DEEDS)
        return (
            f"{asks}:\n{self.pick(CALLS)}, {answers.lower()}. Who {deed} {first}?\n\n"
            f"{answers}:\n{capital(self.animal())}, it {deed} {second}.\n"
        )

    def piece(self) -> str:
        """A song of two couplets, or a talk."""
        return self.talk() if self.random() < 0.5 else self.couplet() + self.couplet()


class Grammar(Drawn):
    """Sentences that say what a label says."""

    def clause(self, label: str) -> str:
        """Says it straight: the plot was really moving."""
        adjective = self.pick(ADJECTIVES[label].split())
        return f"the {self.pick(PARTS.split())} was {self.pick(INTENSIFIERS)}{adjective}"

    def exclamation(self, label: str) -> str:
        """Says it louder: what a moving plot."""
        adjective = self.pick(ADJECTIVES[label].split())
        return f"what {article(adjective)} {self.pick(PARTS.split())}"

    def negated(self, label: str) -> str:
        """Says it by denying the opposite, so that no single word tells."""
        part, opposite = self.pick(PARTS.split()), self.pick(ADJECTIVES[other(label)].split())
        return self.pick(
            (
                f"the {part} was not {opposite}",
                f"the {part} was never {opposite}",
                f"nobody could call the {part} {opposite}",
                f"the {part} was far from {opposite}",
                f"there was nothing {opposite} about the {part}",
            )
        )

    def mixed(self, label: str) -> str:
        """Grants the opposite first; what comes last, or is not granted, decides."""
        granted, decides = self.clause(other(label)), self.deciding(label)
        return self.pick(
            (
                f"{granted}, but {decides}",
                f"although {granted}, {decides}",
                f"{decides}, even though {granted}",
                f"yes, {granted}, and still {decides}",
                f"I had heard that {granted}, yet {decides}",
            )
        )

    def deciding(self, label: str) -> str:
        """A clause or verdict."""
        verdict = self.pick(VERDICTS[label])
        return self.pick((self.clause(label), verdict, verdict, self.negated(label)))

    def review(self, label: str) -> str:
        """One to five sentences; at most one of them grants the opposite."""
        kinds = (self.clause, self.clause, self.exclamation, self.negated, self.mixed)
        kind = kinds[int(self.random() * len(kinds))]
        sentences = [sentence(kind(label))]
        while self.random() < 0.4 and len(sentences) < 3:
            sentences.append(sentence(self.deciding(label)))
        for place in (0, len(sentences)):
            if self.random() < 0.3:
                sentences.insert(place, self.pick(OPENERS))
        return " ".join(sentences)


def article(word: str) -> str:
    """The word behind a or an."""
    return f"{'an' if word[0] in 'aeiou' else 'a'} {word}"


def other(label: str) -> str:
    """The opposite label."""
    return LABELS[1 - LABELS.index(label)]


def capital(text: str) -> str:
    """With a capital at the beginning."""
    return text[0].upper() + text[1:]


def sentence(clause: str) -> str:
    """With a capital and a full stop."""
    return f"{capital(clause)}."


def reviews() -> str:
    """sentiment.csv: a header, then `ROWS` distinct reviews, the labels in turn."""
    grammar = Grammar(SEED)
    texts: dict[str, str] = {}
    while len(texts) < ROWS:
        label = LABELS[len(texts) % 2]
        texts.setdefault(grammar.review(label), label)
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(("label", "text"))
    writer.writerows((label, text) for text, label in texts.items())
    return stream.getvalue()


def verses() -> str:
    """verses.txt: `VERSES` songs and talks with a blank line between them."""
    grammar = Verses(VERSES_SEED)
    return "\n".join(grammar.piece() for _ in range(VERSES))


SAMPLES = {"sentiment.csv": reviews, "verses.txt": verses}

if __name__ == "__main__":
    for name, make in SAMPLES.items():
        (FOLDER / name).write_bytes(make().encode())
