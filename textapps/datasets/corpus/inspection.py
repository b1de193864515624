"""Summary and findings of a corpus."""

import unicodedata
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated

from textapps.datasets.config import CorpusConfig
from textapps.datasets.corpus.examples import HeldCorpus
from textapps.datasets.corpus.loader import load_corpora
from textapps.datasets.inspection import Findings, Lines, Overview, count, short
from textapps.datasets.source import SPLITS

LONG_LINE = 40
"""Lines of so many characters are rarely repeated by chance."""

Counts = dict[str, int]


def _distinct(new: Sequence[Counts]) -> Lines:
    return count("  not in train")(list(map(len, new)))


@dataclass(frozen=True)
class CorpusSummary:
    """One split.

    distinct: the number of different characters
    new: the count of each character that does not occur in the training text
    beginning: the first 200 characters
    """

    characters: Annotated[int, count("characters")]
    lines: Annotated[int, count("lines")]
    documents: Annotated[int, count("documents")]
    distinct: Annotated[int, count("distinct characters")]
    new: Annotated[Counts, _distinct]
    beginning: str
    fingerprint: str


@dataclass(frozen=True)
class CorpusFindings(Findings):
    """None of this stops training.

    odd: the counts of control characters except tab and line feed, and of U+FFFD, by split
    shared: lines of at least `LONG_LINE` characters that also occur in train, by split
    """

    odd: dict[str, Counts]
    shared: dict[str, list[str]]

    def found(self) -> Iterator[tuple[str, Sequence[str]]]:
        """As `Findings` has it."""
        for split in SPLITS[1:]:
            yield f"characters of {split} that train lacks", _named(self.splits[split].new)
        for split, odd in self.odd.items():
            yield f"control and replacement characters in {split}", _named(odd)
        for split, lines in self.shared.items():
            title = f"lines of {split} that also occur in train, of {LONG_LINE} characters or more"
            yield title, [short(line, 100) for line in lines]


def summarise(config: CorpusConfig) -> tuple[Overview, str, list[str]]:
    """As `Inspection` has it."""
    name, splits = _summaries(load_corpora(config))
    return Overview(name, splits), "beginning of train", [short(splits["train"].beginning, 100)]


def check(config: CorpusConfig) -> CorpusFindings:
    """As `Inspection` has it, but DataError as when loading."""
    corpora = load_corpora(config)
    odd = {split: _odd(corpus) for split, corpus in zip(SPLITS, corpora, strict=True)}
    train, *others = map(_long_lines, corpora)
    known = set(train)
    shared = {
        split: [line for line in lines if line in known]
        for split, lines in zip(SPLITS[1:], others, strict=True)
    }
    return CorpusFindings(*_summaries(corpora), odd, shared)


def _summaries(corpora: list[HeldCorpus]) -> tuple[str, dict[str, CorpusSummary]]:
    known = set(corpora[0].text)
    return corpora[0].name, {
        split: _summary(corpus, known) for split, corpus in zip(SPLITS, corpora, strict=True)
    }


def _summary(corpus: HeldCorpus, known: set[str]) -> CorpusSummary:
    counted = Counter(corpus.text)
    return CorpusSummary(
        characters=len(corpus.text),
        lines=corpus.text.removesuffix("\n").count("\n") + 1,
        documents=corpus.documents,
        distinct=len(counted),
        new={char: number for char, number in counted.most_common() if char not in known},
        beginning=corpus.text[:200],
        fingerprint=corpus.fingerprint,
    )


def _odd(corpus: HeldCorpus) -> Counts:
    return {
        char: number
        for char, number in Counter(corpus.text).most_common()
        if char == "\ufffd" or (unicodedata.category(char) == "Cc" and char not in "\t\n")
    }


def _named(counts: Mapping[str, int]) -> list[str]:
    """`'é' U+00E9: 3` for each character."""
    return [f"{char!r} U+{ord(char):04X}: {number:,}" for char, number in counts.items()]


def _long_lines(corpus: HeldCorpus) -> list[str]:
    return [line for line in corpus.text.split("\n") if len(line) >= LONG_LINE]
