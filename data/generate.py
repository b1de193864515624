"""Writes sentiment.csv, the bundled sample: film reviews made up by a small grammar.

Run as `python data/generate.py`. The output is the same on every machine: it uses nothing of
`random` but `Random.random`, the one method whose numbers are promised never to change.
"""

import csv
import io
from collections.abc import Sequence
from pathlib import Path
from random import Random

ROWS = 1200
SEED = 20
OUTPUT = Path(__file__).parent / "sentiment.csv"

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


class Grammar:
    """Sentences that say what a label says, drawn from one stream of random numbers."""

    def __init__(self, seed: int):
        self.random = Random(seed).random

    def pick(self, items: Sequence[str]) -> str:
        """One of `items`, each as likely."""
        return items[int(self.random() * len(items))]

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


def sentence(clause: str) -> str:
    """With a capital and a full stop."""
    return f"{clause[0].upper()}{clause[1:]}."


def sample() -> str:
    """The whole file: a header, then `ROWS` distinct reviews, the labels in turn."""
    grammar = Grammar(SEED)
    reviews: dict[str, str] = {}
    while len(reviews) < ROWS:
        label = LABELS[len(reviews) % 2]
        reviews.setdefault(grammar.review(label), label)
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(("label", "text"))
    writer.writerows((label, text) for text, label in reviews.items())
    return stream.getvalue()


if __name__ == "__main__":
    OUTPUT.write_bytes(sample().encode())
